/** Who is whose guardian: a row with each of the two. */
import { contactRelation } from '../keys.ts';
import type { Write } from '../table.ts';
import { absentOrUndone, bothWays, type Done, notUndone, schemaVersion } from './rows.ts';

const relation = (guardianId: string, wardId: string) =>
  [
    { key: contactRelation(guardianId, wardId), relation: 'guardian_of' },
    { key: contactRelation(wardId, guardianId), relation: 'ward_of' },
  ] as const;

export const relationWrites = {
  /** Notes who is whose guardian; refused where it is noted already. */
  relate: (guardianId: string, wardId: string): Write[] =>
    relation(guardianId, wardId).map(({ key, relation: is }) => ({
      put: { ...key, relation: is, schemaVersion },
      when: absentOrUndone,
    })),

  /**
   * Notes who wrote for whom, where nothing was ever said of the two: a relation that
   * stands, whichever way, and one that staff took back stay as they are. No condition,
   * so that an inquiry need not ask before.
   */
  noteGuardian: (guardianId: string, wardId: string): Write[] =>
    relation(guardianId, wardId).map(({ key, relation: is }) => ({
      update: key,
      setIfAbsent: { relation: is, schemaVersion },
    })),

  /** Takes a relation back, whichever of the two is the guardian. */
  unrelate: (a: string, b: string, { by, now }: Done): Write[] =>
    bothWays(a, b).map(([id, otherId]) => ({
      update: contactRelation(id, otherId),
      set: { undoneAt: now.toISOString(), undoneBy: by },
      when: notUndone,
    })),
};
