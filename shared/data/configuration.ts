/**
 * The practice's configuration in the table. Each entity is an item of its own
 * with a version, an author and a time; `CONFIG/VERSION` counts what was applied,
 * so that a reader sees with one small read whether anything changed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { type Practice, practiceSchema } from '../domain/practice.ts';
import { nextReportAt } from '../domain/weekly-report.ts';
import { configuration, configurationPk, type Key, memberLoad, weeklyReport } from './keys.ts';
import { absent, atVersion, queryAll, type Table, type Transacted, type Write } from './table.ts';
import { weeklyReportRow } from './weekly-reports.ts';

/** The practice file's lists; each of their entries is an entity. */
const listKinds = ['locations', 'services', 'sources', 'forms', 'members', 'pools'] as const;
const kinds = ['practice', 'scoring', ...listKinds] as const;
export type ConfigurationKind = (typeof kinds)[number];

/** No practice has been applied to this table yet. */
export class ConfigurationMissing extends Error {
  readonly code = 'configuration_missing';
  override readonly name = 'ConfigurationMissing';

  constructor() {
    super('No practice is configured yet: run "npm run practice -- apply <file>".');
  }
}

interface Entity {
  readonly kind: ConfigurationKind;
  readonly id: string;
  /** Order within its kind; not contiguous, so that an insertion moves no other entity. */
  readonly position: number;
  readonly data: unknown;
}

const storedEntitySchema = z.object({
  kind: z.enum(kinds),
  id: z.string(),
  position: z.number(),
  version: z.int(),
  schemaVersion: z.literal(1),
  data: z.record(z.string(), z.unknown()),
});
type StoredEntity = z.infer<typeof storedEntitySchema>;

const versionSchema = z.object({ version: z.int(), schemaVersion: z.literal(1) });

interface Stored {
  /** Of the whole configuration; 0 before the first apply. */
  readonly version: number;
  readonly entities: readonly StoredEntity[];
}

function entityKey({ kind, id }: Pick<Entity, 'kind' | 'id'>): Key {
  if (kind === 'practice' || kind === 'scoring') return configuration[kind];
  return configuration.entity(kind, id);
}

/** The entities of a practice, in the order of its file. */
function toEntities({ name, phoneCountry, emergencyLine, scoring, ...lists }: Practice): Entity[] {
  return [
    { kind: 'practice', id: 'practice', position: 1, data: { name, phoneCountry, emergencyLine } },
    { kind: 'scoring', id: 'scoring', position: 1, data: scoring },
    ...listKinds.flatMap((kind) =>
      lists[kind].map((data, i): Entity => ({ kind, id: data.id, position: i + 1, data })),
    ),
  ];
}

function toPractice(entities: readonly StoredEntity[]): Practice {
  const ofKind = (kind: ConfigurationKind) =>
    entities
      .filter((entity) => entity.kind === kind)
      .sort((a, b) => a.position - b.position)
      .map(({ data }) => data);
  return practiceSchema.parse({
    ...ofKind('practice')[0],
    scoring: ofKind('scoring')[0],
    ...Object.fromEntries(listKinds.map((kind) => [kind, ofKind(kind)])),
  });
}

async function load(table: Table): Promise<Stored> {
  // Downwards, VERSION sorts first: entities read while somebody applies can only be newer than the
  // version they are filed under, so the next look at the version reads them again.
  const rows = await queryAll(table, { pk: configurationPk, consistent: true, newestFirst: true });
  const versionRow = rows.find(({ sk }) => sk === configuration.version.sk);
  return {
    version: versionRow ? versionSchema.parse(versionRow).version : 0,
    entities: rows.filter((row) => row !== versionRow).map((row) => storedEntitySchema.parse(row)),
  };
}

/** The version alone. A query, since most functions may not get single items. */
async function versionNow(table: Table): Promise<unknown> {
  const { sk } = configuration.version;
  const { rows } = await table.query({ pk: configurationPk, from: sk, to: sk });
  return rows[0]?.['version'];
}

/**
 * The practice as the table has it, with the configuration's version; undefined before the first apply.
 */
export async function readConfiguration(
  table: Table,
): Promise<{ readonly version: number; readonly practice: Practice } | undefined> {
  const { version, entities } = await load(table);
  return version === 0 ? undefined : { version, practice: toPractice(entities) };
}

export interface ConfigurationReader {
  /**
   * The practice as it is, or was `maxAgeMs` ago.
   *
   * @throws ConfigurationMissing where none has been applied
   */
  current(): Promise<Practice>;
}

/**
 * Reads the configuration once and keeps it, for the life of a function. Past
 * its age one small read tells whether it changed; where that fails, the kept
 * one goes on, since an old configuration beats none.
 *
 * @param options.maxAgeMs - how old the kept configuration may be, in milliseconds
 * @param options.onStale - is told why the kept one has to go on; a place to log it
 */
export function createConfigurationReader(options: {
  table: Table;
  now: () => Date;
  maxAgeMs?: number;
  onStale?: (error: unknown) => void;
}): ConfigurationReader {
  const { table, now, maxAgeMs = 10_000, onStale } = options;
  let kept: { version: number; practice: Practice; checkedAtMs: number } | undefined;
  let underWay: Promise<Practice> | undefined;

  async function refresh(): Promise<Practice> {
    const checkedAtMs = now().getTime();
    try {
      if (kept && (await versionNow(table)) === kept.version) {
        kept = { ...kept, checkedAtMs };
        return kept.practice;
      }
      const read = await readConfiguration(table);
      if (read === undefined) throw new ConfigurationMissing();
      kept = { ...read, checkedAtMs };
      return kept.practice;
    } catch (error) {
      if (kept === undefined) throw error;
      onStale?.(error);
      return kept.practice;
    }
  }

  return {
    async current() {
      if (kept && now().getTime() - kept.checkedAtMs < maxAgeMs) return kept.practice;
      underWay ??= refresh().finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
  };
}

export interface ConfigurationChange {
  readonly kind: ConfigurationKind;
  readonly id: string;
  readonly change: 'add' | 'change' | 'remove';
}

interface PlannedChange extends ConfigurationChange {
  /** The version that the entity stands at; 0 where it is new. */
  readonly version: number;
  /** As it shall be; absent where it goes. */
  readonly entity?: Entity;
  /** As it was; absent where it is new. */
  readonly before?: StoredEntity;
}

/**
 * Positions that put `ids` in order and keep every stored one that fits: a new
 * entity goes between its neighbours, so only what really moved is rewritten.
 */
function placeInOrder(ids: readonly string[], stored: ReadonlyMap<string, number>): number[] {
  let last = 0;
  return ids.map((id, i) => {
    const own = stored.get(id) ?? 0;
    const following = ids.slice(i + 1).map((next) => stored.get(next) ?? 0);
    const ceiling = following.find((position) => position > last) ?? last + 2;
    const between = (last + ceiling) / 2;
    if (own > last) last = own;
    // Halving ends after some fifty insertions at one place; what follows then moves.
    else last = between > last && between < ceiling ? between : last + 1;
    return last;
  });
}

/** Additions first and removals last, so that a reader between two transactions finds what it refers to. */
const changeOrder = ['add', 'change', 'remove'] as const;

function diff(stored: readonly StoredEntity[], practice: Practice): PlannedChange[] {
  const changes: PlannedChange[] = [];
  const wanted = toEntities(practice);
  for (const kind of kinds) {
    const before = new Map(
      stored.filter((entity) => entity.kind === kind).map((entity) => [entity.id, entity]),
    );
    const after = wanted.filter((entity) => entity.kind === kind);
    const positions = placeInOrder(
      after.map(({ id }) => id),
      new Map([...before].map(([id, { position }]) => [id, position])),
    );
    after.forEach((entry, i) => {
      const entity = { ...entry, position: positions[i] ?? entry.position };
      const old = before.get(entity.id);
      const common = { kind, id: entity.id, entity };
      if (old === undefined) changes.push({ ...common, change: 'add', version: 0 });
      else if (old.position !== entity.position || !isDeepStrictEqual(old.data, entity.data)) {
        changes.push({ ...common, change: 'change', version: old.version, before: old });
      }
      before.delete(entity.id);
    });
    for (const old of before.values()) {
      changes.push({ kind, id: old.id, change: 'remove', version: old.version, before: old });
    }
  }
  return changes.sort((a, b) => changeOrder.indexOf(a.change) - changeOrder.indexOf(b.change));
}

/**
 * What applying a practice would change. An entity that moves within its list is a change too.
 *
 * @param current - the practice in force; undefined before the first apply
 */
export function planConfiguration(current: Practice | undefined, practice: Practice): ConfigurationChange[] {
  const stored = current ? toEntities(current).map((entity) => ({ ...entity, version: 1 })) : [];
  return diff(stored as StoredEntity[], practice).map(({ kind, id, change }) => ({ kind, id, change }));
}

/** What became of an apply. */
export type Applied =
  | {
      readonly outcome: 'applied';
      readonly version: number;
      readonly changes: readonly ConfigurationChange[];
    }
  | { readonly outcome: 'unchanged'; readonly version: number }
  /** Somebody else applied meanwhile and theirs stands: look at the new plan, then apply again. */
  | { readonly outcome: 'overtaken' };

/** Leaves room for the configuration's version in each transaction of at most 100 writes. */
const writesPerTransaction = 99;
const conflictAttempts = 10;

/** Routing may hold a member's load item for a moment; a conflict with it passes. */
async function transactPastConflicts(table: Table, writes: readonly Write[]): Promise<Transacted> {
  for (let attempt = 1; ; attempt++) {
    const result = await table.transact(writes);
    if (result.committed || result.failed.size > 0) return result;
    if (attempt === conflictAttempts)
      throw new Error('The table is busy with other transactions: try again.');
    await sleep(Math.random() * 50 * attempt);
  }
}

/**
 * Writes a practice: what changed, and nothing else.
 *
 * Every transaction moves the configuration's version by one and so shuts out
 * whoever read the version before. An apply of more than 99 writes takes several;
 * one overtaken between two of them is completed by the other, which planned from
 * the entities as it found them.
 *
 * @param options.author - who applies, as it shall stand with each entity
 */
export async function applyConfiguration(options: {
  table: Table;
  practice: Practice;
  author: string;
  now: () => Date;
}): Promise<Applied> {
  const { table, practice, author, now } = options;
  const updatedAt = now().toISOString();
  const stored = await load(table);
  const changes = diff(stored.entities, practice);
  const loads = await loadUpdates(table, changes);

  const toWrites = (change: PlannedChange): Write[] => {
    const key = entityKey(change);
    const when = atVersion(change.version);
    const load = change.kind === 'members' ? loads.get(change.id) : undefined;
    const version = change.version + 1;
    const write: Write = change.entity
      ? { put: { ...key, ...change.entity, version, author, updatedAt, schemaVersion: 1 }, when }
      : { remove: key, when };
    return load ? [write, load] : [write];
  };

  let { version } = stored;
  for (const writes of inTransactions(changes.map(toWrites))) {
    const bumped: Write = {
      put: { ...configuration.version, version: version + 1, author, updatedAt, schemaVersion: 1 },
      when: atVersion(version),
    };
    const result = await transactPastConflicts(table, [...writes, bumped]);
    if (!result.committed) return { outcome: 'overtaken' };
    version += 1;
  }

  await keepReports(table, practice, changes, now());
  if (changes.length === 0) return { outcome: 'unchanged', version };
  return {
    outcome: 'applied',
    version,
    changes: changes.map(({ kind, id, change }) => ({ kind, id, change })),
  };
}

/** Packs steps into transactions; the writes of one step stay together. */
function inTransactions(steps: readonly Write[][]): Write[][] {
  const transactions: Write[][] = [];
  for (const step of steps) {
    const last = transactions.at(-1);
    if (last && last.length + step.length <= writesPerTransaction) last.push(...step);
    else transactions.push([...step]);
  }
  return transactions;
}

/**
 * Updates of the load items of members who are disabled or enabled by the
 * changes. The version moves with the flag, so that a routing under way, which
 * read the load before, fails its check and chooses again.
 */
async function loadUpdates(table: Table, changes: readonly PlannedChange[]): Promise<Map<string, Write>> {
  const touched = changes.filter(({ kind }) => kind === 'members');
  const updates = new Map<string, Write>();
  for (const { id, entity } of touched) {
    const disabled = (entity?.data as { enabled: boolean } | undefined)?.enabled !== true;
    const key = memberLoad(id);
    const row = await table.get(key, { consistent: true });
    if (disabled !== (row?.['disabled'] ?? false)) {
      updates.set(id, { update: key, set: { disabled, schemaVersion: 1 }, add: { version: 1 } });
    }
  }
  return updates;
}

/** Each location has a weekly report on the due index; one whose time is set already keeps it. */
async function keepReports(
  table: Table,
  practice: Practice,
  changes: readonly PlannedChange[],
  now: Date,
): Promise<void> {
  for (const location of practice.locations) {
    const report = { locationId: location.id, version: 0, nextAt: nextReportAt(now, location) };
    await table.write({ put: weeklyReportRow(report), when: absent });
  }
  for (const { kind, id, change } of changes) {
    if (kind === 'locations' && change === 'remove') await table.write({ remove: weeklyReport(id) });
  }
}
