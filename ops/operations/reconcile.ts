/** `reconcile`: where what is kept twice disagrees, and mends it. */
import { parseArgs } from 'node:util';
import { createHybridClock, keepingTime } from '../../shared/data/hybrid-clock.ts';
import { type Finding, type Reconciled, reconcile as reconcileAll } from '../../shared/data/reconcile.ts';
import { scan } from '../rows.ts';
import { onSystem, type System, settle } from '../system.ts';
import { count, createProgress, layOut } from '../terminal.ts';

const mostShown = 100;

const inWords: Readonly<Record<Finding['kind'], string>> = {
  unreadable: 'cannot be read',
  incomplete: 'is missing',
  index: 'index attributes are not those of its state',
  placement: 'how far it is, and who has it, do not agree',
  step: 'its next step would not be asked for',
  clock: 'nobody would be reminded of it',
  score: 'its score is not that of the decision',
  timeline: 'its state is not what its timeline tells',
  load: 'work is miscounted',
};

/** Goes through everything of a system, saying how far it is. */
export function reconcileSystem(system: System, repair: boolean): Promise<Reconciled> {
  const progress = {
    inquiries: createProgress('Inquiries looked at'),
    people: createProgress('People looked at'),
  };
  // What is mended has a time, as whatever functions write.
  const clock = createHybridClock(() => Date.now());
  return reconcileAll({
    table: keepingTime(system.table, clock),
    pages: scan(system),
    repair,
    now: clock.now,
    settle,
    onProgress: (what, done) => progress[what](done),
  });
}

export async function reconcile(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { repair: { type: 'boolean', default: false } } });
  const { inquiries, people, findings } = await onSystem((system) => reconcileSystem(system, values.repair));
  const shown = findings.slice(0, mostShown);
  if (shown.length > 0) {
    const rows = shown.map(({ kind, about, what, mended }) => [
      about,
      mended ? 'mended' : 'stands',
      `${inWords[kind]} (${what})`,
    ]);
    console.log(layOut(['about', 'now', 'what'], rows));
    if (shown.length < findings.length) console.log(`… and ${findings.length - shown.length} more`);
    console.log('');
  }
  const looked = `${inquiries} ${inquiries === 1 ? 'inquiry' : 'inquiries'} of ${people} ${people === 1 ? 'person' : 'people'} looked at`;
  const left = findings.filter(({ mended }) => !mended).length;
  const mended = findings.length - left;
  console.log(
    `${looked}: ${count(findings.length, 'difference')}${mended > 0 ? `, ${mended} mended` : ''}${mended > 0 && left > 0 ? `, ${left} left` : ''}.`,
  );
  if (left === 0) return;
  process.exitCode = 1;
  console.log(
    values.repair
      ? 'What is left needs somebody to decide: docs/runbooks/reconcile.md'
      : 'Mend what can be: npm run ops -- reconcile --repair',
  );
}
