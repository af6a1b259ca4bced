/**
 * `npm run bench`: measures the whole on this machine and prints a table, or one
 * JSON object with `--json`; progress goes to stderr. `--check` makes a missed
 * limit an exit code of 1.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { bundleBytes, importTimes } from './bundles.ts';
import { costOf, countInquiries } from './counted.ts';
import { checkCounts, checkTimes } from './limits.ts';
import { pricesAsOf } from './prices.ts';
import { type Figures, print } from './print.ts';
import { measureThroughput } from './throughput.ts';

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, check: { type: 'boolean' } },
});
const startedMs = performance.now();
const report = (line: string): void => {
  process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${line}\n`);
};

report('synthesizing the stacks, where they have changed');
const bytes = await bundleBytes();
const { transaction, ...counted } = await countInquiries(8, report);
const throughput = await measureThroughput(
  { concurrency: 8, slices: 5, sliceMs: 2_000, mailsPerSlice: 120 },
  transaction,
  report,
);
const imports = await importTimes(7, report);

const figures: Figures = {
  throughput,
  counted,
  cost: costOf(counted, throughput.cpuMsPerInquiry.functions),
  bundleBytes: bytes,
  imports,
  checks: [...checkCounts(counted, bytes), ...checkTimes(throughput, imports)],
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
