/** `dlq list`, `show`, `redrive`: work that failed again and again, why, and again from the start. */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ConfigurationMissing, readConfiguration } from '../../shared/data/configuration.ts';
import { createFailures, type Failure } from '../../shared/data/failures.ts';
import { askToFollow, mayBeFollowedIn } from '../../shared/data/follow-again.ts';
import { recountFigures } from '../../shared/data/recount.ts';
import {
  type DeadLetters,
  deadLetterQueues,
  depthOf,
  discard,
  giveBack,
  type Letter,
  lookAt,
  sendAgain,
  takeLetters,
} from '../dead-letters.ts';
import { statesOf } from '../inquiry-states.ts';
import { positionOf, readLetter, type Told } from '../read-letter.ts';
import { scan } from '../rows.ts';
import { onSystem, type System } from '../system.ts';
import { count, createProgress, layOut, Refusal } from '../terminal.ts';
import { overdue } from './backup.ts';

/** Letters that are looked at for the oldest, or shown, at the most. */
const mostLookedAt = 1_000;
const mostShown = 50;

/** So many letters of an id tell it from the others, nearly always. */
const shortId = (id: string): string => id.slice(0, 8);

/** @throws Refusal where there is no such queue */
function named(name: string | undefined): DeadLetters {
  const found = deadLetterQueues.find((queue) => queue.name === name);
  if (found) return found;
  const names = deadLetterQueues.map((queue) => queue.name).join(', ');
  throw new Refusal(name === undefined ? `Give a queue: ${names}` : `There is no queue ${name}: ${names}`);
}

function ago(at: Date): string {
  const minutes = Math.max(0, Math.round((Date.now() - at.getTime()) / 60_000));
  if (minutes < 120) return `${minutes} min ago`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h ago` : `${Math.round(minutes / 1_440)} days ago`;
}

async function list(): Promise<void> {
  await onSystem(async ({ sqs, urlOf }) => {
    const rows = await Promise.all(
      deadLetterQueues.map(async ({ name, queue, means }) => {
        const url = await urlOf(queue);
        const letters = await depthOf(sqs, url);
        if (letters === 0) return { row: [name, '0', '-', '-'], letters };
        const seen = await lookAt(sqs, url, mostLookedAt);
        const oldest = seen.map(({ sentAt }) => sentAt).sort((a, b) => a.getTime() - b.getTime())[0];
        return { row: [name, String(letters), oldest ? ago(oldest) : '-', means], letters };
      }),
    );
    console.log(
      layOut(
        ['queue', 'letters', 'oldest', 'what it means'],
        rows.map(({ row }) => row),
      ),
    );
    const all = rows.reduce((sum, { letters }) => sum + letters, 0);
    console.log(
      all === 0
        ? '\nNothing has been given up.'
        : '\nWhy: npm run ops -- dlq show <queue>. Once that is mended: npm run ops -- dlq redrive <queue> --all',
    );
  });
}

/** Why it failed, as far as anybody knows. */
function why({ condition }: Told, failure: Failure | undefined): string {
  if (failure) {
    const fields = failure.fields ? ` (${failure.fields.join(', ')})` : '';
    return `${failure.code}${fields}, ${failure.times} times`;
  }
  return condition ?? 'left no word: cut off, or the table was away';
}

async function show(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { all: { type: 'boolean', default: false } },
  });
  const queue = named(positionals[0]);
  await onSystem(async ({ sqs, table, urlOf }) => {
    const letters = await lookAt(sqs, await urlOf(queue.queue), mostLookedAt);
    if (letters.length === 0) return console.log(`Nothing lies in ${queue.name}.`);
    const shown = letters
      .sort((a, b) => a.sentAt.getTime() - b.sentAt.getTime())
      .slice(0, values.all ? undefined : mostShown);
    const told = shown.map((letter) => readLetter(queue, letter));
    const failures = await createFailures(table).findAll(told.map(({ noted }) => noted));
    const states = await statesOf(
      table,
      told.flatMap(({ inquiryId }) => inquiryId ?? []),
    );
    const rows = told.map((one, i) => {
      const failure = failures.get(one.noted);
      const { id = '', sentAt = new Date(0) } = shown[i] ?? {};
      const now = one.inquiryId === undefined ? undefined : states.get(one.inquiryId);
      return [
        shortId(id),
        sentAt.toISOString().slice(0, 16).replace('T', ' '),
        [failure?.about ?? one.about, `why: ${why(one, failure)}`, ...(now ? [`now: ${now}`] : [])].join(
          '; ',
        ),
      ];
    });
    console.log(layOut(['id', 'since (UTC)', 'about'], rows));
    if (shown.length < letters.length) console.log(`… and ${letters.length - shown.length} more: --all`);
    console.log(`\nThe log of ${queue.of} has each failure under the same ids. ${nextStep(queue)}`);
  });
}

const nextStep = ({ name, holds }: DeadLetters): string =>
  name === 'feedback'
    ? 'What to do: docs/runbooks/dead-letters.md'
    : `Once that is mended: npm run ops -- dlq redrive ${name} --all${holds === 'message' ? ', or with ids' : ''}`;

/** Which letters: all of them, or those whose ids begin like this. */
function chooserOf(ids: readonly string[], all: boolean): (letter: Letter) => boolean {
  if (all === ids.length > 0) throw new Refusal('Give the ids that show prints, or --all.');
  return all ? () => true : ({ id }) => ids.some((given) => id.startsWith(given));
}

async function redriveMessages(
  { sqs, urlOf }: System,
  queue: DeadLetters,
  source: string,
  isChosen: (letter: Letter) => boolean,
): Promise<number> {
  const [from, to] = await Promise.all([urlOf(queue.queue), urlOf(source)]);
  const progress = createProgress(`Sent again to ${queue.of}`);
  return await sendAgain(sqs, { from, to }, isChosen, progress);
}

/** What has to be done in place of sending a letter again; gives what was done, in words. */
const seenTo: Readonly<Record<string, (system: System, letters: readonly Letter[]) => Promise<string>>> = {
  async figures({ table, ...system }) {
    const found = await readConfiguration(table);
    if (!found) throw new ConfigurationMissing();
    const read = () => scan(system);
    const done = await recountFigures({ table, practice: found.practice, read, now: () => new Date() });
    if (done.busy.length > 0) {
      throw new Refusal(
        `${count(done.busy.length, 'day')} of the reports had something counted meanwhile: do it once more, at a quiet hour.`,
      );
    }
    return `Counted ${count(done.days, 'day')} of the reports anew from their inquiries: ${done.corrected.length} corrected.`;
  },

  async people({ table, ...system }, letters) {
    const windows = letters.map(windowOf);
    let asked = 0;
    for await (const page of scan(system)) {
      for (const row of page.filter((one) => windows.some((window) => mayBeFollowedIn(one, window)))) {
        await table.write(askToFollow(randomUUID(), row, new Date()));
        asked += 1;
      }
    }
    return `Asked people to follow ${count(asked, 'row')} again: all that came new about then.`;
  },

  async sweeps({ table }) {
    const left = await overdue(table, new Date(Date.now() - twoSweepsMs));
    if (left > 0) {
      throw new Refusal(
        `${left} entries are due for more than two minutes, and no sweep takes them: see the log of remind. The letters stay.`,
      );
    }
    return 'Nothing is overdue: later sweeps have taken what these missed.';
  },

  async feedback() {
    throw new Refusal(
      'These are events for a function, not messages of a queue: docs/runbooks/dead-letters.md says how it is called with them.',
    );
  },
};

const twoSweepsMs = 120_000;
const secondsMs = 1_000;

/** When the rows of a letter came into being: shortly before the stream had them, whose times are whole seconds. */
function windowOf(letter: Letter): { readonly from: Date; readonly to: Date } {
  const position = positionOf(letter);
  // Without a time in it: records are kept for a day before they are given up.
  const from = position?.from ?? new Date(letter.sentAt.getTime() - 86_400_000);
  const to = position?.to ?? letter.sentAt;
  return { from: new Date(from.getTime() - 10 * secondsMs), to: new Date(to.getTime() + 2 * secondsMs) };
}

/** Does what is to be done for all letters, and only then takes out those that were there. */
async function seeTo(system: System, queue: DeadLetters): Promise<void> {
  const { sqs } = system;
  const url = await system.urlOf(queue.queue);
  const letters: Letter[] = [];
  let isDone = false;
  try {
    for await (const some of takeLetters(sqs, url)) letters.push(...some);
    if (letters.length === 0) return console.log(`Nothing lies in ${queue.name}.`);
    const words = await seenTo[queue.name]?.(system, letters);
    isDone = true;
    // It may have taken longer than they are ours for: whoever is back by then is looked at again.
    await discard(sqs, url, letters);
    console.log(`${words} ${count(letters.length, 'letter')} taken out.`);
  } finally {
    if (!isDone) await giveBack(sqs, url, letters);
  }
}

async function redrive(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { all: { type: 'boolean', default: false } },
  });
  const [name, ...ids] = positionals;
  const queue = named(name);
  const { source } = queue;
  const isChosen = chooserOf(ids, values.all);
  if (queue.holds !== 'message' && !values.all)
    throw new Refusal(`What lies in ${queue.name} is seen to all at once: give --all.`);
  await onSystem(async (system) => {
    if (source === undefined) return await seeTo(system, queue);
    const sent = await redriveMessages(system, queue, source, isChosen);
    console.log(`Sent ${count(sent, 'letter')} again to ${queue.of}.`);
    if (sent === 0) return;
    console.log(`What fails again is back after five tries: npm run ops -- dlq list`);
  });
}

const actions: Readonly<Record<string, (args: string[]) => Promise<void>>> = { list, show, redrive };

export async function dlq([action, ...args]: string[]): Promise<void> {
  const run = action !== undefined && Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (run === undefined)
    throw new Refusal('Say what to do: npm run ops -- dlq list, show <queue> or redrive <queue>');
  await run(args);
}
