/**
 * Goes through all inquiries and finds where what is kept twice disagrees: index attributes, how far an
 * inquiry is and who has it, its score, its timeline, the work that is counted of members and pools. Mends
 * it by conditional writes, so that it may run beside everything else: what is changed in between is looked
 * at again, and what is only on its way is not taken for wrong.
 */
import * as z from 'zod';
import { alertSchema } from '../domain/alert.ts';
import { loadChange } from '../domain/inquiry/load.ts';
import { mended } from '../domain/inquiry/mend.ts';
import { type Inquiry, isOpen } from '../domain/inquiry/state.ts';
import { withStep } from '../domain/inquiry/step.ts';
import { enrolmentSchema } from '../domain/messages/nurture.ts';
import { messageRecordSchema } from '../domain/messages/record.ts';
import { noticeSchema } from '../domain/notice.ts';
import type { Difference } from '../domain/rebuild.ts';
import { indexKeys } from './dynamo-table.ts';
import {
  alertRow,
  bodyRow,
  bodySchema,
  createInquiries,
  headRow,
  parseHead,
  scoredSchema,
  storedScoreRow,
} from './inquiries.ts';
import {
  inquiryPk,
  inquirySk,
  memberLoad,
  poolRotation,
  queueOfMember,
  queueOfPool,
  routingPk,
} from './keys.ts';
import { enrolmentRow, messageRow } from './messages.ts';
import { noticeRow } from './notices.ts';
import { type Clause, type Condition, queryAll, type Row, type Table } from './table.ts';
import { numberOfScore } from './timeline.ts';
import { standing, type Verified, verifyContact } from './verify.ts';

/** Something that disagrees. */
export interface Finding {
  /**
   * - `unreadable`: an item is not what it can be
   * - `incomplete`: an item is missing
   * - `index`: an item's index attributes are not those of its state
   * - `placement`, `step`, `clock`, `score`: see `mended` of the inquiry
   * - `timeline`: the state is not what the timeline tells
   * - `load`: what is counted of a member or a pool is not what they have
   */
  readonly kind:
    | 'unreadable'
    | 'incomplete'
    | 'index'
    | 'placement'
    | 'step'
    | 'clock'
    | 'score'
    | 'timeline'
    | 'load';
  /** Whose: an id. */
  readonly about: string;
  /** Which items, attributes or counters; never a value that somebody wrote. */
  readonly what: string;
  /** Whether it is as it should be by now. */
  readonly mended: boolean;
}

export interface Reconciled {
  readonly inquiries: number;
  readonly people: number;
  readonly findings: readonly Finding[];
}

export interface ReconcileOptions {
  readonly table: Table;
  /** Every row of the table, page by page: rows of one partition follow each other. */
  readonly pages: AsyncIterable<readonly Row[]>;
  /** Whether what is found is mended. */
  readonly repair: boolean;
  readonly now: () => Date;
  /** Waits until indexes have caught up with what was written. */
  readonly settle: () => Promise<void>;
  readonly onProgress?: (what: 'inquiries' | 'people', done: number) => void;
}

/** What is on its way differs for a moment; what still does after so many looks is wrong. */
const looks = 3;
/** Others may change the same item this often before it is left to the next run. */
const mostAttempts = 5;
const peopleAtOnce = 10;
/** People of whom something differs that are waited for together. */
const mostWaitedFor = 500;

const indexAttributes = Object.values(indexKeys).flatMap(({ pk, sk }) => [pk, sk]);
const inquiryPrefix = inquiryPk('');
const idOf = ({ pk }: Row): string => pk.slice(inquiryPrefix.length);

/** The index attributes that a row has and should not, or the other way round; undefined where one is to go. */
function staleAttributes(row: Row, wanted: Row): Record<string, unknown> | undefined {
  const stale = indexAttributes.filter((name) => row[name] !== wanted[name]);
  return stale.length === 0 ? undefined : Object.fromEntries(stale.map((name) => [name, wanted[name]]));
}

/** What an item of an inquiry is when it is written; undefined where none of its attributes is an index's. */
function rewritten(row: Row, head: Inquiry): Row | undefined {
  const { sk } = row;
  if (sk === inquirySk.head) return headRow(head);
  if (sk === inquirySk.body) return bodyRow(bodySchema.parse(row));
  if (sk === inquirySk.alert) return alertRow(alertSchema.parse(row));
  if (sk.startsWith(inquirySk.notice(''))) return noticeRow(noticeSchema.parse(row));
  if (sk.startsWith(inquirySk.message(''))) return messageRow(messageRecordSchema.parse(row));
  if (sk.startsWith(inquirySk.nurture(''))) return enrolmentRow(enrolmentSchema.parse(row));
  if (isScore(row)) return storedScoreRow(scoredSchema.parse(row), head.contactId, numberOfScore(sk));
  return undefined;
}

const isScore = ({ sk }: Row): boolean => sk > inquirySk.score(0) && sk < inquirySk.scoresEnd;

interface Stale {
  readonly row: Row;
  readonly set: Readonly<Record<string, unknown>>;
}

/** What one look at everything of an inquiry finds. */
interface Looked {
  readonly head?: Inquiry;
  readonly next?: Inquiry;
  readonly stale: readonly Stale[];
  readonly findings: readonly Omit<Finding, 'mended'>[];
}

const fieldsOf = ({ issues }: z.ZodError): string =>
  [...new Set(issues.map(({ path }) => String(path[0] ?? 'the item')))].join(', ');

function lookAt(rows: readonly Row[], now: Date): Looked {
  const [first] = rows;
  const about = first ? idOf(first) : '';
  const findings: Omit<Finding, 'mended'>[] = [];
  const stale: Stale[] = [];
  /** What `read` gives, unless something is not as it can be. */
  const readable = <T>(what: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      findings.push({ kind: 'unreadable', about, what: `${what}: ${fieldsOf(error)}` });
      return undefined;
    }
  };
  const bySk = new Map(rows.map((row) => [row.sk, row]));
  const headItem = bySk.get(inquirySk.head);
  for (const sk of [inquirySk.head, inquirySk.body]) {
    if (!bySk.has(sk)) findings.push({ kind: 'incomplete', about, what: sk });
  }
  const head = headItem && readable(inquirySk.head, () => parseHead(headItem));
  if (!head) return { stale, findings };

  const newestScore = rows.filter(isScore).at(-1);
  if (head.score !== undefined && !newestScore)
    findings.push({ kind: 'incomplete', about, what: inquirySk.score(1) });
  const score = newestScore && readable(newestScore.sk, () => scoredSchema.parse(newestScore));
  const { next, faults } = mended(head, score, now);
  for (const fault of faults) findings.push({ kind: fault, about, what: inquirySk.head });
  for (const row of rows) {
    const wanted = readable(row.sk, () => rewritten(row, head));
    const set = wanted && staleAttributes(row, wanted);
    if (!set) continue;
    stale.push({ row, set });
    findings.push({ kind: 'index', about, what: `${row.sk}: ${Object.keys(set).join(', ')}` });
  }
  // A score is read twice.
  const unique = findings.filter(
    ({ kind, what }, i) => findings.findIndex((one) => one.kind === kind && one.what === what) === i,
  );
  return { head, stale, findings: unique, ...(faults.length > 0 && { next }) };
}

/** The row stands as it was read: at its version, or where it has none, with the same index attributes. */
const asRead = (row: Row, names: readonly string[]): Condition => [
  [
    ...(typeof row['version'] === 'number' ? [['version', '=', row['version']] as const] : []),
    ...names.map((name): Clause => {
      const value = row[name];
      return typeof value === 'string' ? [name, '=', value] : [name, 'absent'];
    }),
  ],
];

/** Sums for members and pools of what they have. */
function sumsOf(heads: Iterable<Inquiry>) {
  const members = new Map<string, { open: number; uncalled: number }>();
  const pools = new Map<string, number>();
  for (const head of heads) {
    // As though it came into being: everything that counts follows from the state alone.
    const nothing: Inquiry = { ...head, assignedTo: undefined, progress: 'captured' };
    const change = loadChange(nothing, head);
    for (const [id, { open, uncalled }] of change.members) {
      const so = members.get(id) ?? { open: 0, uncalled: 0 };
      members.set(id, { open: so.open + open, uncalled: so.uncalled + uncalled });
    }
    for (const [id, n] of change.pools) pools.set(id, (pools.get(id) ?? 0) + n);
  }
  return { members, pools };
}

export async function reconcile(options: ReconcileOptions): Promise<Reconciled> {
  const { table, repair, now, settle } = options;
  const inquiries = createInquiries(table);
  const findings: Finding[] = [];
  /** Open ones: what is counted of members and pools comes from them. */
  const open = new Map<string, Inquiry>();
  const people = new Set<string>();
  let seen = 0;

  const note = (head: Inquiry): void => {
    people.add(head.contactId);
    if (isOpen(head)) open.set(head.id, head);
    else open.delete(head.id);
  };

  /** Writes what one look found; true where all of it is in place. */
  async function write({ head, next, stale }: Looked): Promise<boolean> {
    if (head && next) {
      const written = await table.write(inquiries.save({ ...next, version: head.version + 1 }));
      if (!written.committed) return false;
    }
    for (const { row, set } of stale) {
      if (next && row.sk === inquirySk.head) continue;
      const when = asRead(row, Object.keys(set));
      if (!(await table.write({ update: row, set, when })).committed) return false;
    }
    return true;
  }

  async function reconcileOne(rows: readonly Row[]): Promise<void> {
    const [first] = rows;
    if (!first) return;
    let looked = lookAt(rows, now());
    for (let look = 1; look < looks && looked.findings.length > 0; look++) {
      looked = lookAt(await queryAll(table, { pk: first.pk, consistent: true }), now());
    }
    const found = looked.findings;
    if (repair) {
      for (let attempt = 1; looked.next || looked.stale.length > 0; attempt++) {
        await write(looked);
        looked = lookAt(await queryAll(table, { pk: first.pk, consistent: true }), now());
        if (attempt >= mostAttempts) break;
      }
    }
    const left = new Set(looked.findings.map(({ kind, what }) => `${kind} ${what}`));
    for (const one of found) {
      findings.push({ ...one, mended: repair && !left.has(`${one.kind} ${one.what}`) });
    }
    if (looked.head) note(looked.head);
  }

  let group: Row[] = [];
  const endGroup = async (): Promise<void> => {
    const rows = group;
    group = [];
    if (rows[0] === undefined) return;
    await reconcileOne(rows);
    seen += 1;
    options.onProgress?.('inquiries', seen);
  };
  for await (const page of options.pages) {
    for (const row of page) {
      if (group[0] && group[0].pk !== row.pk) await endGroup();
      if (row.pk.startsWith(inquiryPrefix)) group.push(row);
    }
  }
  await endGroup();
  await settle();

  await reconcileTimelines();
  await reconcileLoads();
  return { inquiries: seen, people: people.size, findings };

  async function reconcileTimelines(): Promise<void> {
    const ids = [...people];
    let differing: [contactId: string, before: Verified][] = [];
    for (let i = 0; i < ids.length; i += peopleAtOnce) {
      const few = ids.slice(i, i + peopleAtOnce);
      const verified = await Promise.all(few.map(async (id) => [id, await verify(id)] as [string, Verified]));
      differing.push(...verified.filter(([, { differences }]) => differences.length > 0));
      const isLast = i + peopleAtOnce >= ids.length;
      if (differing.length > 0 && (isLast || differing.length >= mostWaitedFor)) {
        await reconcileDiffering(differing);
        differing = [];
      }
      options.onProgress?.('people', Math.min(i + peopleAtOnce, ids.length));
    }
  }

  /** A person against their timeline; that there is no such person is what differs. */
  async function verify(contactId: string): Promise<Verified> {
    return (await verifyContact(table, contactId)) ?? nobody(contactId);
  }

  /** Looks again at those of whom something differs, once indexes have caught up with what they are compared with. */
  async function reconcileDiffering(differing: readonly (readonly [string, Verified])[]): Promise<void> {
    await settle();
    for (let i = 0; i < differing.length; i += peopleAtOnce) {
      await Promise.all(
        differing.slice(i, i + peopleAtOnce).map(async ([contactId, before]) => {
          const after = await verify(contactId);
          for (const [id, theirs] of Map.groupBy(standing(before, after), (one) => one.id)) {
            await reconcileTimeline(contactId, id, after.versions.get(id), theirs);
          }
        }),
      );
    }
  }

  /** @param version - the one that was compared; only that is written over, and what was changed is left to the next run */
  async function reconcileTimeline(
    contactId: string,
    id: string,
    version: number | undefined,
    differences: readonly Difference[],
  ): Promise<void> {
    const report = (fields: readonly string[], isMended: boolean): void => {
      if (fields.length === 0) return;
      const kind = fields.includes('unreadable') ? 'unreadable' : 'timeline';
      findings.push({ kind, about: id, what: fields.join(', '), mended: isMended });
    };
    const fields = differences.map(({ field }) => field);
    const isInquiry = differences.every(({ of }) => of === 'inquiry');
    if (!repair || !isInquiry || !fields.some((field) => field in told)) return report(fields, false);
    const head = await inquiries.findHead(id);
    if (!head || head.version !== version) return;
    const next = { ...asTold(head, differences, now()), version: head.version + 1 };
    if (!(await table.write(inquiries.save(next))).committed) return;
    note(next);
    const after = await verify(contactId);
    const isOurs = after.versions.get(id) === next.version;
    const still = isOurs ? after.differences.filter((one) => one.id === id).map(({ field }) => field) : [];
    report(
      fields.filter((field) => !still.includes(field)),
      true,
    );
    report(still, false);
  }

  async function reconcileLoads(): Promise<void> {
    const rows = await queryAll(table, { pk: routingPk, consistent: true });
    const { members, pools } = sumsOf(open.values());
    const named = (prefix: string): string[] =>
      rows.filter(({ sk }) => sk.startsWith(prefix)).map(({ sk }) => sk.slice(prefix.length));
    const bySk = new Map(rows.map((row) => [row.sk, row]));
    for (const id of new Set([...members.keys(), ...named(memberLoad('').sk)])) {
      const counted = members.get(id) ?? { open: 0, uncalled: 0 };
      const row = bySk.get(memberLoad(id).sk);
      if (differing(row, counted).length > 0) await reconcileLoad(id);
    }
    for (const id of new Set([...pools.keys(), ...named(poolRotation('').sk)])) {
      const counted = { waiting: pools.get(id) ?? 0 };
      const row = bySk.get(poolRotation(id).sk);
      if (differing(row, counted).length > 0) await reconcilePool(id);
    }
  }

  /** Open inquiries of a queue as they are at this moment: those that were seen, and those that the index lists. */
  async function inQueue(queue: string, isOf: (head: Inquiry) => boolean): Promise<Inquiry[]> {
    const listed = await queryAll(table, { index: 'queue', pk: queue });
    const ids = new Set(listed.filter(({ sk }) => sk === inquirySk.head).map(idOf));
    for (const head of open.values()) if (isOf(head)) ids.add(head.id);
    const heads: Inquiry[] = [];
    const all = [...ids];
    for (let i = 0; i < all.length; i += 100) {
      // What cannot be read has been said, and counts as it last could be.
      heads.push(
        ...(await inquiries.findHeads(all.slice(i, i + 100), (id) => {
          const known = open.get(id);
          if (known) heads.push(known);
        })),
      );
    }
    return heads;
  }

  /**
   * Counts anew what somebody has, once nothing of it has changed for as long as indexes take; each change
   * of it raises its version, and so what is written is what was counted, or is refused.
   */
  async function reconcileLoad(id: string): Promise<void> {
    const key = memberLoad(id);
    let fields: string[] = [];
    for (let attempt = 1; attempt <= mostAttempts; attempt++) {
      const before = await table.get(key, { consistent: true });
      await settle();
      const heads = await inQueue(queueOfMember(id), ({ assignedTo }) => assignedTo === id);
      const counted = sumsOf(heads).members.get(id) ?? { open: 0, uncalled: 0 };
      const row = await table.get(key, { consistent: true });
      if (row?.['version'] !== before?.['version']) continue;
      fields = differing(row, counted);
      if (fields.length === 0) return;
      if (!repair) break;
      const version = row?.['version'];
      const written = await table.write({
        update: key,
        set: { ...counted, schemaVersion: 1 },
        add: { version: 1 },
        when: [[typeof version === 'number' ? ['version', '=', version] : ['version', 'absent']]],
      });
      if (written.committed)
        return void findings.push({ kind: 'load', about: id, what: fields.join(', '), mended: true });
    }
    if (fields.length > 0) findings.push({ kind: 'load', about: id, what: fields.join(', '), mended: false });
  }

  /** As for a member; a pool's count has no version, and is written only over the number that was read. */
  async function reconcilePool(id: string): Promise<void> {
    const key = poolRotation(id);
    let isDifferent = false;
    for (let attempt = 1; attempt <= mostAttempts; attempt++) {
      const before = await table.get(key, { consistent: true });
      await settle();
      const heads = await inQueue(
        queueOfPool(id),
        (head) => head.progress === 'waiting' && head.poolId === id,
      );
      const counted = { waiting: sumsOf(heads).pools.get(id) ?? 0 };
      const row = await table.get(key, { consistent: true });
      const stands = row?.['waiting'];
      if (stands !== before?.['waiting']) continue;
      isDifferent = differing(row, counted).length > 0;
      if (!isDifferent) return;
      if (!repair) break;
      const written = await table.write({
        update: key,
        set: counted,
        // More wait than were counted: that all of them were looked at may never have been so.
        ...(Number(stands ?? 0) < counted.waiting && {
          set: { ...counted, lookedWith: undefined },
          add: { news: 1 },
        }),
        when: [[typeof stands === 'number' ? ['waiting', '=', stands] : ['waiting', 'absent']]],
      });
      if (written.committed)
        return void findings.push({ kind: 'load', about: id, what: 'waiting', mended: true });
    }
    if (isDifferent) findings.push({ kind: 'load', about: id, what: 'waiting', mended: false });
  }
}

/** Counters that are not what was counted. */
const differing = (row: Row | undefined, counted: Readonly<Record<string, number>>): string[] =>
  Object.keys(counted).filter((name) => (row?.[name] ?? 0) !== counted[name]);

/** What is found of a contact that is not there. */
const nobody = (contactId: string): Verified => ({
  contactIds: [contactId],
  inquiries: 0,
  entries: 0,
  differences: [{ of: 'contact', id: contactId, field: 'missing', rebuilt: true, stored: false }],
  versions: new Map(),
});

/** What of a state its timeline decides: of the others, those who work with it have to. */
const told = {
  stage: true,
  closeReason: true,
  score: true,
  tier: true,
  redFlag: true,
  firstContactedAt: true,
  attempts: true,
  visits: true,
} as const satisfies Partial<Record<keyof Inquiry, true>>;

/** The state as the timeline tells it, on the clock just where it is open. */
function asTold(head: Inquiry, differences: readonly Difference[], now: Date): Inquiry {
  const said = Object.fromEntries(
    differences.filter(({ field }) => field in told).map(({ field, rebuilt }) => [field, rebuilt]),
  );
  const next: Inquiry = { ...head, ...said };
  if (isOpen(next)) return mended(next, undefined, now).next;
  const { hold: _hold, calling: _calling, attempts: _made, ...rest } = next;
  return withStep({ ...rest, timers: {} }, now);
}
