/** What the rows of a person's partition have in common. */
import type { Condition } from '../table.ts';

export const schemaVersion = 1;

/** Who did it, and when. */
export interface Done {
  readonly by: string;
  readonly now: Date;
}

/** What follows the kind in a sort key. */
export const afterKind = (sk: string): string => sk.slice(sk.indexOf('#') + 1);

/** The pair in both orders: each of two contacts has a row that names the other. */
export const bothWays = (a: string, b: string): readonly (readonly [string, string])[] => [
  [a, b],
  [b, a],
];

/** Never there, or taken back. */
export const absentOrUndone: Condition = [[['pk', 'absent']], [['undoneAt', 'present']]];
export const notUndone: Condition = [
  [
    ['pk', 'present'],
    ['undoneAt', 'absent'],
  ],
];
