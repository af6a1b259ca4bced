/** `tiers`: cut-offs suggested from the practice's own scores, beside those in force. */
import { parseArgs } from 'node:util';
import { createInquiries } from '../../shared/data/inquiries.ts';
import type { Table } from '../../shared/data/table.ts';
import type { ScoringModel } from '../../shared/domain/practice.ts';
import { fewestScores, sharesOf, suggestCutoffs } from '../../shared/domain/tier-cutoffs.ts';
import { newestIds } from '../past-inquiries.ts';
import { onPractice } from '../system.ts';
import { count, createProgress, layOut, percent, Refusal } from '../terminal.ts';

const days = 90;
/** More inquiries than this move no cut-off any more. */
const mostInquiries = 20_000;

/** Totals of the scores of the last days, newest first. */
async function readTotals(table: Table, since: string): Promise<number[]> {
  const inquiries = createInquiries(table);
  const progress = createProgress('Inquiries read');
  const totals: number[] = [];
  let read = 0;
  for await (const ids of newestIds(table, { most: mostInquiries, since })) {
    // What waits in quarantine has no score.
    for (const { score } of await inquiries.findHeads(ids)) if (score !== undefined) totals.push(score);
    read += ids.length;
    progress(read);
  }
  return totals;
}

export async function tiers(args: string[]): Promise<void> {
  parseArgs({ args, options: {} });
  await onPractice(async (table, practice) => {
    const since = new Date(Date.now() - days * 24 * 3_600_000).toISOString();
    const totals = await readTotals(table, since);
    const suggestion = suggestCutoffs(totals);
    if (suggestion.outcome === 'too_few') {
      const found = count(suggestion.scores, 'score');
      throw new Refusal(
        `${found} in the last ${days} days: too few to suggest cut-offs from; it takes ${fewestScores}.`,
      );
    }
    const row = (name: string, cutoffs: ScoringModel['tiers']): string[] => {
      const { A, B, C } = sharesOf(totals, cutoffs);
      return [name, `${cutoffs.A}`, `${cutoffs.B}`, percent(A), percent(B), percent(C)];
    };
    const { scoring } = practice;
    console.log(`${count(suggestion.scores, 'score')} of the last ${days} days.\n`);
    console.log(
      layOut(
        ['', 'A from', 'B from', 'share of A', 'of B', 'of C'],
        [row(`in force (${scoring.version})`, scoring.tiers), row('suggested', suggestion.tiers)],
      ),
    );
    const { A, B } = suggestion.tiers;
    console.log(
      A === scoring.tiers.A && B === scoring.tiers.B
        ? '\nThe cut-offs in force are the suggested ones.'
        : `\nTo use them, give scoring: in the practice file these and a new version, and apply it:\n  tiers: { A: ${A}, B: ${B} }`,
    );
  });
}
