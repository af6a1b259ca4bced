/** The state that makes routing fair and keeps its bounds: a rotation per pool, a load per member. */
import * as z from 'zod';
import type { Lags } from '../domain/routing.ts';
import { memberLoad, poolRotation, routingPk } from './keys.ts';
import { atVersion, queryAll, type Table, type Write } from './table.ts';

const rotationSchema = z.object({ version: z.int(), lags: z.record(z.string(), z.number()) });
const loadSchema = z.object({
  version: z.int(),
  /** Open inquiries that are theirs. */
  open: z.int().default(0),
  disabled: z.boolean().default(false),
});
export type Load = z.infer<typeof loadSchema>;

export interface RoutingState {
  rotation(poolId: string): { readonly version: number; readonly lags: Lags };
  load(memberId: string): Load;
}

export type RoutingStates = ReturnType<typeof createRoutingStates>;

export function createRoutingStates(table: Table) {
  return {
    /** The state of all pools and members, in one read; they are as many as the practice has people. */
    async read(): Promise<RoutingState> {
      const rows = await queryAll(table, { pk: routingPk, consistent: true });
      const bySk = new Map(rows.map((row) => [row.sk, row]));
      return {
        rotation: (poolId) => {
          const row = bySk.get(poolRotation(poolId).sk);
          return row ? rotationSchema.parse(row) : { version: 0, lags: {} };
        },
        load: (memberId) => {
          const row = bySk.get(memberLoad(memberId).sk);
          return row ? loadSchema.parse(row) : { version: 0, open: 0, disabled: false };
        },
      };
    },

    saveRotation: (poolId: string, before: { readonly version: number }, lags: Lags): Write => ({
      put: { ...poolRotation(poolId), version: before.version + 1, lags, schemaVersion: 1 },
      when: atVersion(before.version),
    }),

    /** So many more open inquiries for a member, unless anything about their load changed since it was read. */
    takeOn: (memberId: string, before: Load, inquiries = 1): Write => ({
      put: {
        ...memberLoad(memberId),
        version: before.version + 1,
        open: before.open + inquiries,
        disabled: before.disabled,
        schemaVersion: 1,
      },
      when: atVersion(before.version),
    }),

    /** An open inquiry more or less for a member, whatever else happens to their load meanwhile. */
    changeOpen: (memberId: string, by: 1 | -1): Write => ({
      update: memberLoad(memberId),
      add: { open: by, version: 1 },
    }),
  };
}
