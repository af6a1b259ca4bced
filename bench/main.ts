/**
 * `npm run bench`: measures the whole on this machine and prints a table, or one
 * JSON object with `--json`; progress goes to stderr. `--check` makes a missed
 * limit an exit code of 1. `--stored 1000000` fills a table with so many
 * inquiries for its counts, which takes minutes and memory; 20,000 where it is
 * left out, 0 leaves that part out.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { bundleBytes, importTimes } from './bundles.ts';
import { costOf, countInquiries } from './counted.ts';
import {
  checkCounts,
  checkRoutingTimes,
  checkRuleTimes,
  checkScale,
  checkSweep,
  checkTimes,
} from './limits.ts';
import { pricesAsOf } from './prices.ts';
import { type Figures, print } from './print.ts';
import { measureRouting } from './routing.ts';
import { measureRules } from './rules.ts';
import { countAtScale } from './scale.ts';
import { measureSweep } from './sweep.ts';
import { measureThroughput } from './throughput.ts';

const usage = `npm run bench [-- options]

  --stored <n>  inquiries in the table whose counts are compared with a small one's: 20000 unless told, 0 leaves it out
  --json        one JSON object in place of tables
  --check       exit code 1 where a limit is missed`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    json: { type: 'boolean' },
    check: { type: 'boolean' },
    stored: { type: 'string', default: '20000' },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const stored = Number(values.stored);
if (!Number.isSafeInteger(stored) || stored < 0) {
  console.error('--stored takes a number of inquiries, such as 1000000.');
  process.exit(1);
}
const startedMs = performance.now();
const report = (line: string): void => {
  process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${line}\n`);
};

report('synthesizing the stacks, where they have changed');
const bytes = await bundleBytes();
const { transaction, ...counted } = await countInquiries(8, report);
// Slices of mails are long enough for the filling and the draining of the queues not to weigh.
const throughput = await measureThroughput(
  { concurrency: 8, slices: 5, sliceMs: 2_000, mailsPerSlice: 300 },
  transaction,
  report,
);
/** What the larger table is held against. */
const fewStored = 1_000;
const scaled = stored > 0 ? await countAtScale([fewStored, stored], report) : [];
const swept = await measureSweep(10_000, report);
report('looking at 200 rules');
const rules = measureRules();
report('deciding about an inquiry in a pool of 200');
const routing = measureRouting();
const imports = await importTimes(7, report);

const figures: Figures = {
  throughput,
  counted,
  cost: costOf(counted, throughput.cpuMsPerInquiry.functions),
  bundleBytes: bytes,
  imports,
  scaled,
  rules,
  routing,
  swept,
  checks: [
    ...checkCounts(counted, bytes),
    ...checkTimes(throughput, imports),
    ...checkRuleTimes(rules),
    ...checkRoutingTimes(routing),
    ...checkSweep(swept),
    ...checkScale(scaled),
  ],
};
report('done');
if (values.json) {
  const machine = { node: process.version, processors: cpus().length, model: cpus()[0]?.model };
  console.log(JSON.stringify({ measuredAt: new Date().toISOString(), machine, pricesAsOf, ...figures }));
} else {
  console.log(print(figures));
}
// Whatever the engines left open shall not keep the command.
process.exit(values.check && figures.checks.some(({ kept }) => !kept) ? 1 : 0);
