/** `replay`: which past inquiries rules would have decided otherwise, before they are published. */
import { parseArgs } from 'node:util';
import type { Table } from '../../shared/data/table.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { type CompiledRules, compileRules, rulesOf } from '../../shared/domain/rules/compile.ts';
import {
  type ReplayChange,
  type ReplaySummary,
  replayOne,
  summarizeReplay,
} from '../../shared/domain/rules/replay.ts';
import { openRules } from '../files.ts';
import { createPastReader, mapAFew, newestIds } from '../past-inquiries.ts';
import { onPractice } from '../system.ts';
import { createProgress, layOut, Refusal } from '../terminal.ts';

/** The most inquiries that one replay looks at. */
const mostInquiries = 10_000;
/** The most changes that are shown unless all are asked for. */
const mostShown = 50;

/** Replays the newest inquiries; reads them in pages and writes nothing. */
async function replayNewest(
  table: Table,
  practice: Practice,
  candidate: CompiledRules,
  last: number,
): Promise<{ changes: ReplayChange[]; looked: number; unscored: number }> {
  const { find } = createPastReader(table, candidate, rulesOf(practice));
  const progress = createProgress('Inquiries replayed');
  const changes: ReplayChange[] = [];
  let looked = 0;
  let unscored = 0;
  for await (const ids of newestIds(table, { most: last })) {
    for (const found of await mapAFew(ids, find)) {
      if (found?.past === undefined) {
        unscored += 1;
        continue;
      }
      looked += 1;
      const change = replayOne(practice, candidate, found.past);
      if (change) changes.push(change);
    }
    progress(looked + unscored);
  }
  return { changes, looked, unscored };
}

const short = (at: string): string => at.slice(0, 16).replace('T', ' ');

/** What would change of one inquiry, in words. */
function inWords({ tier, pool, member, respondBy, stage, spam, moved }: ReplayChange): string {
  const parts = [
    tier && `tier ${tier.from} to ${tier.to}`,
    pool && `pool ${pool.from} to ${pool.to}`,
    member && `member ${member.from ?? 'nobody'} to ${member.to}`,
    respondBy && `respond by ${short(respondBy.from)} to ${short(respondBy.to)}`,
    stage && `stage ${stage.from} to ${stage.to}`,
    moved && `${short(moved.at)} at ${moved.trigger} ${moved.where}`,
    spam && (spam.to ? 'set aside as suspected spam' : 'no longer set aside as suspected spam'),
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

function summary(sums: ReplaySummary, unscored: number): string {
  const { looked, changed, byRule } = sums;
  const ways = [
    [sums.raised, 'tier up'],
    [sums.lowered, 'tier down'],
    [sums.pool, 'other pool'],
    [sums.member, 'other member'],
    [sums.earlier, 'respond-by earlier'],
    [sums.later, 'respond-by later'],
    [sums.stage, 'other stage'],
    [sums.moved, 'elsewhere after arrival'],
    [sums.spam, 'suspected spam or no longer'],
    [sums.byConfiguration, 'by a change of the configuration since, not by a rule'],
  ] as const;
  const kinds = ways.filter(([n]) => n > 0).map(([n, what]) => `  ${n} ${what}`);
  const rules = Object.entries(byRule)
    .sort(([, a], [, b]) => b - a)
    .map(([rule, n]) => `  ${n} ${rule}`);
  const left = unscored === 0 ? '' : ` (${unscored} without a score left out)`;
  return [
    `${changed} of ${looked} inquiries${left} would change; nothing was written.`,
    ...kinds,
    ...(rules.length > 0 ? ['By rule:', ...rules] : []),
  ].join('\n');
}

/** What the replay says little about: of what happened after arrival only whether it would have gone elsewhere. */
function leftOut({ rules }: CompiledRules): string | undefined {
  const later = rules.filter(({ enabled, on }) => enabled && on.some((trigger) => trigger !== 'arrival'));
  if (later.length === 0) return undefined;
  const are = later.length === 1 ? 'rule is' : 'rules are';
  return `${later.length} ${are} looked at after arrival: replayed there are moves elsewhere, but none at silence.`;
}

/** @throws Refusal where it is no number of inquiries */
function lastOf(given: string): number {
  const last = Number(given);
  if (!Number.isInteger(last) || last < 1 || last > mostInquiries)
    throw new Refusal(`--last takes a number from 1 to ${mostInquiries}, not ${given}.`);
  return last;
}

export async function replay(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rules: { type: 'string' },
      last: { type: 'string', default: '500' },
      all: { type: 'boolean', default: false },
    },
  });
  const last = lastOf(values.last);
  const file = values.rules;
  if (file === undefined)
    throw new Refusal('Give the rules: npm run practice -- replay --rules <file> [--last 500]');
  await onPractice(async (table, practice) => {
    const candidate = compileRules(openRules(file, practice));
    const { changes, looked, unscored } = await replayNewest(table, practice, candidate, last);
    const shown = values.all ? changes : changes.slice(0, mostShown);
    if (shown.length > 0) {
      const rows = shown.map((change) => [
        change.inquiryId,
        short(change.receivedAt),
        `${inWords(change)} (${change.because.join('; ')})`,
      ]);
      console.log(layOut(['inquiry', 'received (UTC)', 'would change (because)'], rows));
      if (shown.length < changes.length) console.log(`… and ${changes.length - shown.length} more: --all`);
      console.log('');
    }
    console.log(summary(summarizeReplay(changes, looked), unscored));
    const notReplayed = leftOut(candidate);
    if (notReplayed !== undefined) console.log(notReplayed);
  });
}
