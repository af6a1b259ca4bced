/**
 * `npm run test:faults`: a thousand inquiries on the real engines, with faults and twenty kills.
 * docs/testing.md says how to read what it prints.
 */
import { parseArgs } from 'node:util';
import { faultKinds } from '../../simulation/faults.ts';
import { holds, kindsIn, type Outcome, runWithFaults } from './run.ts';

const { values } = parseArgs({
  options: {
    inquiries: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '20' },
    rate: { type: 'string', default: '0.1' },
    seed: { type: 'string', default: '1' },
  },
});

const row = (name: string, value: string | number): string =>
  `  ${name.padEnd(58)}${String(value).padStart(12)}`;
const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;

function print(outcome: Outcome): void {
  const { wrong } = outcome;
  const lines = [
    `${outcome.posted} inquiries on the real engines, seed ${values.seed}, ${outcome.seconds.toFixed(0)} s`,
    '',
    row('acknowledged', outcome.acknowledged),
    row('kills of the whole system', outcome.kills),
    ...kindsIn(outcome).map((kind) =>
      row(`${kind}: ${faultKinds[kind].what}`.slice(0, 57), outcome.faults[kind] ?? 0),
    ),
    '',
    row('acknowledged but absent', wrong.absent.length),
    row('stored twice', wrong.twice.length),
    row('at rest within two sweeps after the faults', percent(outcome.atRest, outcome.stored)),
    row('of them, whose mail was given up; on the clock all the same', outcome.givenUp),
    row('not at rest, or overdue', wrong.restless.length),
    row('double-assigned', wrong.doubleAssigned.length),
    row("members' counts that differ from their inquiries", wrong.miscounted.length),
    ...outcome.shares.map(({ pool, least, most }) =>
      row(`of pool ${pool}, each of five got`, `${least}-${most}`),
    ),
    row('pools beyond one more or less', wrong.unfair.length),
    row('mails', outcome.mails),
    row('mails that went out again after a crash or a fault', outcome.mailedAgain),
    row('mails that went out again without one', wrong.mailedTooOften.length),
  ];
  console.log(lines.join('\n'));
  for (const [what, list] of Object.entries(wrong))
    for (const line of list.slice(0, 20)) console.log(`${what}: ${line}`);
}

const outcome = await runWithFaults({
  seed: Number(values.seed),
  inquiries: Number(values.inquiries),
  kills: Number(values.kills),
  rate: Number(values.rate),
  report: (line) => console.error(`· ${line}`),
});
print(outcome);
process.exitCode = holds(outcome) ? 0 : 1;
