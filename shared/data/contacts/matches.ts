/** Who may be the same person as whom: suggested with reasons, decided by a human. */
import * as z from 'zod';
import { type MatchKind, type MatchReason, matchKind, matchReasons } from '../../domain/matching.ts';
import { boardOfMatches, byTime, contactMatch } from '../keys.ts';
import { absent, type Row, type Table, type Write } from '../table.ts';
import { afterKind, bothWays, type Done, schemaVersion } from './rows.ts';

const matchStates = ['open', 'different', 'merged'] as const;
export type MatchState = (typeof matchStates)[number];
const matchSchema = z.lazy(() =>
  z.object({
    pk: z.string(),
    sk: z.string(),
    reasons: z.array(z.enum(matchReasons)),
    state: z.enum(matchStates),
    suggestedAt: z.iso.datetime(),
  }),
);

/** Another contact who may be the same person, as seen from one of the two. */
export interface Match {
  readonly contactId: string;
  readonly kind: MatchKind;
  readonly reasons: readonly MatchReason[];
  readonly state: MatchState;
  readonly suggestedAt: string;
}

/** A suggested match as the list for review shows it. */
export interface SuggestedMatch extends Omit<Match, 'contactId'> {
  readonly contactIds: readonly [string, string];
}

export interface MatchPage {
  readonly matches: readonly SuggestedMatch[];
  /** Where the next page starts; absent on the last. */
  readonly next?: Record<string, unknown>;
}

export function parseMatch(row: Row): Match {
  const { sk, reasons, state, suggestedAt } = matchSchema.parse(row);
  return { contactId: afterKind(sk), kind: matchKind(reasons), reasons, state, suggestedAt };
}

/** Of the two copies of a match, the one that is on the list for review. */
const isListed = (contactId: string, otherId: string): boolean => contactId < otherId;
const listing = (state: MatchState, at: string, contactId: string, otherId: string) =>
  isListed(contactId, otherId) && {
    boardPk: boardOfMatches(state === 'open' ? 'open' : 'decided'),
    boardSk: byTime(at, `${contactId}#${otherId}`),
  };

export function createMatches(table: Table) {
  return {
    /**
     * Suggests that two contacts may be the same person; refused where that was
     * suggested before, so that what is decided never comes back. In one
     * transaction: each of the two has a copy.
     */
    suggest: (a: string, b: string, reasons: readonly MatchReason[], now: Date): Write[] =>
      bothWays(a, b).map(([id, otherId]) => ({
        put: {
          ...contactMatch(id, otherId),
          reasons: [...reasons],
          state: 'open',
          suggestedAt: now.toISOString(),
          ...listing('open', now.toISOString(), id, otherId),
          schemaVersion,
        },
        when: absent,
      })),

    /** Decides a suggested match, or opens it again; refused where there is none, or it stands so already. */
    decideMatch: (a: string, b: string, state: MatchState, { by, now }: Done): Write[] =>
      bothWays(a, b).map(([id, otherId]) => ({
        update: contactMatch(id, otherId),
        set: {
          state,
          decidedBy: by,
          decidedAt: now.toISOString(),
          ...listing(state, now.toISOString(), id, otherId),
        },
        when: [
          [
            ['pk', 'present'],
            ['state', '<>', state],
          ],
        ],
      })),

    /** One page of the matches that wait for a human, newest first; may be short with a next one. */
    async openMatches(limit: number, after?: Record<string, unknown>): Promise<MatchPage> {
      const { rows: listed, next } = await table.query({
        index: 'board',
        pk: boardOfMatches('open'),
        limit,
        newestFirst: true,
        ...(after && { after }),
      });
      const rows = await table.batchGet(listed);
      const matches = rows
        .map((row) => {
          const { contactId, ...match } = parseMatch(row);
          return { contactIds: [afterKind(row.pk), contactId] as const, ...match };
        })
        // The index may lag behind a decision.
        .filter(({ state }) => state === 'open')
        .sort((a, b) => (a.suggestedAt < b.suggestedAt ? 1 : a.suggestedAt > b.suggestedAt ? -1 : 0));
      return { matches, ...(next && { next }) };
    },
  };
}
