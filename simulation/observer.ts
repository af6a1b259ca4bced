/**
 * Watches a run: every committed change of an inquiry and every mail, as they happen. What must never
 * be is counted, whatever the functions say of it; what became of everything is kept for the table.
 */
import { parseHead } from '../shared/data/inquiries.ts';
import { inquiryBody, inquiryPk, inquiryScore, inquirySk, type Key } from '../shared/data/keys.ts';
import type { Row } from '../shared/data/table.ts';
import { takesInsurance } from '../shared/domain/availability.ts';
import { type Inquiry, isOpen } from '../shared/domain/inquiry/state.ts';
import type { Member, Practice } from '../shared/domain/practice.ts';
import type { Decision } from '../shared/domain/rules/decision.ts';
import { absenceOf, dateOfMember } from './duty.ts';
import type { RowChange } from './memory-table.ts';
import { minuteMs } from './minutes.ts';
import type { Person } from './people.ts';
import type { SentMail } from './world.ts';

/** What others are given meanwhile: a decision is written some moments after it is made. */
const roomToSpare = 5;

/** What must never be, each in the words of the table. */
export const checks = {
  noNextAction: 'inquiries without a next action',
  notEligible: 'assignees who were not eligible',
  overCap: 'caps exceeded',
  waitedInVain: 'inquiries that waited for more than a minute while somebody could take them',
  suppressed: 'mails to somebody suppressed',
  namesPerson: 'staff mails that name a person',
} as const;
export type Check = keyof typeof checks;

export interface Violation {
  readonly check: Check;
  readonly at: string;
  readonly about: string;
}

/** One time that somebody got an inquiry. */
export interface Assigned {
  readonly at: string;
  readonly memberId: string;
  /** The local date of the member. */
  readonly date: string;
  readonly poolId: string | undefined;
  readonly receipt: Inquiry['receipt'];
  /** Whether the ladder took it from somebody else. */
  readonly byLadder: boolean;
}

/** Everything of one inquiry that the table counts. */
export interface Followed {
  head: Inquiry;
  readonly assigned: Assigned[];
  /** Since when it waits for somebody to become eligible. */
  waitingSince?: string | undefined;
  /** Its longest wait, in milliseconds, and in which pool. */
  waited?: { readonly poolId: string | undefined; readonly ms: number } | undefined;
}

export interface Observer {
  readonly inquiries: ReadonlyMap<string, Followed>;
  readonly violations: readonly Violation[];
  /** How many changes of an inquiry were looked at. */
  readonly steps: number;
  /** Mails by kind. */
  readonly mails: ReadonlyMap<string, number>;
  onCommit(changes: readonly RowChange[]): void;
  /** Looks at what waits, and at who could take it: from time to time, since a clock may let them. */
  look(): void;
  /** Whether somebody could well have taken an inquiry: at work, with all that it asks for, and with room to spare. */
  couldTake(memberId: string, head: Inquiry, at: Date): boolean;
  /** Gives the kind of the mail. */
  onMail(sent: SentMail): string;
  /** From now on nothing may be sent to an address. */
  suppress(email: string): void;
  /** Somebody agreed to be e-mailed again. */
  allow(email: string): void;
  /** Whoever writes, and so must not be named. */
  know(people: readonly Person[]): void;
}

export function createObserver(
  practiceNow: () => Practice,
  now: () => Date,
  peek: (key: Key) => Row | undefined,
): Observer {
  const inquiries = new Map<string, Followed>();
  const violations: Violation[] = [];
  const mails = new Map<string, number>();
  const suppressed = new Set<string>();
  /** Inquiries that wait, with the time since when somebody could take them. */
  const waiting = new Map<string, string | undefined>();
  let lookedAt = '';
  /** Last names and addresses: a first name may be a member's, too. */
  const secrets = new Map<string, string>();
  let steps = 0;

  const violate = (check: Check, about: string): void => {
    violations.push({ check, at: now().toISOString(), about });
  };

  /** Open work by member, and what each was given on a day. */
  const openOf = new Map<string, number>();
  const givenOn = new Map<string, number>();
  const count = (counts: Map<string, number>, name: string, n: number): void => {
    counts.set(name, (counts.get(name) ?? 0) + n);
  };
  const ownerOf = (head: Inquiry | undefined): string | undefined =>
    head && isOpen(head) ? head.assignedTo : undefined;

  /** What an inquiry asks of whoever takes it, as it was decided with its newest score. */
  function decisionOf(inquiryId: string): Decision | undefined {
    let newest: Row | undefined;
    for (let n = 1, row = peek(inquiryScore(inquiryId, 1)); row; row = peek(inquiryScore(inquiryId, ++n)))
      newest = row;
    return newest?.['decision'] as Decision | undefined;
  }

  /** Whether a member may be given more, so many at the least, at work as they are. */
  function hasRoom(member: Member, practice: Practice, at: Date, least = 1): boolean {
    const { open, perDay } = member.caps ?? {};
    const given = (): number => givenOn.get(`${member.id} ${dateOfMember(member, practice, at)}`) ?? 0;
    return (
      (open === undefined || (openOf.get(member.id) ?? 0) + least <= open) &&
      (perDay === undefined || given() + least <= perDay)
    );
  }

  function meets(member: Member, head: Inquiry, practice: Practice): boolean {
    const decision = decisionOf(head.id);
    const { language, insurance } = decision?.needs ?? {};
    // What rules asked for after its arrival stands in for what they did on it.
    const { specialty } = head.move ?? decision ?? {};
    const pool = practice.pools.find(({ id }) => id === head.poolId);
    const isAsked = (of: Member): boolean => specialty !== undefined && !!of.specialties?.includes(specialty);
    const inPool = practice.members.filter(({ id }) => pool?.members.some((one) => one.id === id));
    return (
      inPool.includes(member) &&
      (member.locations?.includes(head.locationId) ?? true) &&
      (language === undefined ||
        (member.languages?.some((one) => one.split('-')[0] === language.split('-')[0]) ?? true)) &&
      (insurance === undefined || !member.insurances || takesInsurance(member.insurances, insurance)) &&
      (isAsked(member) || !inPool.some((one) => one.enabled && isAsked(one)))
    );
  }

  /** The language that somebody wrote in, without its region. */
  function languageOf(inquiryId: string): string | undefined {
    const fields = peek(inquiryBody(inquiryId))?.['fields'] as Record<string, unknown> | undefined;
    return typeof fields?.['language'] === 'string' ? fields['language'].split('-', 1)[0] : undefined;
  }

  /** Since when somebody could take what waits. */
  function findTakeable(practice: Practice, at: Date): void {
    const able = practice.members.filter(
      (member) => absenceOf(member, practice, at) === undefined && hasRoom(member, practice, at),
    );
    for (const [id, since] of waiting) {
      const head = inquiries.get(id)?.head;
      const isCalled = head?.calling !== undefined && head.calling.until > at.toISOString();
      const isFor = head && !isCalled && able.some((member) => meets(member, head, practice));
      waiting.set(id, isFor ? (since ?? at.toISOString()) : undefined);
    }
  }

  function checkAssignment({ head }: Followed): void {
    const practice = practiceNow();
    const member = practice.members.find(({ id }) => id === head.assignedTo);
    if (!member) {
      violate('notEligible', `${head.id}: ${head.assignedTo} is nobody`);
      return;
    }
    // By when it was decided: it is stored a moment later.
    const at = head.assignedAt === undefined ? now() : new Date(head.assignedAt);
    const absent = absenceOf(member, practice, at);
    if (absent !== undefined) violate('notEligible', `${head.id}: ${member.id} is ${absent}`);
    if (member.locations && !member.locations.includes(head.locationId))
      violate('notEligible', `${head.id}: ${member.id} does not serve ${head.locationId}`);
    const language = languageOf(head.id);
    if (language !== undefined && member.languages && !member.languages.includes(language))
      violate('notEligible', `${head.id}: ${member.id} does not speak ${language}`);
    const { open, perDay } = member.caps ?? {};
    if (open !== undefined && (openOf.get(member.id) ?? 0) > open)
      violate('overCap', `${head.id}: ${member.id} has more than ${open} open`);
    const given = givenOn.get(`${member.id} ${dateOfMember(member, practice, at)}`) ?? 0;
    if (perDay !== undefined && given > perDay)
      violate('overCap', `${head.id}: ${member.id} got more than ${perDay} today`);
  }

  /**
   * A head as it is stored: read in full where somebody got it. Else that is left to whoever works on it,
   * since many more are written than are given to anybody.
   */
  function headOf(row: Row, before: Inquiry | undefined): Inquiry {
    if (!before || row['assignedAt'] !== before.assignedAt) return parseHead(row);
    const { receipt, timers = {}, ...state } = row;
    return { ...state, id: before.id, receipt: before.receipt, timers } as unknown as Inquiry;
  }

  function onHead(row: Row): void {
    steps++;
    const known = inquiries.get(row.pk.slice(inquiryPk('').length));
    const head = headOf(row, known?.head);
    if (isOpen(head) && typeof row['dueSk'] !== 'string') violate('noNextAction', head.id);
    const followed: Followed = known ?? { head, assigned: [] };
    const before = known?.head;
    followed.head = head;
    inquiries.set(head.id, followed);
    const [had, has] = [ownerOf(before), ownerOf(head)];
    if (had !== has) {
      if (had !== undefined) count(openOf, had, -1);
      if (has !== undefined) count(openOf, has, 1);
    }

    const at = now().toISOString();
    const waits = head.progress === 'waiting' && isOpen(head);
    if (!waits) waiting.delete(head.id);
    else if (!waiting.has(head.id)) waiting.set(head.id, undefined);
    if (waits) followed.waitingSince ??= at;
    else if (followed.waitingSince !== undefined) {
      const ms = Date.parse(at) - Date.parse(followed.waitingSince);
      if (ms > (followed.waited?.ms ?? 0)) followed.waited = { poolId: before?.poolId, ms };
      followed.waitingSince = undefined;
    }
    if (head.assignedTo === undefined || head.assignedAt === before?.assignedAt) return;
    const { assignedTo: memberId, poolId, receipt } = head;
    const byLadder = (head.hadBy?.length ?? 0) > (before?.hadBy?.length ?? 0);
    const practice = practiceNow();
    const member = practice.members.find(({ id }) => id === memberId);
    const decidedAt = head.assignedAt === undefined ? now() : new Date(head.assignedAt);
    const date = member ? dateOfMember(member, practice, decidedAt) : at.slice(0, 10);
    // What a rule moves to whoever has it is not one more of theirs.
    if (memberId !== before?.assignedTo) count(givenOn, `${memberId} ${date}`, 1);
    followed.assigned.push({ at: head.assignedAt ?? at, memberId, date, poolId, receipt, byLadder });
    // Whoever decides by hand may know better than the plan.
    if (receipt?.strategy !== 'by_hand') checkAssignment(followed);
  }

  function kindOf({ asked }: SentMail): string {
    if (asked.kind !== 'inquiry') return asked.kind;
    return inquiries.get(asked.inquiryId)?.head.mailKind ?? 'inquiry';
  }

  return {
    inquiries,
    violations,
    mails,
    get steps() {
      return steps;
    },
    onCommit(changes) {
      for (const { after } of changes) if (after?.sk === inquirySk.head) onHead(after);
    },
    look() {
      if (waiting.size === 0) return;
      const [practice, at] = [practiceNow(), now()];
      // Between two minutes of the clock only a change can let somebody take it.
      const moment = `${steps} ${Math.floor(at.getTime() / minuteMs)}`;
      if (moment !== lookedAt) findTakeable(practice, at);
      lookedAt = moment;
      for (const [id, since] of waiting) {
        if (since === undefined || at.getTime() - Date.parse(since) <= minuteMs) continue;
        violate('waitedInVain', `${id} waits since ${since} for ${inquiries.get(id)?.head.poolId}`);
        // Once for each time.
        waiting.set(id, '9999');
      }
    },
    couldTake(memberId, head, at) {
      const practice = practiceNow();
      const member = practice.members.find(({ id }) => id === memberId);
      if (!member || absenceOf(member, practice, at) !== undefined) return false;
      return hasRoom(member, practice, at, roomToSpare) && meets(member, head, practice);
    },
    onMail(sent) {
      const kind = kindOf(sent);
      mails.set(kind, (mails.get(kind) ?? 0) + 1);
      const staff = new Set(practiceNow().members.map(({ email }) => email));
      for (const address of sent.to) {
        if (suppressed.has(address)) violate('suppressed', `${kind} to a suppressed address`);
      }
      if (!sent.to.some((address) => staff.has(address))) return kind;
      // Whole words: what stands in a mail is looked up, not searched for each person.
      const words = `${sent.subject} ${sent.text}`.toLowerCase().split(/[^\p{L}\p{N}@.+-]+/u);
      for (const word of words) {
        const secret = secrets.get(word.replace(/[.-]+$/, ''));
        if (secret !== undefined) violate('namesPerson', `${kind} holds a ${secret}`);
      }
      return kind;
    },
    suppress: (email) => void suppressed.add(email),
    allow: (email) => void suppressed.delete(email),
    know(people) {
      for (const { name, email, phone } of people) {
        const last = name.split(' ').at(-1);
        if (last !== undefined) secrets.set(last.toLowerCase(), 'name');
        if (email !== undefined) secrets.set(email, 'address');
        secrets.set(phone.slice(-8), 'number');
      }
    },
  };
}
