/** Looks at what a run with faults left: what is stored, and every mail that went out. */
import { parseHead } from '../../shared/data/inquiries.ts';
import { inquirySk, memberLoad } from '../../shared/data/keys.ts';
import type { Row } from '../../shared/data/table.ts';
import { type Inquiry, isOpen, mailLeaseMs } from '../../shared/domain/inquiry/state.ts';
import type { Noted } from './messages.ts';

const members = ['ana', 'ben', 'carla', 'dev', 'elena'];
/** Mails to people go to made-up addresses of their own domain. */
const isToStaff = (address: string): boolean => !address.endsWith('@example.com');

export interface Judged {
  readonly acknowledged: number;
  /** Faults by kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly mails: number;
  /** Mails that went out more than once, each after a crash or a fault. */
  readonly mailedAgain: number;
  readonly atRest: number;
  /** Of those at rest, whose mail could not be sent for minutes and was given up; the clock goes on. */
  readonly givenUp: number;
  readonly stored: number;
  /** The most and the fewest that a member got of a pool, by pool. */
  readonly shares: readonly { readonly pool: string; readonly least: number; readonly most: number }[];
  /** What must not be, each in a line. */
  readonly wrong: {
    readonly absent: readonly string[];
    readonly twice: readonly string[];
    readonly restless: readonly string[];
    readonly doubleAssigned: readonly string[];
    readonly miscounted: readonly string[];
    readonly unfair: readonly string[];
    readonly mailedTooOften: readonly string[];
  };
}

export function judge(found: {
  readonly rows: readonly Row[];
  readonly noted: readonly Noted[];
  /** Ids that senders were given. */
  readonly acknowledged: ReadonlySet<string>;
  readonly nowIso: string;
}): Judged {
  const { rows, noted, acknowledged, nowIso } = found;
  const heads = rows.filter(({ sk }) => sk === inquirySk.head).map(parseHead);
  const bodies = rows.filter(({ sk }) => sk === inquirySk.body);
  const byId = new Map(heads.map((head) => [head.id, head]));
  const stored = new Set(bodies.map(({ pk }) => pk.slice(pk.indexOf('#') + 1)));

  const absent = [...acknowledged].filter((id) => !byId.has(id) || !stored.has(id));
  const messages = bodies.map((row) => String((row['fields'] as Record<string, unknown>)['message']));
  const twice = messages.filter((message, i) => messages.indexOf(message) !== i);
  const toldOf = new Set(rows.filter(({ kind }) => kind === 'mail_failed').map(({ inquiryId }) => inquiryId));
  /** Its mail was tried again and again, which the timeline tells; its clock goes on without it. */
  const isGivenUp = ({ id, mailState, assignedTo, timers }: Inquiry): boolean =>
    mailState === 'failed' && assignedTo !== undefined && timers.respond !== undefined && toldOf.has(id);
  const isMailed = ({ progress, mailState }: Inquiry): boolean =>
    progress === 'notified' && mailState === 'sent';
  const isRestless = (head: Inquiry): boolean =>
    isOpen(head) && !((isMailed(head) || isGivenUp(head)) && head.timers.step === undefined);
  const isUnsent = ({ sk, state }: Row): boolean =>
    sk.startsWith(inquirySk.message('')) && (state === 'pending' || state === 'sending');
  const overdue = rows.filter((row) => typeof row['dueSk'] === 'string' && row['dueSk'] < nowIso);
  const restless = [
    ...heads
      .filter(isRestless)
      .map(({ id, progress, mailState }) => `${id} is ${progress}, its mail ${mailState}`),
    ...rows.filter(isUnsent).map(({ pk, sk }) => `${pk} ${sk} is not sent`),
    ...overdue.map(({ pk, sk, dueSk }) => `${pk} ${sk} was due at ${String(dueSk)}`),
  ];

  const mails = noted.filter((one) => one.what === 'mail');
  const toStaff = mails.filter(({ mail }) => isToStaff(mail.to));
  const doubleAssigned = heads.flatMap(({ id, assignedTo }) => {
    const told = new Set(toStaff.filter(({ mail }) => mail.inquiryId === id).map(({ mail }) => mail.to));
    return [...told].some((to) => to.split('@', 1)[0] !== assignedTo)
      ? [`${id} is with ${assignedTo}, and told to ${[...told].join(', ')}`]
      : [];
  });

  const loadOf = (member: string): Row | undefined =>
    rows.find(({ pk, sk }) => pk === memberLoad(member).pk && sk === memberLoad(member).sk);
  const miscounted = members.flatMap((member) => {
    const kept = Number(loadOf(member)?.['open'] ?? 0);
    const counted = heads.filter((head) => head.assignedTo === member && isOpen(head)).length;
    return kept === counted ? [] : [`${member} has ${counted} open, and ${kept} are kept`];
  });
  const pools = [...new Set(heads.flatMap(({ poolId }) => poolId ?? []))].sort();
  const shares = pools.map((pool) => {
    const counts = members.map(
      (member) => heads.filter((head) => head.poolId === pool && head.assignedTo === member).length,
    );
    return {
      pool,
      least: Math.min(...counts),
      most: Math.max(...counts),
      sum: counts.reduce((a, b) => a + b, 0),
    };
  });
  const unfair = shares.flatMap(({ pool, least, most, sum }) => {
    const share = sum / members.length;
    return most - share <= 1 && share - least <= 1 ? [] : [`${pool}: from ${least} to ${most} of ${sum}`];
  });

  const faults: Record<string, number> = {};
  for (const one of noted) if (one.what === 'fault') faults[one.kind] = (faults[one.kind] ?? 0) + 1;
  const mailed = judgeMails(noted);
  return {
    acknowledged: acknowledged.size,
    faults,
    mails: mails.length,
    mailedAgain: mailed.again,
    atRest: heads.filter((head) => !isRestless(head)).length,
    givenUp: heads.filter(isGivenUp).length,
    stored: heads.length,
    shares: shares.map(({ pool, least, most }) => ({ pool, least, most })),
    wrong: { absent, twice, restless, doubleAssigned, miscounted, unfair, mailedTooOften: mailed.tooOften },
  };
}

/**
 * A mail may go out again only where what sent it did not live to write it down: the SDK tries the same
 * call again, or the claim's lease is over, and in neither case was it marked as sent before.
 */
function judgeMails(noted: readonly Noted[]): { readonly again: number; readonly tooOften: string[] } {
  type Mail = Extract<Noted, { readonly what: 'mail' }>;
  const last = new Map<string, { readonly mail: Mail; marked: boolean }>();
  const tooOften: string[] = [];
  let again = 0;
  for (const one of noted) {
    if (one.what === 'marked') {
      for (const before of last.values()) {
        if (before.mail.mail.inquiryId === one.inquiryId) before.marked = true;
      }
    } else if (one.what === 'mail') {
      const { to, subject, inquiryId } = one.mail;
      const name = `${inquiryId} ${to} ${subject}`;
      const before = last.get(name);
      if (before) {
        again += 1;
        const isSecondTry = before.mail.callId === one.callId;
        const pauseMs = one.atMs - before.mail.atMs;
        if (before.marked && isToStaff(to)) tooOften.push(`${name}: again after its mark`);
        else if (!isSecondTry && pauseMs < mailLeaseMs) tooOften.push(`${name}: again after ${pauseMs} ms`);
      }
      last.set(name, { mail: one, marked: false });
    }
  }
  return { again, tooOften };
}
