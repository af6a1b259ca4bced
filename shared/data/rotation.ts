/** The state that makes routing fair and keeps its bounds: a rotation per pool, a load per member. */
import * as z from 'zod';
import type { Workload } from '../domain/availability.ts';
import { loadChange } from '../domain/inquiry/load.ts';
import type { Inquiry } from '../domain/inquiry/state.ts';
import type { Lags } from '../domain/routing.ts';
import { memberLoad, poolRotation, routingPk } from './keys.ts';
import { atVersion, type Condition, queryAll, type Table, type Write } from './table.ts';

const rotationSchema = z.lazy(() =>
  z.object({
    version: z.int().default(0),
    lags: z.record(z.string(), z.number()).default({}),
    /** Inquiries that wait in the pool's queue. */
    waiting: z.int().default(0),
    /** How often something came to wait there, or what it waits for may have changed. */
    news: z.int().default(0),
    /** Who could take anything when all that waits there was looked at: none of it is for them. */
    lookedWith: z.array(z.string()).optional(),
  }),
);
export type PoolState = z.infer<typeof rotationSchema>;

const loadSchema = z.lazy(() =>
  z.object({
    version: z.int(),
    open: z.int().default(0),
    uncalled: z.int().default(0),
    day: z.string().optional(),
    today: z.int().default(0),
    disabled: z.boolean().default(false),
    callingUntil: z.string().optional(),
  }),
);
export type Load = Workload & { readonly version: number };

const noRotation: PoolState = { version: 0, lags: {}, waiting: 0, news: 0 };
const noLoad: Load = { version: 0, open: 0, uncalled: 0, today: 0, disabled: false };

export interface RoutingState {
  rotation(poolId: string): PoolState;
  load(memberId: string): Load;
  /** Pools in whose queues something waits, whether or not the configuration still has them. */
  readonly waitingPools: readonly string[];
  /** Members who are disabled, or gone, and still have open work. */
  readonly disabledAtWork: readonly string[];
}

/** What a routing gives a member, or takes from them. */
export interface Taken {
  readonly open: number;
  readonly uncalled: number;
  /** How many they were given, and their local date. */
  readonly given: number;
  readonly day: string | undefined;
}

/** What a routing leaves of a pool's rotation. */
export interface PoolChange {
  /** Absent where no turn was taken. */
  readonly lags?: Lags | undefined;
  /** So many more that wait, or fewer. */
  readonly waiting: number;
}

export type RoutingStates = ReturnType<typeof createRoutingStates>;

export function createRoutingStates(table: Table) {
  return {
    /** The state of all pools and members, in one read; they are as many as the practice has people. */
    async read(): Promise<RoutingState> {
      const rows = await queryAll(table, { pk: routingPk, consistent: true });
      const loads = new Map<string, Load>();
      const rotations = new Map<string, PoolState>();
      const bySk = new Map(rows.map((row) => [row.sk, row]));
      const idsOf = (prefix: string, holds: (row: Record<string, unknown>) => boolean): string[] =>
        rows
          .filter((row) => row.sk.startsWith(prefix) && holds(row))
          .map(({ sk }) => sk.slice(prefix.length));
      return {
        rotation(poolId) {
          const known = rotations.get(poolId);
          if (known) return known;
          const row = bySk.get(poolRotation(poolId).sk);
          const rotation = row ? rotationSchema.parse(row) : noRotation;
          rotations.set(poolId, rotation);
          return rotation;
        },
        load(memberId) {
          const known = loads.get(memberId);
          if (known) return known;
          const row = bySk.get(memberLoad(memberId).sk);
          const load = row ? loadSchema.parse(row) : noLoad;
          loads.set(memberId, load);
          return load;
        },
        waitingPools: idsOf(poolRotation('').sk, ({ waiting }) => Number(waiting ?? 0) > 0),
        disabledAtWork: idsOf(
          memberLoad('').sk,
          ({ disabled, open }) => disabled === true && Number(open ?? 0) > 0,
        ),
      };
    },

    /** The turns taken of a pool, unless others took some meanwhile. What waits is counted beside them. */
    saveRotation: (poolId: string, { version }: PoolState, { lags, waiting }: PoolChange): Write => ({
      update: poolRotation(poolId),
      ...(lags && { set: { lags, schemaVersion: 1 } }),
      add: { ...(lags && { version: 1 }), ...(waiting !== 0 && { waiting }) },
      ...(lags && { when: version === 0 ? [[['version', 'absent']]] : atVersion(version) }),
    }),

    /** What a member was given, unless anything about their load changed since it was read. */
    takeOn: (memberId: string, before: Load, { open, uncalled, given, day }: Taken): Write => ({
      update: memberLoad(memberId),
      set: {
        schemaVersion: 1,
        ...(given > 0 &&
          day !== undefined && { day, today: (before.day === day ? before.today : 0) + given }),
      },
      add: { open, uncalled, version: 1 },
      when: atVersion(before.version),
    }),

    /**
     * As `follow`, for an inquiry of which was just found that nobody can take it: none of those who
     * could take anything then waits for a look at it, unless something else came meanwhile.
     */
    beginWaiting(before: Inquiry, after: Inquiry, pool: PoolState, able: ReadonlySet<string>): Write[] {
      const known = pool.lookedWith?.filter((id) => able.has(id));
      const came = loadChange(before, after).cameTo;
      return followAll([{ before, after }]).map((write) =>
        came !== undefined && 'update' in write && write.update.sk === poolRotation(came).sk
          ? { ...write, set: { lookedWith: known }, when: sameNews(pool) }
          : write,
      );
    },

    /** That all that waits in a pool was looked at, unless something came meanwhile. */
    saveLook: (poolId: string, pool: Pick<PoolState, 'news'>, lookedWith: readonly string[]): Write => ({
      update: poolRotation(poolId),
      set: { lookedWith },
      when: sameNews(pool),
    }),

    /** That all that waits in a pool is to be looked at, whoever looked at it before. */
    forgetLook: (poolId: string): Write => ({
      update: poolRotation(poolId),
      set: { lookedWith: undefined },
      add: { news: 1 },
    }),

    /**
     * What a change of an inquiry means for members and pools, whatever else happens to their items meanwhile.
     *
     * @param except - a member whose load is written by `takeOn`
     */
    follow: (before: Inquiry, after: Inquiry, except?: string): Write[] =>
      followAll([{ before, after }], except),

    /** As `follow`, for several inquiries at once. */
    followAll,
  };
}

const sameNews = ({ news }: Pick<PoolState, 'news'>): Condition =>
  news === 0 ? [[['news', 'absent']]] : [[['news', '=', news]]];

function followAll(
  changes: readonly { readonly before: Inquiry; readonly after: Inquiry }[],
  except?: string,
): Write[] {
  const members = new Map<string, { open: number; uncalled: number }>();
  const waiting = new Map<string, number>();
  const news = new Map<string, number>();
  const calls = new Map<string, string | undefined>();
  for (const { before, after } of changes) {
    const change = loadChange(before, after);
    for (const [id, { open, uncalled }] of change.members) {
      const so = members.get(id) ?? { open: 0, uncalled: 0 };
      members.set(id, { open: so.open + open, uncalled: so.uncalled + uncalled });
    }
    for (const [id, n] of change.pools) waiting.set(id, (waiting.get(id) ?? 0) + n);
    if (change.cameTo !== undefined) news.set(change.cameTo, (news.get(change.cameTo) ?? 0) + 1);
    for (const [id, until] of change.calls) calls.set(id, until);
  }
  const touched = [...new Set([...members.keys(), ...calls.keys()])].filter((id) => id !== except);
  return [
    ...touched.map((id): Write => {
      const { open, uncalled } = members.get(id) ?? { open: 0, uncalled: 0 };
      return {
        update: memberLoad(id),
        ...(calls.has(id) && { set: { callingUntil: calls.get(id) } }),
        add: { ...(open !== 0 && { open }), ...(uncalled !== 0 && { uncalled }), version: 1 },
      };
    }),
    ...[...waiting].map(([id, n]): Write => {
      const came = news.get(id);
      return {
        update: poolRotation(id),
        // Nobody was seen with it yet.
        ...(came !== undefined && { set: { lookedWith: undefined } }),
        add: { waiting: n, ...(came !== undefined && { news: came }) },
      };
    }),
  ];
}
