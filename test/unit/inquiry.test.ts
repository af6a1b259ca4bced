import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headRow, parseHead } from '../../shared/data/inquiries.ts';
import type { Opening } from '../../shared/domain/business-time.ts';
import { escalationDefaults, followUpDefaults } from '../../shared/domain/defaults.ts';
import type { Clock } from '../../shared/domain/escalation.ts';
import { unbooked } from '../../shared/domain/inquiry/appointment.ts';
import { captured, rescored as rescoredBy } from '../../shared/domain/inquiry/arrival.ts';
import {
  assigned,
  notReassigned,
  reassigned,
  returned,
  waiting,
} from '../../shared/domain/inquiry/assignment.ts';
import { takeDue as takeDueBy } from '../../shared/domain/inquiry/due.ts';
import {
  beginCall,
  endCall,
  endHold,
  type HoldChange,
  park,
  snooze,
} from '../../shared/domain/inquiry/hold.ts';
import { mailSent } from '../../shared/domain/inquiry/mail.ts';
import { released, reviewRedFlag, suspectedByRule } from '../../shared/domain/inquiry/review.ts';
import { afterRules, type RuleEffects } from '../../shared/domain/inquiry/rules.ts';
import { changeStage, stageTransitions } from '../../shared/domain/inquiry/stage.ts';
import {
  type Assignment,
  awaitsRouting,
  followUpAfterMs,
  type Inquiry,
  inquirySchema,
  isOpen,
  type Listening,
  nextActionAt,
  type QuarantineReason,
  stepAllowanceMs,
} from '../../shared/domain/inquiry/state.ts';
import { withTrigger } from '../../shared/domain/inquiry/triggers.ts';
import type { Location } from '../../shared/domain/practice.ts';
import { closeReasons, type Stage, stages } from '../../shared/domain/stages.ts';
import { friday, hours, minutes, smallPractice } from '../support/fixtures.ts';

const id = (prefix: string): string => `${prefix}_${'0'.repeat(26)}`;
const arrive = (...quarantine: QuarantineReason[]): Inquiry =>
  captured(
    {
      id: id('inq'),
      contactId: id('con'),
      locationId: 'main-street',
      channel: 'web_form',
      sourceId: 'website',
      quarantine,
    },
    friday,
  );
const decision: Assignment = {
  memberId: 'ana',
  poolId: 'skin',
  respondBy: new Date(friday.getTime() + hours(2)).toISOString(),
  receipt: {
    pool: 'skin',
    strategy: 'weighted_round_robin',
    candidates: [{ memberId: 'ana', share: 1, outcome: 'assigned', reason: 'next in turn: due 1.00' }],
  },
  score: 71,
  tier: 'A',
};
/** The ladder by default, on the clock of a location that is open from 9 to 5. */
const clock: Clock = {
  location: smallPractice.locations[0] as Opening,
  escalation: escalationDefaults,
};
const takeDue = (inquiry: Inquiry, now: Date) => takeDueBy(inquiry, now, clock);
const rescored = (inquiry: Inquiry, again: Parameters<typeof rescoredBy>[1], now = friday) =>
  rescoredBy(inquiry, again, now, clock);
const later = (ms: number): Date => new Date(friday.getTime() + ms);
const at = (ms: number): string => later(ms).toISOString();
const stageOf = (inquiry: Inquiry, to: Stage, now = friday): Inquiry => {
  const change = changeStage(inquiry, to, to === 'closed' ? 'spam' : undefined, now);
  if (change.outcome !== 'changed') throw new Error(`${inquiry.stage} to ${to}`);
  return change.next;
};
/** As `notify` claims a mail. */
const claimed = (inquiry: Inquiry, now: Date): Inquiry => ({
  ...inquiry,
  version: inquiry.version + 1,
  mailState: 'sending',
  mailAt: now.toISOString(),
});
const notified = (): Inquiry => mailSent(claimed(assigned(arrive(), decision, friday), friday), friday);

const again = { score: 80, tier: 'A' as const, tierBefore: 'B' as const, respondBy: at(minutes(5)) };
/** Rules that listen for everything, and for silence of 10 hours. */
const listening = (now: Date): Listening => ({
  awaitsRules: true,
  silence: { since: now.toISOString(), hours: 10, at: new Date(now.getTime() + hours(20)).toISOString() },
  clock,
  cadence: { steps: followUpDefaults.cadence, location: smallPractice.locations[0] as Location },
});
/** As `score` applies the rules of a trigger. */
const applied =
  (effects: RuleEffects) =>
  (inquiry: Inquiry, now: Date): Inquiry | undefined =>
    inquiry.trigger &&
    afterRules(
      inquiry,
      effects,
      now,
      {
        since: inquiry.silence?.since ?? now.toISOString(),
        hours: 30,
        at: new Date(now.getTime() + hours(40)).toISOString(),
      },
      { clock },
    );
/** A change that may be refused. */
const made = (change: HoldChange): Inquiry | undefined =>
  change.outcome === 'changed' ? change.next : undefined;
/** Whether the routing may give it to another. */
const isTaken = (inquiry: Inquiry): boolean =>
  isOpen(inquiry) && (inquiry.progress === 'routed' || inquiry.progress === 'notified');
const raise = (inquiry: Inquiry): Inquiry => ({ ...inquiry, version: inquiry.version + 1 });

/** The steps that the functions and the staff can take, each only from where its function takes it. */
const operations = {
  assign: (inquiry: Inquiry, now: Date) =>
    awaitsRouting(inquiry) ? assigned(inquiry, decision, now) : undefined,
  wait: (inquiry: Inquiry, now: Date) =>
    awaitsRouting(inquiry) ? waiting(inquiry, decision, now) : undefined,
  claim: (inquiry: Inquiry, now: Date) =>
    inquiry.mailState === 'pending' ? claimed(inquiry, now) : undefined,
  sent: (inquiry: Inquiry, now: Date) =>
    inquiry.mailState === 'sending' ? mailSent(inquiry, now, { clock }) : undefined,
  sentAndListened: (inquiry: Inquiry, now: Date) =>
    inquiry.mailState === 'sending' ? mailSent(inquiry, now, listening(now)) : undefined,
  sweep: (inquiry: Inquiry, now: Date) => takeDue(inquiry, now)?.next,
  release: released,
  rescore: (inquiry: Inquiry, now: Date) =>
    isOpen(inquiry) && inquiry.progress !== 'quarantined' ? rescored(inquiry, again, now) : undefined,
  suspect: suspectedByRule,
  call: (inquiry: Inquiry, now: Date) =>
    withTrigger(raise(inquiry), { kind: 'disposition', disposition: 'voicemail' }, now, listening(now)),
  reach: (inquiry: Inquiry, now: Date) =>
    withTrigger(raise(inquiry), { kind: 'disposition', disposition: 'reached' }, now, listening(now)),
  wrongNumber: (inquiry: Inquiry, now: Date) =>
    withTrigger(raise(inquiry), { kind: 'disposition', disposition: 'wrong_number' }, now, { clock }),
  missedVisit: (inquiry: Inquiry, now: Date) =>
    inquiry.stage === 'booked' ? unbooked(inquiry, now, listening(now)) : undefined,
  reply: (inquiry: Inquiry, now: Date) => withTrigger(raise(inquiry), { kind: 'reply' }, now, listening(now)),
  unheardReply: (inquiry: Inquiry, now: Date) => withTrigger(raise(inquiry), { kind: 'reply' }, now),
  noHit: applied({}),
  ruledTier: applied({ tier: 'B', urgency: 'soon', respondBy: at(hours(50)) }),
  ruledStage: applied({ stage: { to: 'consult' }, respondBy: at(hours(1)) }),
  ruledBooked: applied({ stage: { to: 'booked' } }),
  ruledSpam: applied({ spam: true, urgency: 'routine' }),
  snooze: (inquiry: Inquiry, now: Date) =>
    made(
      snooze(inquiry, { by: 'ana', until: new Date(now.getTime() + hours(20)).toISOString() }, now, clock),
    ),
  park: (inquiry: Inquiry, now: Date) => {
    const until = new Date(now.getTime() + hours(50)).toISOString();
    return made(park(inquiry, { by: 'ana', reason: 'records', owner: 'ben', until }, now, clock));
  },
  wake: (inquiry: Inquiry, now: Date) => made(endHold(inquiry, 'snoozed', now, clock)),
  unpark: (inquiry: Inquiry, now: Date) => made(endHold(inquiry, 'parked', now, clock)),
  beginCall: (inquiry: Inquiry, now: Date) => made(beginCall(inquiry, 'ana', now, clock)),
  endCall: (inquiry: Inquiry, now: Date) => made(endCall(inquiry, now, clock)),
  handOver: (inquiry: Inquiry, now: Date) =>
    isTaken(inquiry) ? assigned(inquiry, { ...decision, memberId: 'carla' }, now) : undefined,
  reassign: (inquiry: Inquiry, now: Date) =>
    isTaken(inquiry) && inquiry.reassign && inquiry.mailState === 'sent'
      ? reassigned(inquiry, { ...decision, memberId: 'ben' }, now)
      : undefined,
  nobodyFree: (inquiry: Inquiry, now: Date) => (inquiry.reassign ? notReassigned(inquiry, now) : undefined),
  returnToPool: (inquiry: Inquiry, now: Date) =>
    isTaken(inquiry) ? returned(inquiry, { poolId: 'skin', receipt: decision.receipt }, now) : undefined,
  falseAlarm: (inquiry: Inquiry) => reviewRedFlag(inquiry, 'false_alarm'),
  ...Object.fromEntries(
    stages.map((to) => [
      to,
      (inquiry: Inquiry, now: Date) => {
        const change = changeStage(inquiry, to, to === 'closed' ? 'no_response' : undefined, now);
        return change.outcome === 'changed' ? change.next : undefined;
      },
    ]),
  ),
  ...Object.fromEntries(
    stages.map((to) => [
      `${to} with rules`,
      (inquiry: Inquiry, now: Date) => {
        const change = changeStage(inquiry, to, to === 'closed' ? 'spam' : undefined, now, listening(now));
        return change.outcome === 'changed' ? change.next : undefined;
      },
    ]),
  ),
} satisfies Record<string, (inquiry: Inquiry, now: Date) => Inquiry | undefined>;

const story = fc.record({
  suspected: fc.boolean(),
  flagged: fc.boolean(),
  steps: fc.array(
    fc.record({
      what: fc.constantFrom(...Object.keys(operations)),
      /** How long before it happens; `due` waits for the next action. */
      pause: fc.constantFrom<number | 'due'>('due', 0, 1_000, minutes(1), minutes(20), hours(30)),
    }),
    { maxLength: 60 },
  ),
});

/** Every state of a story, with the time at which it was entered. */
function* live({ suspected, flagged, steps }: typeof story extends fc.Arbitrary<infer T> ? T : never) {
  let inquiry = suspected ? arrive('honeypot') : arrive();
  if (flagged) inquiry = { ...inquiry, redFlag: 'raised' };
  let now = friday;
  yield { before: undefined, inquiry, now };
  for (const { what, pause } of steps) {
    const due = nextActionAt(inquiry);
    now = new Date(
      pause === 'due' ? Math.max(now.getTime(), Date.parse(due ?? at(0))) : now.getTime() + pause,
    );
    const next = operations[what as keyof typeof operations](inquiry, now);
    if (next === undefined) continue;
    yield { before: inquiry, inquiry: next, now };
    inquiry = next;
  }
}

describe('whatever happens to an inquiry', () => {
  it('is due at once where no timer of an open one runs, and never where it is closed', () => {
    const { timers: _none, ...rest } = arrive();

    expect(nextActionAt({ ...rest, timers: {} })).toBe(rest.receivedAt);
    expect(nextActionAt({ ...rest, timers: {}, stage: 'closed', closeReason: 'spam' })).toBeUndefined();
  });

  it('it has a next action just while it is open or rules are to look at it, and that action can be taken and moves on', () => {
    fc.assert(
      fc.property(story, (told) => {
        for (const { inquiry, now } of live(told)) {
          const due = nextActionAt(inquiry);
          expect(due !== undefined).toBe(isOpen(inquiry) || inquiry.trigger !== undefined);
          if (due === undefined) continue;
          expect(Object.values(inquiry.timers).some((time) => time !== undefined)).toBe(true);
          const then = new Date(Math.max(now.getTime(), Date.parse(due)));
          const taken = takeDue(inquiry, then);
          expect(taken).toBeDefined();
          expect(String(taken && nextActionAt(taken.next)) > then.toISOString()).toBe(true);
          expect(takeDue(inquiry, new Date(Date.parse(due) - 1))).toBeUndefined();
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('each change raises the version by one, keeps what it is, and survives the table', () => {
    fc.assert(
      fc.property(story, (told) => {
        for (const { before, inquiry } of live(told)) {
          expect(inquiry.version).toBe((before?.version ?? 0) + 1);
          expect(JSON.parse(JSON.stringify(parseHead(headRow(inquiry))))).toEqual(
            JSON.parse(JSON.stringify(inquirySchema.parse(inquiry))),
          );
          if (before?.firstContactedAt) expect(inquiry.firstContactedAt).toBe(before.firstContactedAt);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('each timer is there just where it is needed', () => {
    fc.assert(
      fc.property(story, (told) => {
        for (const { inquiry } of live(told)) {
          const { timers, mailState, progress } = inquiry;
          const underWay = mailState === 'pending' || mailState === 'sending';
          if (inquiry.trigger !== undefined) expect(timers.step).toBeDefined();
          else expect(inquiry.laterTriggers).toBeUndefined();
          const isAskedFor = inquiry.trigger !== undefined || awaitsRouting(inquiry) || underWay;
          expect(timers.step !== undefined).toBe(isAskedFor);
          if (timers.silence !== undefined) expect(inquiry.silence).toBeDefined();
          if (!isOpen(inquiry)) {
            const { step, ...others } = timers;
            expect([underWay, step !== undefined, others]).toEqual([
              false,
              inquiry.trigger !== undefined,
              {},
            ]);
          } else if (awaitsRouting(inquiry)) expect(timers.step).toBeDefined();
          else if (underWay) expect(timers.step).toBeDefined();
          else if (progress === 'quarantined') expect(timers.review).toBeDefined();
          else if (inquiry.firstContactedAt === undefined) expect(timers.respond).toBeDefined();
          else expect(timers.followUp).toBeDefined();
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('the sweep alone brings it to a member and the member to know of it', () => {
    fc.assert(
      fc.property(story, (told) => {
        let { inquiry, now } = [...live(told)].at(-1) ?? { inquiry: arrive(), now: friday };
        fc.pre(awaitsRouting(inquiry));
        // One for the mail under way, one for a reminder that it is overdue and its mail, one to route it.
        // Each turn for rules that it waits for, too, is one more.
        for (let sweeps = 0; sweeps < 12 && inquiry.progress !== 'notified'; sweeps++) {
          now = new Date(Math.max(now.getTime(), Date.parse(String(nextActionAt(inquiry)))));
          const taken = takeDue(inquiry, now);
          if (!taken) throw new Error('nothing was due');
          inquiry = taken.next;
          if (taken.action === 'score' && inquiry.trigger) inquiry = afterRules(inquiry, {}, now);
          if (taken.action !== 'mail' && awaitsRouting(inquiry)) inquiry = assigned(inquiry, decision, now);
          if (inquiry.mailState !== 'sent' && inquiry.mailState)
            inquiry = mailSent(claimed(inquiry, now), now);
        }
        expect(inquiry).toMatchObject({ progress: 'notified', assignedTo: 'ana' });
      }),
      { numRuns: 300 },
    );
  });
});

describe('on its way', () => {
  it('an inquiry is asked for again a minute after it came', () => {
    const inquiry = arrive();

    expect(nextActionAt(inquiry)).toBe(at(stepAllowanceMs));
    expect(takeDue(inquiry, later(stepAllowanceMs - 1))).toBeUndefined();
    expect(takeDue(inquiry, later(stepAllowanceMs))).toMatchObject({ action: 'score' });
  });

  it('its due entry is not moved by the routing, and moved to respond-by by the mail', () => {
    const routed = assigned(arrive(), decision, later(2_000));
    const sent = mailSent(claimed(routed, later(3_000)), later(4_000));

    expect(nextActionAt(routed)).toBe(at(stepAllowanceMs));
    expect(sent).toMatchObject({ progress: 'notified', mailState: 'sent' });
    expect(nextActionAt(sent)).toBe(decision.respondBy);
  });

  it('a step that keeps failing is repeated ever more seldom, half an hour apart at the longest', () => {
    let inquiry = arrive();
    const pauses: number[] = [];

    for (let i = 0; i < 8; i++) {
      const now = new Date(String(nextActionAt(inquiry)));
      inquiry = takeDue(inquiry, now)?.next ?? inquiry;
      pauses.push((Date.parse(String(nextActionAt(inquiry))) - now.getTime()) / minutes(1));
    }

    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
  });

  it('while it waits for somebody to be there, it is asked about once a day, and then every minute until it was', () => {
    const { timers, ...rest } = waiting(arrive(), decision, friday);
    expect(timers).toEqual({ step: at(hours(24)), respond: decision.respondBy });
    // Of its reminders others tell.
    let inquiry: Inquiry = { ...rest, timers: { step: timers.step } };

    for (let minute = 0; minute <= 4; minute++) {
      expect(nextActionAt(inquiry)).toBe(at(hours(24) + minutes(minute)));
      const taken = takeDue(inquiry, later(hours(24) + minutes(minute)));
      expect(taken?.action).toBe('route');
      inquiry = taken?.next ?? inquiry;
    }
  });

  it('a mail that is not out is asked for again, and holds back what else is due', () => {
    const reminding = takeDue(notified(), new Date(decision.respondBy));

    expect(reminding).toMatchObject({
      action: 'mail',
      next: { mailKind: 'escalated', mailState: 'pending' },
    });
    const pending = reminding?.next ?? arrive();
    expect(nextActionAt(pending)).toBe(at(hours(2) + stepAllowanceMs));
    expect(takeDue(claimed(pending, later(hours(2))), later(hours(3)))).toMatchObject({
      action: 'mail',
      next: { mailKind: 'escalated', mailState: 'sending', reminders: 1 },
    });
  });
});

describe('after a call', () => {
  it('nobody is reminded of a call that was made', () => {
    const called = stageOf(notified(), 'contacted', later(minutes(5)));

    expect(called.firstContactedAt).toBe(at(minutes(5)));
    expect(nextActionAt(called)).toBe(at(minutes(5) + followUpAfterMs));
    expect(takeDue(called, later(hours(3)))).toBeUndefined();
  });

  it('a call before the mail is out keeps its follow-up when the mail is', () => {
    const called = stageOf(claimed(assigned(arrive(), decision, friday), friday), 'contacted');

    const sent = mailSent(called, later(1_000));

    expect(sent).toMatchObject({ progress: 'notified', timers: { followUp: at(followUpAfterMs) } });
    expect(sent.timers.respond).toBeUndefined();
  });
});

describe('quarantine', () => {
  it('tells the managers once a day, and nobody before', () => {
    const inquiry = arrive('honeypot', 'origin');

    expect(inquiry).toMatchObject({ progress: 'quarantined', quarantine: ['honeypot', 'origin'] });
    expect(awaitsRouting(inquiry)).toBe(false);
    expect(nextActionAt(inquiry)).toBe(at(hours(24)));
    expect(takeDue(inquiry, later(hours(24)))).toMatchObject({
      action: 'mail',
      next: { mailKind: 'review' },
    });
  });

  it('released, it sets out at once, whatever mail about it was under way', () => {
    const reviewed = takeDue(arrive('honeypot'), later(hours(24)))?.next ?? arrive();

    const genuine = released(reviewed, later(hours(25)));

    expect(genuine).toMatchObject({ progress: 'captured', version: 3 });
    expect(genuine).not.toHaveProperty('quarantine');
    expect(genuine).not.toHaveProperty('mailState');
    expect(genuine && takeDue(genuine, later(hours(25)))?.action).toBe('score');
  });

  it.each([
    ['was never in quarantine', arrive()],
    ['is closed', stageOf(arrive('honeypot'), 'closed')],
  ])('cannot release what %s', (_, inquiry) => {
    expect(released(inquiry, friday)).toBeUndefined();
  });
});

describe('a stage', () => {
  it('goes only where it may', () => {
    for (const from of stages) {
      for (const to of stages) {
        const change = changeStage({ ...arrive(), stage: from }, to, undefined, friday);
        expect(change.outcome).toBe(stageTransitions[from].includes(to) ? 'changed' : 'not_allowed');
        if (change.outcome === 'not_allowed') expect(change.allowed).toEqual(stageTransitions[from]);
      }
    }
  });

  it('that is an end takes the inquiry off the clock, mail and all; taking it back puts it on again', () => {
    const closed = stageOf(assigned(arrive(), decision, friday), 'closed');

    expect(nextActionAt(closed)).toBeUndefined();
    expect(closed).toMatchObject({ closeReason: 'spam', mailState: undefined });
    const back = stageOf(closed, 'contacted', later(hours(1)));
    expect(back).not.toHaveProperty('closeReason');
    expect(nextActionAt(back)).toBe(at(hours(1) + followUpAfterMs));
  });

  it('taken back before anybody was chosen sends it to the routing again', () => {
    const back = stageOf(stageOf(arrive(), 'closed'), 'contacted', later(hours(1)));

    expect(takeDue(back, later(hours(1) + stepAllowanceMs))?.action).toBe('score');
  });

  it.each(closeReasons)('closed as %s counts as an attempt only where somebody tried', (reason) => {
    const change = changeStage(arrive(), 'closed', reason, friday);

    expect(change.outcome === 'changed' && change.next.firstContactedAt).toBe(
      ['no_response', 'not_interested'].includes(reason) ? friday.toISOString() : undefined,
    );
  });
});

describe('waiting for somebody', () => {
  it('is reminded of at its respond-by, and goes on being asked about', () => {
    const { memberId: _nobody, ...pool } = decision;
    let inquiry = waiting(arrive(), pool, friday);
    const actions = new Set<string>();

    let now = friday;
    for (let sweeps = 0; sweeps < 600 && actions.size < 2; sweeps++) {
      now = new Date(now.getTime() + stepAllowanceMs);
      const taken = takeDue(inquiry, now);
      if (!taken) continue;
      if (taken.action) actions.add(taken.action);
      inquiry = taken.next.mailState === 'pending' ? mailSent(taken.next, now) : taken.next;
    }

    expect(actions).toEqual(new Set(['route', 'mail']));
    expect(inquiry.progress).toBe('waiting');
    expect(inquiry.timers.step).toBeDefined();
  });
});

describe('what rules are to look at', () => {
  const silence = { since: at(0), hours: 10, at: at(hours(20)) };
  const heard: Listening = { awaitsRules: true };
  const contacted = (listens: Listening, now = later(minutes(5))): Inquiry => {
    const change = changeStage(notified(), 'contacted', undefined, now, listens);
    if (change.outcome !== 'changed') throw new Error('not allowed');
    return change.next;
  };

  it('waits as a trigger that the sweep asks for, and only where rules listen', () => {
    const waits = contacted(heard);

    expect(waits.trigger).toEqual({
      kind: 'stage_change',
      at: at(minutes(5)),
      from: 'new',
      stage: 'contacted',
    });
    expect(takeDue(waits, later(minutes(6)))).toMatchObject({ action: 'score' });
    expect(contacted({})).not.toHaveProperty('trigger');
    expect(contacted({}).timers).not.toHaveProperty('step');
  });

  it('is looked at in order, each once, and the step ends with the last', () => {
    const called = withTrigger(
      contacted(heard),
      { kind: 'disposition', disposition: 'reached' },
      later(minutes(5)),
      heard,
    );

    expect(called.version).toBe(contacted(heard).version);
    const once = afterRules(called, {}, later(minutes(6)));
    expect(once.trigger).toMatchObject({ kind: 'disposition', disposition: 'reached', stage: 'contacted' });
    expect(once).not.toHaveProperty('laterTriggers');
    expect(once.timers.step).toBeDefined();
    const twice = afterRules(once, {}, later(minutes(6)));
    expect(twice).not.toHaveProperty('trigger');
    expect(twice.timers).not.toHaveProperty('step');
  });

  it('after a call that reached nobody, nobody is reminded of the first call, and it comes back', () => {
    const overdue = takeDue(notified(), new Date(decision.respondBy))?.next ?? notified();

    const tried = withTrigger(
      raise(overdue),
      { kind: 'disposition', disposition: 'voicemail' },
      later(hours(3)),
    );

    expect(tried).toMatchObject({ stage: 'new', mailState: undefined, firstContactedAt: at(hours(3)) });
    expect(tried.timers).toEqual({ followUp: at(hours(3) + followUpAfterMs) });
  });

  it('is kept however much happens: the first and the newest', () => {
    let inquiry = contacted(heard);
    for (let i = 0; i < 30; i++)
      inquiry = withTrigger(inquiry, { kind: 'reply' }, later(hours(i + 1)), heard);

    expect(inquiry.trigger?.kind).toBe('stage_change');
    expect(inquiry.laterTriggers).toHaveLength(5);
    expect(inquiry.laterTriggers?.at(-1)?.at).toBe(at(hours(30)));
  });

  it('is nothing while it is suspected: that is for a human', () => {
    const suspected = withTrigger(arrive('honeypot'), { kind: 'reply' }, friday, {
      awaitsRules: true,
      silence,
    });

    expect(suspected).toEqual(arrive('honeypot'));
  });

  it('on being closed or booked is looked at all the same', () => {
    const change = changeStage(notified(), 'booked', undefined, friday, { awaitsRules: true, silence });
    const booked = change.outcome === 'changed' ? change.next : notified();

    expect(nextActionAt(booked)).toBe(at(stepAllowanceMs));
    expect(booked).not.toHaveProperty('silence');
    expect(takeDue(booked, later(stepAllowanceMs))?.action).toBe('score');
    expect(nextActionAt(afterRules(booked, {}, friday))).toBeUndefined();
  });

  it('is silence once nothing has happened for so long, and no longer once something has', () => {
    const quiet = contacted({ silence });
    const due = takeDue(quiet, later(hours(20)));

    expect(due).toMatchObject({
      action: 'score',
      next: { trigger: { kind: 'silence', silentHours: 10, stage: 'contacted' }, silence: { hours: 10 } },
    });
    const silent = due?.next ?? quiet;
    expect(silent.timers).not.toHaveProperty('silence');
    const answered = withTrigger(silent, { kind: 'reply' }, later(hours(21)));
    expect(answered).not.toHaveProperty('trigger');
    expect(answered.timers).not.toHaveProperty('step');
  });

  it('is silence again for those that listen for longer', () => {
    const silent = takeDue(contacted({ silence }), later(hours(20)))?.next ?? notified();

    const looked = afterRules(silent, {}, later(hours(20)), { since: at(0), hours: 30, at: at(hours(70)) });

    expect(looked).toMatchObject({
      silence: { since: at(0), hours: 30 },
      timers: { silence: at(hours(70)) },
    });
    expect(afterRules(silent, {}, later(hours(20)))).not.toHaveProperty('silence');
  });

  it('begins its silence with the first mail, and does not begin it anew with a reminder', () => {
    const pending = claimed(assigned(arrive(), decision, friday), friday);
    const sent = mailSent(pending, friday, { silence });
    const reminded = claimed(takeDue(sent, new Date(decision.respondBy))?.next ?? sent, later(hours(2)));

    expect(sent.timers.silence).toBe(silence.at);
    const later2 = { ...silence, at: at(hours(99)) };
    expect(mailSent(reminded, later(hours(2)), { silence: later2 }).timers.silence).toBe(silence.at);
  });
});

describe('rules', () => {
  const heard: Listening = { awaitsRules: true, silence: { since: at(0), hours: 10, at: at(hours(20)) } };
  const triggered = (inquiry = notified()): Inquiry =>
    withTrigger(raise(inquiry), { kind: 'reply' }, friday, heard);

  it('set tier, urgency and clock, and are not taken for a call or for something that happened', () => {
    const before = triggered();

    const ruled = afterRules(
      before,
      { tier: 'C', urgency: 'soon', respondBy: at(hours(9)), stage: { to: 'contacted' } },
      later(minutes(1)),
    );

    expect(ruled).toMatchObject({
      version: before.version + 1,
      tier: 'C',
      urgency: 'soon',
      stage: 'contacted',
      respondBy: at(hours(9)),
      timers: { respond: at(hours(9)), silence: at(hours(20)) },
    });
    expect(ruled).not.toHaveProperty('firstContactedAt');
    expect(ruled).not.toHaveProperty('trigger');
    expect(afterRules(triggered(ruled), { urgency: 'routine' }, friday)).not.toHaveProperty('urgency');
  });

  it('that set a stage leave the first call owed, with its clock and its reminders', () => {
    const moved = afterRules(triggered(), { stage: { to: 'contacted' } }, later(minutes(1)));
    expect(moved.timers.respond).toBe(decision.respondBy);
    expect(moved.timers).not.toHaveProperty('followUp');
    expect(nextActionAt(moved)).toBe(decision.respondBy);

    const reminding = takeDue(moved, new Date(decision.respondBy))?.next ?? moved;
    expect(reminding).toMatchObject({ mailKind: 'escalated', mailState: 'pending' });
    const kept = afterRules(triggered(reminding), { stage: { to: 'consult' } }, later(hours(3)));
    expect(kept).toMatchObject({ stage: 'consult', mailKind: 'escalated', mailState: 'pending' });

    const unrouted = afterRules(triggered(arrive()), { stage: { to: 'consult' } }, friday);
    const sent = mailSent(claimed(assigned(unrouted, decision, friday), friday), friday);
    expect(sent).toMatchObject({ stage: 'consult', timers: { respond: decision.respondBy } });

    const called = stageOf(moved, 'consult');
    expect(called.timers).not.toHaveProperty('respond');
    const moot = afterRules(triggered(called), { stage: { to: 'contacted' } }, later(hours(1)));
    expect(moot.timers).not.toHaveProperty('respond');
  });

  it('set a stage only where it may follow, and while nobody has set another', () => {
    const moved = stageOf(triggered(), 'booked');

    expect(afterRules(moved, { stage: { to: 'consult' } }, friday).stage).toBe('booked');
    expect(
      afterRules(triggered(stageOf(notified(), 'contacted')), { stage: { to: 'new' } }, friday).stage,
    ).toBe('contacted');
  });

  it('that find spam close it as such, whatever its stage by then', () => {
    const spam = afterRules(stageOf(triggered(), 'contacted'), { spam: true }, friday);

    expect(spam).toMatchObject({ stage: 'closed', closeReason: 'spam', timers: {} });
    expect(nextActionAt(spam)).toBeUndefined();
  });

  it('on arrival set spam aside, but not what a human has looked at', () => {
    const suspected = suspectedByRule(arrive(), friday);

    expect(suspected).toMatchObject({ progress: 'quarantined', quarantine: ['rule'] });
    expect(nextActionAt(suspected ?? arrive())).toBe(at(hours(24)));
    const genuine = released(suspected ?? arrive(), friday);
    expect(genuine && suspectedByRule(genuine, friday)).toBeUndefined();
    expect(suspectedByRule(stageOf(arrive(), 'contacted'), friday)).toBeUndefined();
    expect(suspectedByRule(notified(), friday)).toBeUndefined();
  });
});

describe('scored again', () => {
  it('has the new score and tier, and an earlier respond-by at the most', () => {
    const sooner = rescored(notified(), { ...again, urgency: 'same_day' });

    expect(sooner).toMatchObject({
      score: 80,
      tier: 'A',
      urgency: 'same_day',
      respondBy: again.respondBy,
      timers: { respond: again.respondBy },
    });
    const lower = rescored(sooner, { score: 30, tier: 'C', tierBefore: 'A', respondBy: at(hours(30)) });
    expect(lower).toMatchObject({ score: 30, tier: 'C', respondBy: again.respondBy });
  });

  it('keeps what later rules decided: a tier that they moved, and the more urgent of two urgencies', () => {
    const scored = { ...notified(), tier: 'B' as const };
    const heard = { awaitsRules: true };
    const ruled = afterRules(
      withTrigger(raise(scored), { kind: 'reply' }, friday, heard),
      { tier: 'C', urgency: 'same_day' },
      friday,
    );

    expect(rescored(ruled, { ...again, urgency: 'soon' })).toMatchObject({
      score: 80,
      tier: 'C',
      urgency: 'same_day',
    });
    const soon = rescored(scored, { ...again, urgency: 'soon' });
    expect(rescored(soon, { ...again, tierBefore: 'A', urgency: 'same_day' }).urgency).toBe('same_day');
    expect(rescored(soon, { ...again, tierBefore: 'A' }).urgency).toBe('soon');
  });

  it('keeps the clock of whom somebody has called, and the reminder after one', () => {
    const called = rescored(stageOf(notified(), 'contacted'), again);
    const overdue = takeDue(notified(), new Date(decision.respondBy))?.next ?? notified();

    expect(called.respondBy).toBe(decision.respondBy);
    expect(called.timers).not.toHaveProperty('respond');
    const sameAgain = { ...again, respondBy: at(hours(2) + minutes(5)) };
    expect(rescored(overdue, sameAgain).timers.respond).toBe(overdue.timers.respond);
  });

  it('before its routing goes there with what it learned', () => {
    const learned = rescored(arrive(), { ...again, urgency: 'soon' });

    expect(assigned(learned, { ...decision, tier: 'C', score: 3 }, friday)).toMatchObject({
      tier: 'A',
      score: 80,
      urgency: 'soon',
    });
  });
});

describe('a red flag', () => {
  it('is confirmed or a false alarm by what a human says last', () => {
    const raisedOne: Inquiry = { ...arrive(), redFlag: 'raised' };
    const alarm = reviewRedFlag(raisedOne, 'false_alarm') ?? raisedOne;

    expect(alarm).toEqual({ ...raisedOne, version: 2, redFlag: 'false_alarm' });
    expect(reviewRedFlag(alarm, 'confirmed')).toMatchObject({ version: 3, redFlag: 'confirmed' });
    expect(reviewRedFlag(arrive(), 'confirmed')).toBeUndefined();
  });
});
