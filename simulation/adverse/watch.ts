/**
 * Watches a run from beside the ports: each commit, each mail, each answer, as they happen, and what is
 * left at the end. Whatever must not be is noted, by other means than the code that is looked at.
 */
import { inquiryHead, inquirySk } from '../../shared/data/keys.ts';
import type { Row } from '../../shared/data/table.ts';
import { localDate } from '../../shared/domain/business-time.ts';
import { type Inquiry, isMailUnderWay, isOpen, mailLeaseMs } from '../../shared/domain/inquiry/state.ts';
import { findLocation, type Practice } from '../../shared/domain/practice.ts';
import { countChange } from '../../shared/domain/rollup.ts';
import { closingFaults } from '../closing.ts';
import type { RowChange } from '../memory-table.ts';
import { minuteMs } from '../minutes.ts';
import { createObserver, type Observer, checks as watched } from '../observer.ts';
import type { SentMail } from '../world.ts';
import { type ConsentJudge, createConsentJudge } from './consent-judge.ts';
import { type Call, type Lane, laneTogether } from './ports.ts';
import type { Invocation } from './processes.ts';
import type { AdverseWorld, Happening } from './world.ts';

export const adverseChecks = {
  ...watched,
  absent: 'acknowledged but not stored',
  twice: 'stored twice',
  doubleAssigned: 'given to a second member for no reason',
  rotation: 'rotations out of their bounds',
  leftOut: 'members left out of a turn for no reason',
  mailedAgain: 'mails sent again without a reason',
  neverSent: 'mails noted as sent that were not',
  notAtRest: 'not at rest two sweeps after the faults',
  setAside: 'messages that fail though nothing goes wrong',
  rollup: 'roll-ups that are not what the inquiries say',
  disagrees: 'kept twice, and not the same',
  unanswered: 'faults of ours',
} as const;
export type AdverseCheck = keyof typeof adverseChecks;

export interface Broken {
  readonly check: AdverseCheck;
  readonly at: string;
  readonly about: string;
}

export interface Watch {
  readonly observer: Observer;
  readonly consent: ConsentJudge;
  readonly broken: readonly Broken[];
  readonly mails: number;
  /** Which arrival an inquiry is of. */
  arrivalOf(inquiryId: string): number | undefined;
  /** Somebody saw a success for what they sent. */
  acknowledged(arrival: number, inquiryId: string): void;
  readonly acknowledgements: number;
  /** From now on nothing may be claimed for an address: it does not reach anybody, or they complained. */
  suppress(email: string): void;
  /** From now on something may be again. Gives what takes that back, where it turns out to be refused. */
  lift(email: string): () => void;
  onHappening(happening: Happening): void;
  /** Faults have stopped: what is not at rest has two sweeps. */
  calm(): void;
  close(): Promise<void>;
}

/** When whoever sends it began to. */
const claimedAt = (row: Row | undefined): unknown => row?.['mailAt'] ?? row?.['stateAt'];

const mailStateOf = (row: Row | undefined): unknown =>
  row?.['mailState'] ??
  (row?.sk === inquirySk.alert || row?.['entity'] === 'message' ? row?.['state'] : undefined);

/**
 * Whether the pipeline has nothing to do about it at present. Whom the mail that it is theirs could not
 * reach has it all the same, and is reminded of it.
 */
const isAtRest = (head: Inquiry): boolean =>
  !isMailUnderWay(head) &&
  head.trigger === undefined &&
  head.reassign === undefined &&
  (head.move === undefined || head.assignedTo === undefined) &&
  !(
    isOpen(head) &&
    (head.progress === 'captured' ||
      // Who was called needs nobody to be told any more.
      (head.progress === 'routed' && head.mailState === undefined && head.firstContactedAt === undefined))
  );

/** Mails about an inquiry that there is one of for each time that they have a reason. */
const oncePerReason: ReadonlySet<unknown> = new Set([
  'assigned',
  'reminder',
  'warning',
  'escalated',
  'follow_up',
]);

/** What a staff mail about an inquiry is about, as its head has it; undefined where it may come again. */
function aboutOf(row: Row): string | undefined {
  const { mailKind, assignedAt, rung, reminders } = row;
  if (row.sk !== inquirySk.head || !oncePerReason.has(mailKind)) return undefined;
  // With each reminder of a call that is due the next one is set.
  const { followUp } = (row['timers'] ?? {}) as { readonly followUp?: string };
  const about = `${mailKind} ${assignedAt}`;
  if (mailKind === 'assigned') return about;
  return mailKind === 'follow_up' ? `${about} ${followUp}` : `${about} ${rung} ${reminders}`;
}

/** A rotation whose turns are taken: what each was due, less what each got. */
interface Deviations {
  readonly of: Map<string, number>;
  eligible?: string;
  hasChanged: boolean;
}
/** A function looks for a new configuration every ten seconds; where that fails, once a minute. */
const oldPracticeMs = 2 * minuteMs;
/** What a call fails by that its process lives on after. */
const failing: ReadonlySet<string> = new Set(['throttled', 'timed_out']);
const turnStrategies = new Set(['weighted_round_robin', 'strict_round_robin', 'least_open_work']);

export function createWatch(worldOf: () => AdverseWorld): Watch {
  const now = (): Date => new Date(worldOf().agenda.nowMs());
  const observer = createObserver(
    () => worldOf().practice(),
    now,
    (key) => worldOf().table.peek(key),
  );
  const broken: Broken[] = [];
  const breaks = (check: AdverseCheck, about: string): void => {
    broken.push({ check, at: now().toISOString(), about });
  };
  const arrivals = new Map<string, number>();
  const stored = new Map<number, string>();
  const acknowledged = new Map<string, number>();
  const consent = createConsentJudge(worldOf, observer.inquiries, (arrival) => stored.get(arrival));
  const suppressedAtMs = new Map<string, number>();
  /** Until when members count as disabled. */
  const disabledUntilMs = new Map<string, number>();
  const isDisabled = (id: string): boolean => now().getTime() <= (disabledUntilMs.get(id) ?? 0);
  let looked: Practice | undefined;
  /** Claims of which at least one mail went out. */
  const wentOut = new Set<string>();
  /** Those of which it may not be known that it did. */
  const excused = new Set<string>();
  /** What a mail about each item was last asked for. */
  const abouts = new Map<string, string | undefined>();
  let calmFromMs = Number.POSITIVE_INFINITY;
  /** How often each item asked for a mail. */
  const asks = new Map<string, number>();
  /** How often each mail was sent, and how often it may be. */
  const sent = new Map<string, { times: number; may: number }>();
  const sentBy = new WeakMap<Invocation, { readonly key: string; readonly lane: Lane | undefined }[]>();
  const claimedAtMs = new WeakMap<Lane, number>();
  const rollups = new Map<string, Map<string, number>>();
  const rotations = new Map<string, Deviations>();
  /** What was not at rest as the faults stopped, until it is: the sweeps that have asked for it since. */
  let unrest: Map<string, Set<string>> | undefined;
  let underWay: { readonly call: Call; readonly fault: string | undefined } | undefined;
  let mails = 0;

  function onHead(before: Inquiry | undefined, after: Inquiry, call: Call | undefined): void {
    const practice = worldOf().practice();
    const { id: location, timeZone } = findLocation(practice, after.locationId);
    const day = `${location} ${localDate(after.receivedAt, timeZone)}`;
    const counts = rollups.get(day) ?? new Map<string, number>();
    rollups.set(day, counts);
    for (const [name, n] of Object.entries(countChange(before, after)))
      counts.set(name, (counts.get(name) ?? 0) + n);

    const address = call?.invocation.address ?? '';
    const arrival = /^capture:(\d+)/.exec(address)?.[1];
    if (before === undefined && arrival !== undefined) {
      const number = Number(arrival);
      const first = stored.get(number);
      if (first !== undefined) breaks('twice', `arrival ${number} as ${first} and ${after.id}`);
      stored.set(number, after.id);
      arrivals.set(after.id, number);
    }
    const had = before?.assignedTo;
    const isTaken = had !== undefined && isOpen(after) && after.assignedTo !== had;
    const isRouted = call?.invocation.name === 'route' && !before?.reassign && !before?.move;
    // Only the ladder, or a rule, takes it from somebody, where it has said so; or who has it is gone.
    if (isTaken && isRouted && !isDisabled(had))
      breaks('doubleAssigned', `${after.id}: from ${had} to ${after.assignedTo ?? 'nobody'}`);
    if (isRouted && after.assignedAt !== before?.assignedAt && after.assignedAt !== undefined)
      onTurn(after, new Date(after.assignedAt));
    const asked = unrest?.get(after.id);
    if (asked === undefined) return;
    if (isAtRest(after)) unrest?.delete(after.id);
    else if (call?.invocation.name === 'remind') {
      const before = asked.size;
      asked.add(call.invocation.address);
      if (before === 2 && asked.size === 3)
        breaks('notAtRest', `${after.id}: asked for by a third sweep after the faults`);
    }
  }

  /** Whoever was not asked has to have a reason for it, by the configuration and by what they have. */
  function onTurn(given: Inquiry, at: Date): void {
    for (const { memberId, outcome, reason } of given.receipt?.candidates ?? []) {
      if (outcome !== 'excluded' || given.hadBy?.includes(memberId) || isDisabled(memberId)) continue;
      if (observer.couldTake(memberId, given, at)) breaks('leftOut', `${given.id}: ${memberId}, ${reason}`);
    }
  }

  function onPool({ before, after }: RowChange, given: readonly Inquiry[]): void {
    if (!after || JSON.stringify(before?.['lags']) === JSON.stringify(after['lags'])) return;
    const poolId = after.sk.slice('POOL#'.length);
    const pool = worldOf()
      .practice()
      .pools.find(({ id }) => id === poolId);
    if (!pool) return;
    const kept = rotations.get(poolId) ?? { of: new Map<string, number>(), hasChanged: false };
    rotations.set(poolId, kept);
    for (const { receipt, assignedTo } of given) {
      if (receipt?.pool !== poolId || !turnStrategies.has(receipt.strategy)) continue;
      const eligible = receipt.candidates.filter(({ share }) => share > 0).map(({ memberId }) => memberId);
      const isAlike = receipt.strategy === 'strict_round_robin';
      const weightOf = (id: string): number =>
        isAlike ? 1 : (pool.members.find((member) => member.id === id)?.weight ?? 1);
      const total = eligible.reduce((sum, id) => sum + weightOf(id), 0);
      for (const id of eligible) kept.of.set(id, (kept.of.get(id) ?? 0) + weightOf(id) / total);
      kept.of.set(assignedTo ?? '', (kept.of.get(assignedTo ?? '') ?? 0) - 1);
      const names = eligible.join(' ');
      if (kept.eligible !== undefined && kept.eligible !== names) kept.hasChanged = true;
      kept.eligible = names;
    }
    const lags = (after['lags'] ?? {}) as Record<string, number>;
    const bound = kept.hasChanged ? Math.max(1, pool.members.length / 2) : 1;
    for (const [id, deviation] of kept.of) {
      if (Math.abs(deviation) > bound + 1e-6)
        breaks('rotation', `${poolId}: ${id} is ${deviation.toFixed(3)} off, the bound is ${bound}`);
      if (Math.abs(deviation - (lags[id] ?? 0)) > 1e-4)
        breaks('rotation', `${poolId}: of ${id} ${lags[id] ?? 0} is kept, ${deviation.toFixed(3)} counted`);
    }
  }

  /** Where the configuration was changed: a function may go by the last one for a while. */
  function noteDisabled(): void {
    const practice = worldOf().practice();
    if (practice === looked) return;
    looked = practice;
    for (const { id, enabled } of practice.members) {
      if (!enabled) disabledUntilMs.set(id, Number.POSITIVE_INFINITY);
      else if (isDisabled(id)) disabledUntilMs.set(id, now().getTime() + oldPracticeMs);
    }
  }

  function onCommit(changes: readonly RowChange[], call: Call | undefined): void {
    noteDisabled();
    const beforeOf = new Map<string, Inquiry | undefined>();
    for (const { after } of changes) {
      if (after?.sk !== inquirySk.head) continue;
      const id = after.pk.slice(4);
      beforeOf.set(id, observer.inquiries.get(id)?.head);
    }
    observer.onCommit(changes);
    consent.onCommit(changes);
    const given: Inquiry[] = [];
    for (const [id, before] of beforeOf) {
      const head = observer.inquiries.get(id)?.head;
      if (!head) continue;
      onHead(before, head, call);
      if (head.assignedAt !== before?.assignedAt) given.push(head);
    }
    for (const change of changes) {
      const { before, after } = change;
      if (after?.sk.startsWith('POOL#')) onPool(change, given);
      const [was, is] = [mailStateOf(before), mailStateOf(after)];
      if (!after || is === undefined) continue;
      const item = `${after.pk} ${after.sk}`;
      if (is === 'pending' && was !== 'pending') onAsked(item, after);
      if (is === 'sent' && was === 'sending') {
        const claim = `${item} ${asks.get(item) ?? 0}`;
        // Who is disabled by then gets no digest.
        const isForNobody = after['entity'] === 'digest' && isDisabled(String(after['memberId']));
        if (!wentOut.has(claim) && !isForNobody) breaks('neverSent', `${claim}: noted as sent`);
      }
      // A task that is handed over while its mail is under way is not claimed by that.
      const isClaim = was !== 'sending' || claimedAt(before) !== claimedAt(after);
      if (is !== 'sending' || !isClaim || !call) continue;
      const lane = call.lane ?? laneTogether(call.invocation, after.pk.slice(4));
      lane.claim = `${item} ${asks.get(item) ?? 0}`;
      claimedAtMs.set(lane, now().getTime());
    }
  }

  /** Of one thing nobody is told a second time, unless that they were told may not be known. */
  function onAsked(item: string, row: Row): void {
    const n = asks.get(item) ?? 0;
    asks.set(item, n + 1);
    const [about, claim] = [aboutOf(row), `${item} ${n}`];
    const isTold = wentOut.has(claim) && !excused.has(claim);
    if (about !== undefined && isTold && abouts.get(item) === about)
      breaks('mailedAgain', `${item}: ${about}, and they were told`);
    abouts.set(item, about);
  }

  function onMail(mail: SentMail, call: Call): void {
    mails++;
    if (call.lane?.claim !== undefined) wentOut.add(call.lane.claim);
    observer.onMail(mail);
    const { lane, invocation } = call;
    const key = `${lane?.claim} to ${mail.to.join(' ')}`;
    const counted = sent.get(key) ?? { times: 0, may: 1 };
    sent.set(key, counted);
    counted.times++;
    if (counted.times > counted.may) breaks('mailedAgain', `${key}: ${counted.times} times`);
    // It is out, and nobody learns of it; or it was on its way when its process died.
    const fault = underWay?.fault;
    if (fault === 'crash_after' || fault === 'timed_out' || invocation.isDead) excuse(counted, lane);
    const others = sentBy.get(invocation) ?? [];
    sentBy.set(invocation, [...others, { key, lane }]);
    const [email = ''] = mail.to;
    const fromMs = suppressedAtMs.get(email);
    const claimedMs = (lane && claimedAtMs.get(lane)) ?? now().getTime();
    if (fromMs !== undefined && claimedMs > fromMs)
      breaks('suppressed', `${lane?.claim}: claimed after its address was suppressed`);
    if (mail.toPerson && !consent.mayWrite(email, mail.toPerson.tags.contact, claimedMs))
      breaks('suppressed', `${lane?.claim}: claimed after they wanted no more`);
  }

  function excuse(counted: { may: number }, lane: Lane | undefined): void {
    counted.may++;
    if (lane?.claim !== undefined) excused.add(lane.claim);
  }

  /** What was sent and may now not be known to be. */
  function onFault(call: Call, fault: string): void {
    for (const { key, lane } of sentBy.get(call.invocation) ?? []) {
      const counted = sent.get(key);
      // A call of no lane is one of a whole batch: where it fails, that any of it went out may stay unknown.
      const isOfAll = fault.startsWith('crash') || (call.lane === undefined && failing.has(fault));
      if (counted && (isOfAll || lane === call.lane)) excuse(counted, lane);
    }
  }

  function rollupFaults(): void {
    const rows = worldOf()
      .table.rows()
      .filter(({ pk, sk }) => pk.startsWith('ROLLUP#') && sk.startsWith('DAY#'));
    const kept = new Map(rows.map((row) => [`${row.pk.slice('ROLLUP#'.length)} ${row.sk.slice(4)}`, row]));
    for (const [day, counts] of rollups) {
      const row = kept.get(day);
      for (const [name, n] of counts) {
        const is = row?.[`n:${name}`] ?? 0;
        if (is !== n) breaks('rollup', `${day} ${name}: ${is} are kept, ${n} counted`);
      }
    }
  }

  function restFaults(): void {
    const atMs = now().getTime();
    const allowedMs = 2 * minuteMs;
    for (const [id, { head }] of observer.inquiries) {
      // What came up in the last minutes is on its way: its mail goes out, and then it has two sweeps.
      const isYoung = Date.parse(head.mailAt ?? head.receivedAt) > atMs - allowedMs - minuteMs;
      if (!isAtRest(head) && !isYoung) breaks('notAtRest', `${id}: ${head.progress}, mail ${head.mailState}`);
    }
    for (const row of worldOf().table.rows()) {
      if (mailStateOf(row) !== 'sending') continue;
      const since = Date.parse(String(claimedAt(row)));
      if (since < atMs - mailLeaseMs - allowedMs) breaks('notAtRest', `${row.pk} ${row.sk}: still sending`);
    }
  }

  return {
    observer,
    consent,
    broken,
    get mails() {
      return mails;
    },
    get acknowledgements() {
      return acknowledged.size;
    },
    arrivalOf: (inquiryId) => arrivals.get(inquiryId),
    acknowledged(arrival, inquiryId) {
      acknowledged.set(inquiryId, arrival);
      if (stored.get(arrival) !== inquiryId || !worldOf().table.peek(inquiryHead(inquiryId)))
        breaks('absent', `arrival ${arrival}: ${inquiryId}`);
    },
    suppress: (email) => void suppressedAtMs.set(email, now().getTime()),
    lift(email) {
      const sinceMs = suppressedAtMs.get(email);
      suppressedAtMs.delete(email);
      return () => {
        if (sinceMs !== undefined && !suppressedAtMs.has(email)) suppressedAtMs.set(email, sinceMs);
      };
    },
    onHappening(happening) {
      switch (happening.is) {
        case 'call':
          underWay = happening;
          if (happening.fault !== undefined) onFault(happening.call, happening.fault);
          break;
        case 'commit':
          onCommit(happening.changes, happening.call);
          break;
        case 'mail':
          onMail(happening.mail, happening.call);
          break;
        case 'trouble': {
          const { error, where } = happening;
          const name = error instanceof Error ? error.name : typeof error;
          const isOfService = ['ThrottlingException', 'TimeoutError', 'Error'].includes(name);
          if (['TypeError', 'ZodError', 'RangeError', 'ReferenceError'].includes(name) || !isOfService)
            if (!/Busy$/.test(name))
              breaks('unanswered', `${where}: ${error instanceof Error ? `${name} ${error.message}` : name}`);
          if (/gave up|audit changed|given up/.test(where)) breaks('unanswered', where);
          if (now().getTime() > calmFromMs + minuteMs && !/Busy$/.test(name) && !/refused/.test(where))
            breaks('unanswered', `${where}, and nothing went wrong: ${name}`);
          break;
        }
        default:
      }
    },
    calm() {
      calmFromMs = now().getTime();
      const heads = [...observer.inquiries.values()].map(({ head }) => head);
      unrest = new Map(heads.filter((head) => !isAtRest(head)).map(({ id }) => [id, new Set()]));
    },
    async close() {
      for (const [id, arrival] of acknowledged)
        if (!worldOf().table.peek(inquiryHead(id))) breaks('absent', `arrival ${arrival}: ${id}`);
      restFaults();
      const { deadLetters } = worldOf();
      if (deadLetters > 0) breaks('setAside', `${deadLetters} dead letters after they were sent again`);
      rollupFaults();
      for (const { check, about, at } of observer.violations) broken.push({ check, about, at });
      for (const fault of await closingFaults(worldOf())) breaks('disagrees', fault);
    },
  };
}
