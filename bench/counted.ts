/** Counts what an inquiry costs end to end: calls, units, money. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CountedCall, LocalSystem } from '../local/system.ts';
import { type Harness, startHarness, waitFor } from '../test/system/harness.ts';
import { type Ledger, openLedger, type Units } from './ledger.ts';
import { assumptions, prices } from './prices.ts';
import { formType, webForm } from './sample.ts';

/** Functions that stand between a post and its e-mail. */
const pipeline = ['capture', 'score', 'route', 'notify'];
/** How long nothing may be called for before everything counts as done; the stream is looked at each second. */
const quietMs = 1_500;
/** Inquiries on a page of a queue, few enough that each coordinator of a filled table has as many. */
const queuePageSize = 2;
/** Past this age a function looks whether its configuration has changed. */
const configurationAgeMs = 10_500;

type Entry = CountedCall & Units;

/** Calls of one kind, by operation, with their units. */
export interface Tally extends Units {
  readonly calls: number;
  readonly byOperation: Readonly<Record<string, number>>;
}

function tally(entries: readonly Entry[]): Tally {
  const byOperation: Record<string, number> = {};
  let [write, read] = [0, 0];
  for (const entry of entries) {
    const name = `${entry.functionName} ${entry.operation}`;
    byOperation[name] = (byOperation[name] ?? 0) + 1;
    write += entry.write;
    read += entry.read;
  }
  return { calls: entries.length, write, read, byOperation };
}

const isConfiguration = ({ operation, request }: Entry): boolean =>
  operation === 'Query' &&
  Object.values((request as { ExpressionAttributeValues?: object }).ExpressionAttributeValues ?? {}).some(
    (value) => value.S === 'CONFIG',
  );
const isAudit = ({ operation, request }: Entry): boolean =>
  operation === 'PutItem' &&
  String((request as { Item?: { pk?: { S?: string } } }).Item?.pk?.S).startsWith('AUDIT#');
/** Kinds of messages that ask for a mail to a person. */
const toPeople = ['acknowledgement', 'message', 'nurture'];
/** Where messages to people, and what decides about them, are kept. */
const keptForPeople = /"~MESSAGE#|"~NURTURE#|"CONSENT#|"MAILBOX#/;

/** Whether a mail goes to a person: those carry a way to get no more of them. */
const hasWayOut = (data: string): boolean =>
  Buffer.from(data, 'base64').toString('utf8').includes('List-Unsubscribe:');

/** What is done to answer the person: beside the way of the inquiry to its coordinator. */
function isForPerson({ functionName, operation, request }: Entry): boolean {
  if (operation === 'SendRawEmail') {
    return hasWayOut(String((request as Record<string, unknown>)['RawMessage.Data'] ?? ''));
  }
  if (operation === 'SendMessage') {
    const { MessageBody } = request as { MessageBody: string };
    return toPeople.includes(String((JSON.parse(MessageBody) as { kind?: string }).kind));
  }
  if (functionName !== 'notify') return false;
  // A staff mail reads nothing: its claim gives the head. Whatever notify reads of an inquiry, it reads for its person.
  return operation === 'Query' || operation === 'BatchGetItem' || keptForPeople.test(JSON.stringify(request));
}

/** What the inquiry itself needs; a look at the configuration and a cold start's secret are shared by many. */
const isOnItsWay = (entry: Entry): boolean =>
  pipeline.includes(entry.functionName) &&
  entry.service !== 'secretsmanager' &&
  !isConfiguration(entry) &&
  !isForPerson(entry);

/**
 * Whether a call names no inquiry, or this one: a second inquiry has the person's first one scored
 * again, which happens beside it.
 */
const isAbout =
  (inquiryId: string) =>
  ({ request }: Entry): boolean => {
    const named: readonly string[] = JSON.stringify(request).match(/inq_[0-9A-Z]{26}/g) ?? [];
    return named.length === 0 || named.includes(inquiryId);
  };

/** Counts of one kind of inquiry. */
export interface InquiryCount {
  /** The most AWS calls that one of them made on the way to its 202. */
  readonly callsToAnswer: number;
  /** The most from the post to the sent e-mail. */
  readonly callsToMail: number;
  /** The most units that one of them wrote and read, from post to mailed. */
  readonly writeUnits: number;
  readonly readUnits: number;
  /** One of them, call by call. */
  readonly steps: Tally;
}

export interface Counted {
  readonly inquiries: number;
  readonly newPerson: InquiryCount;
  readonly knownPerson: InquiryCount;
  /** The report function's share, for one inquiry. */
  readonly rollUps: Tally;
  /** The people function's share, for one inquiry: who else is behind its points, and what to score again. */
  readonly people: Tally;
  /** One member of staff opening one inquiry: its read, and its entry in the audit. */
  readonly staffView: Tally;
  /** One page of a person's timeline. */
  readonly timelinePage: Tally;
  /** One page of a coordinator's queue. */
  readonly queuePage: Tally;
  readonly audit: Tally;
  /** One refresh of the configuration in one function: at most every ten seconds, however many inquiries come. */
  readonly configurationRefresh: Tally;
  /** One sweep over the due index with nothing due; one each minute. */
  readonly sweep: Tally;
  /** Bytes of logs for one inquiry. */
  readonly logBytes: number;
  /** SQS calls of Lambda's pollers for one inquiry where every batch holds one message. */
  readonly pollerCalls: number;
  readonly queues: number;
  /** Memory of the pipeline's functions, in MiB, by name. */
  readonly memoryMiB: Readonly<Record<string, number>>;
}

export interface CapturedTransaction {
  /** What capture sent to DynamoDB for a new person: the floor repeats it. */
  readonly transaction: unknown;
}

/** Runs `inquiries` inquiries of new people one after the other, and then as many of the same people. */
export async function countInquiries(
  inquiries: number,
  report: (line: string) => void = () => {},
  options: { readonly home?: string; readonly emptyLedger?: boolean } = {},
): Promise<Counted & CapturedTransaction> {
  const calls: CountedCall[] = [];
  const { home, emptyLedger } = options;
  const harness = await startHarness({
    inMemory: true,
    concurrency: 1,
    onCall: (call) => calls.push(call),
    ...(home !== undefined && { home, keepHome: true }),
  });
  try {
    return await count(harness, calls, await openLedger(harness.system, emptyLedger), inquiries, report);
  } finally {
    await harness.stop();
  }
}

async function count(
  harness: Harness,
  calls: CountedCall[],
  ledger: Ledger,
  inquiries: number,
  report: (line: string) => void,
): Promise<Counted & CapturedTransaction> {
  const { system } = harness;
  await quiet(calls);
  calls.length = 0;
  const book = keepBook(ledger, calls);

  // Every function has its configuration and secrets after this one, and the day its roll-up.
  const configuredMs = performance.now();
  await toMail(harness, book, webForm(0));
  await quiet(calls);
  const first = book().length;
  const logged = logBytes(system);

  report(`counting ${inquiries} inquiries of new people, one by one`);
  const fresh: Entry[][] = [];
  for (let n = 1; n <= inquiries; n++) fresh.push(await toMail(harness, book, webForm(n)));
  report(`counting ${inquiries} inquiries of the same people`);
  const known: Entry[][] = [];
  for (let n = 1; n <= inquiries; n++) known.push(await toMail(harness, book, webForm(n, ' Again.')));
  await quiet(calls);
  const logs = logBytes(system) - logged;
  const counted = book().slice(first);
  const share = (entries: readonly Entry[]): Tally => average(tally(entries), 2 * inquiries);
  const rollUps = share(
    counted.filter((entry) => entry.functionName === 'report' && !isConfiguration(entry)),
  );

  const people = share(counted.filter((entry) => entry.functionName === 'people'));

  report('counting a look by staff, a refresh and a sweep');
  const beforeView = book().length;
  const someId = inquiryIdOf(known.at(-1) ?? []);
  const answer = await harness.get(`/v1/inquiries/${someId}`, { role: 'coordinator' });
  if (answer.status !== 200) throw new Error(`the look at an inquiry was answered by ${answer.status}`);
  const view = book().slice(beforeView);

  const { contact } = (await answer.json()) as { contact: { id: string } };
  const beforeTimeline = book().length;
  const page = await harness.get(`/v1/contacts/${contact.id}/timeline?limit=25`, { role: 'coordinator' });
  if (page.status !== 200) throw new Error(`the look at a timeline was answered by ${page.status}`);
  const timeline = book().slice(beforeTimeline);

  const beforeQueue = book().length;
  const queue = await harness.get(`/v1/queue?limit=${queuePageSize}`, { role: 'coordinator' });
  if (queue.status !== 200) throw new Error(`the look at a queue was answered by ${queue.status}`);
  const queued = book().slice(beforeQueue);

  const beforeSweep = book().length;
  await system.invoke('remind', {});
  const sweep = book()
    .slice(beforeSweep)
    .filter((entry) => entry.functionName === 'remind');

  await sleep(Math.max(0, configuredMs + configurationAgeMs - performance.now()));
  const beforeRefresh = book().length;
  await toMail(harness, book, webForm(0, ' Later.'));
  const refresh = book().slice(beforeRefresh).filter(isConfiguration);

  const memory = system.plan.functions.filter(({ shortName }) => pipeline.includes(shortName));
  const transaction = fresh[0]?.find(({ operation }) => operation === 'TransactWriteItems')?.request;
  return {
    transaction,
    inquiries,
    newPerson: summarize(fresh),
    knownPerson: summarize(known),
    rollUps,
    people,
    staffView: tally(view.filter((entry) => !isAudit(entry) && !isConfiguration(entry))),
    timelinePage: tally(timeline.filter((entry) => !isAudit(entry) && !isConfiguration(entry))),
    queuePage: tally(queued.filter((entry) => !isAudit(entry) && !isConfiguration(entry))),
    audit: tally(view.filter(isAudit)),
    configurationRefresh: tally(refresh.slice(0, 1)),
    sweep: tally(sweep.filter((entry) => !isConfiguration(entry))),
    logBytes: logs / (2 * inquiries),
    // Each message is received and deleted.
    pollerCalls: 2 * system.plan.queueSources.length,
    queues: system.plan.queueSources.length,
    memoryMiB: Object.fromEntries(memory.map(({ shortName, memoryMiB }) => [shortName, memoryMiB])),
  };
}

/** Prices the calls in the order in which they were made; gives all of them so far. */
function keepBook(ledger: Ledger, calls: readonly CountedCall[]): () => readonly Entry[] {
  const entries: Entry[] = [];
  return () => {
    for (const call of calls.slice(entries.length)) entries.push({ ...call, ...ledger.cost(call) });
    return entries;
  };
}

/** Posts an inquiry and waits until its e-mail is out and noted; gives the calls that it took. */
async function toMail(harness: Harness, book: () => readonly Entry[], body: string): Promise<Entry[]> {
  const from = book().length;
  const answer = await harness.post('/v1/inquiries', body, { headers: { 'content-type': formType } });
  if (answer.status !== 202) throw new Error(`a post was answered by ${answer.status}, not 202`);
  await waitFor('the e-mail to be noted', () => {
    const mine = book()
      .slice(from)
      .filter((entry) => !isForPerson(entry));
    const sent = mine.findIndex(({ operation }) => operation === 'SendRawEmail');
    return (
      sent >= 0 &&
      mine
        .slice(sent)
        .some(({ functionName, operation }) => functionName === 'notify' && operation === 'PutItem')
    );
  });
  const calls = book().slice(from).filter(isOnItsWay);
  return calls.filter(isAbout(inquiryIdOf(calls)));
}

function inquiryIdOf(entries: readonly Entry[]): string {
  const message = entries.find(({ operation }) => operation === 'SendMessage')?.request;
  const { inquiryId } = JSON.parse((message as { MessageBody: string }).MessageBody) as { inquiryId: string };
  return inquiryId;
}

function summarize(runs: readonly (readonly Entry[])[]): InquiryCount {
  const tallies = runs.map(tally);
  const most = (of: (tally: Tally) => number): number => Math.max(...tallies.map(of));
  const captures = runs.map((run) => run.filter(({ functionName }) => functionName === 'capture').length);
  return {
    callsToAnswer: Math.max(...captures),
    callsToMail: most(({ calls }) => calls),
    writeUnits: most(({ write }) => write),
    readUnits: most(({ read }) => read),
    steps: tallies[0] ?? tally([]),
  };
}

const average = ({ calls, write, read, byOperation }: Tally, n: number): Tally => ({
  calls: calls / n,
  write: write / n,
  read: read / n,
  byOperation: Object.fromEntries(Object.entries(byOperation).map(([name, times]) => [name, times / n])),
});

async function quiet(calls: readonly unknown[]): Promise<void> {
  for (let seen = -1; seen !== calls.length; ) {
    seen = calls.length;
    await sleep(quietMs);
  }
}

const logBytes = ({ home }: LocalSystem): number =>
  [...pipeline, 'report', 'people'].reduce(
    (total, name) => total + fileBytes(join(home, 'logs', `${name}.log`)),
    0,
  );

function fileBytes(path: string): number {
  try {
    return readFileSync(path).length;
  } catch {
    return 0;
  }
}

/** What 1,000 inquiries cost, in USD. */
export interface Cost {
  /** From post to e-mail. */
  readonly newPeople: Readonly<Record<string, number>>;
  readonly knownPeople: Readonly<Record<string, number>>;
  /** Beside them, for the same 1,000 inquiries. */
  readonly apart: Readonly<Record<string, number>>;
  /** What a month of 30 days costs with no inquiry at all. */
  readonly idleMonth: Readonly<Record<string, number>>;
}

/** @param cpuMs - processor time of each function for one inquiry, in milliseconds */
export function costOf(counted: Counted, cpuMs: Readonly<Record<string, number>>): Cost {
  const { memoryMiB } = counted;
  const units = ({ write, read }: Units): number =>
    write * prices.dynamoDbWriteUnit + read * prices.dynamoDbReadUnit;
  /** Seconds of a function, waiting and working, times its memory. */
  const gbSeconds = (name: string, calls: number): number => {
    const memory = memoryMiB[name] ?? 512;
    const workMs = (cpuMs[name] ?? 0) * Math.max(1, assumptions.mebibytesPerProcessor / memory);
    return ((workMs + calls * assumptions.millisecondsPerCall) / 1000) * (memory / 1024);
  };
  const callsOf = ({ byOperation }: Tally, name: string): number =>
    Object.entries(byOperation).reduce((n, [key, times]) => n + (key.startsWith(`${name} `) ? times : 0), 0);

  const inquiry = ({ writeUnits, readUnits, steps }: InquiryCount): Record<string, number> =>
    perThousand({
      apiGateway: prices.apiGatewayRestRequest,
      waf: prices.wafRequest,
      lambda: pipeline.reduce(
        (usd, name) =>
          usd + prices.lambdaRequest + prices.lambdaGbSecond * gbSeconds(name, callsOf(steps, name)),
        0,
      ),
      dynamoDb: units({ write: writeUnits, read: readUnits }),
      sqs: prices.sqsRequest * (steps.calls - callsTo(steps, /(Item|Items|Query|Email)$/)),
      ses: prices.sesMail,
    });
  const perMonth = 30 * 24 * 60;
  return {
    newPeople: inquiry(counted.newPerson),
    knownPeople: inquiry(counted.knownPerson),
    apart: perThousand({
      pollers: prices.sqsRequest * counted.pollerCalls,
      rollUps:
        units(counted.rollUps) +
        prices.lambdaRequest +
        prices.lambdaGbSecond * gbSeconds('report', counted.rollUps.calls),
      people:
        units(counted.people) +
        prices.lambdaRequest +
        prices.lambdaGbSecond * gbSeconds('people', counted.people.calls),
      audit: units(counted.audit),
      logs: (prices.logsIngestedGb * counted.logBytes) / 1e9,
      traces: prices.xrayTraceRecorded * pipeline.length,
    }),
    idleMonth: withTotal({
      pollers: prices.sqsRequest * assumptions.idlePollsPerQueueAndMinute * counted.queues * perMonth,
      sweeps:
        perMonth *
        (units(counted.sweep) +
          prices.lambdaRequest +
          prices.lambdaGbSecond * gbSeconds('remind', counted.sweep.calls)),
      configuration: perMonth * units(counted.configurationRefresh),
    }),
  };
}

const callsTo = ({ byOperation }: Tally, pattern: RegExp): number =>
  Object.entries(byOperation).reduce((n, [key, times]) => n + (pattern.test(key) ? times : 0), 0);

const withTotal = (parts: Record<string, number>): Record<string, number> => ({
  ...parts,
  total: Object.values(parts).reduce((total, n) => total + n, 0),
});

const perThousand = (parts: Record<string, number>): Record<string, number> =>
  withTotal(Object.fromEntries(Object.entries(parts).map(([name, usd]) => [name, usd * 1_000])));
