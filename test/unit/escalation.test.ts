import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Opening } from '../../shared/domain/business-time.ts';
import { escalationDefaults } from '../../shared/domain/defaults.ts';
import { type Clock, type Escalation, rungTimes } from '../../shared/domain/escalation.ts';
import { captured, rescored } from '../../shared/domain/inquiry/arrival.ts';
import { assigned, notReassigned, reassigned, waiting } from '../../shared/domain/inquiry/assignment.ts';
import { takeDue } from '../../shared/domain/inquiry/due.ts';
import { termOf } from '../../shared/domain/inquiry/ladder.ts';
import { mailSent } from '../../shared/domain/inquiry/mail.ts';
import { afterRules } from '../../shared/domain/inquiry/rules.ts';
import { type Inquiry, nextActionAt } from '../../shared/domain/inquiry/state.ts';
import { withTrigger } from '../../shared/domain/inquiry/triggers.ts';
import { smallPractice } from '../support/fixtures.ts';

const nineToFive = smallPractice.locations[0] as Opening;
const everyHour: Opening = {
  timeZone: 'America/Los_Angeles',
  hours: Object.fromEntries(
    ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'].map((day) => [
      day,
      [{ open: '00:00', close: '24:00' }],
    ]),
  ),
};
const clock: Clock = { location: nineToFive, escalation: escalationDefaults };
const always: Clock = { location: everyHour, escalation: escalationDefaults };

/** A Friday, 9:00 in Los Angeles: opening. */
const opening = Date.parse('2026-11-20T17:00:00.000Z');
const at = (minutes: number): string => new Date(opening + minutes * 60_000).toISOString();
const when = (minutes: number): Date => new Date(at(minutes));
const id = (prefix: string): string => `${prefix}_${'0'.repeat(26)}`;
const arrived = (): Inquiry =>
  captured(
    {
      id: id('inq'),
      contactId: id('con'),
      locationId: 'main-street',
      channel: 'web_form',
      sourceId: 'website',
      quarantine: [],
    },
    when(0),
  );
const decision = (respondBy: string) => ({
  memberId: 'ana',
  poolId: 'skin',
  respondBy,
  receipt: { pool: 'skin', strategy: 'weighted_round_robin', candidates: [] },
  score: 50,
  tier: 'B' as const,
});
const sent = (inquiry: Inquiry, now: Date, on = clock): Inquiry =>
  mailSent(
    { ...inquiry, version: inquiry.version + 1, mailState: 'sending', mailAt: now.toISOString() },
    now,
    { clock: on },
  );
/** Given to ana so many minutes after it came, with her mail out. */
const given = (respondBy = at(60), after = 0, on = clock): Inquiry =>
  sent(assigned(arrived(), decision(respondBy), when(after)), when(after), on);

/** What the sweep does at each of its runs, a minute apart, where each mail goes out at once. */
function run(start: Inquiry, from: number, minutes: number, on = clock, isAnybodyFree = true) {
  const log: string[] = [];
  let inquiry = start;
  for (let minute = from; minute <= from + minutes; minute++) {
    const due = takeDue(inquiry, when(minute), on);
    if (!due) continue;
    inquiry = due.next;
    log.push(`${minute} ${due.action === 'mail' ? inquiry.mailKind : (due.action ?? 'ended')}`);
    if (due.action === 'mail') inquiry = sent(inquiry, when(minute), on);
    if (due.action === 'route' && !isAnybodyFree) inquiry = notReassigned(inquiry, when(minute));
  }
  return { log, inquiry };
}

describe('the ladder', () => {
  it('reminds at half time, warns at three quarters, and at the end tells the managers and asks for somebody else', () => {
    const { log, inquiry } = run(given(), 0, 62);

    expect(log).toEqual(['30 reminder', '45 warning', '60 escalated', '61 route', '62 route']);
    expect(inquiry).toMatchObject({ rung: 3, reminders: 3, reassign: true, respondBy: at(60) });
  });

  it('asks for somebody else only once the mail that says so is out', () => {
    const due = takeDue({ ...given(), rung: 2 }, when(60), clock);

    expect(due).toMatchObject({
      action: 'mail',
      next: { mailKind: 'escalated', mailState: 'pending', reassign: true },
      entries: [{ kind: 'escalated', details: { atPercent: 100, does: ['notify_manager', 'reassign'] } }],
    });
    const out = sent(due?.next as Inquiry, when(60));
    expect(nextActionAt(out)).toBe(at(60));
    expect(takeDue(out, when(60), clock)?.action).toBe('route');
  });

  it('whose mail cannot be sent asks for it alone, and once it is given up for somebody else all the same', () => {
    let inquiry = takeDue({ ...given(), rung: 2 }, when(60), clock)?.next as Inquiry;
    const asked: unknown[] = [];
    while (inquiry.mailState === 'pending') {
      const due = takeDue(inquiry, new Date(String(nextActionAt(inquiry))), clock);
      asked.push(due?.action);
      inquiry = due?.next as Inquiry;
    }

    // Routing would leave it as it is until then.
    expect(new Set(asked.slice(0, -1))).toEqual(new Set(['mail']));
    expect(inquiry.mailState).toBe('failed');
    expect(takeDue(inquiry, new Date(String(nextActionAt(inquiry))), clock)?.action).toBe('route');
  });

  it('goes on every two business hours where nobody was free, over the night too', () => {
    const { inquiry } = run(given(), 0, 60);
    const { log } = run(notReassigned(inquiry, when(61)), 61, 4 * 1_440, clock, false);

    // Until 17:00 on Friday, then from 9:00 on Monday; a sweep at 17:00 sharp is at closing time.
    // Each time it is offered again: by then somebody may be free.
    expect(log.slice(0, 8)).toEqual(
      [180, 300, 420, 4_380].flatMap((minute) => [`${minute} escalated`, `${minute + 1} route`]),
    );
  });

  it('of whoever takes it over begins anew, with as long as the person was promised', () => {
    const { inquiry } = run(given(), 0, 60);
    const taken = sent(reassigned(inquiry, { ...decision(at(60)), memberId: 'ben' }, when(61)), when(61));

    expect(taken).toMatchObject({ assignedTo: 'ben', hadBy: ['ana'], respondBy: at(60) });
    expect(taken).not.toHaveProperty('reassign');
    expect(termOf(taken, clock)).toEqual({ from: at(61), to: at(121) });
    expect(run(taken, 61, 61).log).toEqual(['91 reminder', '106 warning', '121 escalated', '122 route']);
  });

  it('takes rungs that fall due together as one, the highest', () => {
    // Nobody swept for an hour.
    expect(run(given(), 70, 0).log).toEqual(['70 escalated']);
    expect(run(given(), 50, 0).log).toEqual(['50 warning']);
  });

  it.each([0, 1, 2, 3, 4, 5, 6])(
    'of five minutes sends no two mails within the same minute, assigned after %s',
    (after) => {
      const { log } = run(given(at(5), after, always), after, 10, always);
      const mails = log.filter((line) => !line.endsWith('route')).map((line) => Number(line.split(' ')[0]));

      expect(new Set(mails).size).toBe(mails.length);
      expect(mails.length).toBeLessThanOrEqual(3);
      if (after <= 4) expect(log).toContain('5 escalated');
    },
  );

  it('does not repeat to whoever just got it what is over by then', () => {
    const late = given(at(60), 50);

    expect(late).toMatchObject({ rung: 2, timers: { respond: at(60) } });
    expect(run(late, 50, 10).log).toEqual(['60 escalated']);
  });

  it('begins anew with another respond-by, by a score or by a rule', () => {
    const sooner = rescored(
      { ...given(at(240)), rung: 1 },
      { score: 90, tier: 'A', tierBefore: 'B', respondBy: at(135) },
      when(130),
      clock,
    );
    const ruled = afterRules(
      withTrigger({ ...given(), rung: 3 }, { kind: 'reply' }, when(70), { awaitsRules: true, clock }),
      { respondBy: at(170) },
      when(70),
      undefined,
      { clock },
    );

    expect(run(sooner, 130, 6).log).toEqual(['133 reminder', '134 warning', '135 escalated', '136 route']);
    expect(termOf(ruled, clock)).toEqual({ from: at(70), to: at(170) });
    expect(ruled).not.toHaveProperty('rung');
    expect(ruled.timers.respond).toBe(at(120));
  });

  it('ends with a call, whoever was being looked for', () => {
    const { inquiry } = run(given(), 0, 60);
    const called = withTrigger(inquiry, { kind: 'disposition', disposition: 'voicemail' }, when(61), {
      clock,
    });

    for (const attribute of ['rung', 'deadline', 'reassign', 'hadBy'])
      expect(called).not.toHaveProperty(attribute);
    expect(called.timers.respond).toBeUndefined();
    expect(called.timers.step).toBeUndefined();
  });

  it('tells the managers of what waits for somebody, at its respond-by and from then on', () => {
    const { memberId: _nobody, ...pool } = decision(at(60));
    const { log } = run(waiting(arrived(), pool, when(0)), 0, 200);

    expect(log.filter((line) => line.endsWith('escalated'))).toEqual(['60 escalated', '180 escalated']);
  });

  it('whose mail about what waits is lost asks for it again within minutes, whatever routing finds meanwhile', () => {
    const { memberId: _nobody, ...undecided } = decision(at(60));
    let inquiry = takeDue(waiting(arrived(), undecided, when(0)), when(60), clock)?.next as Inquiry;
    let now = when(60);
    const asked: unknown[] = [];
    while (inquiry.mailState === 'pending') {
      const dueAt = new Date(String(nextActionAt(inquiry)));
      expect(dueAt.getTime() - now.getTime()).toBeLessThanOrEqual(8 * 60_000);
      const due = takeDue(inquiry, dueAt, clock);
      now = dueAt;
      asked.push(due?.action);
      inquiry = due?.next as Inquiry;
      if (due?.action === 'route') inquiry = waiting(inquiry, undecided, now);
    }

    expect(asked).toContain('mail');
    expect(asked).toContain('route');
    expect(inquiry.mailState).toBe('failed');
    // The ladder goes on: they hear of it with the next rung.
    expect(String(nextActionAt(inquiry)) <= at(60 + 3 * 60)).toBe(true);
  });

  it('has rules look within minutes at what waits, whatever routing finds meanwhile', () => {
    const { memberId: _nobody, ...undecided } = decision(at(60));
    const listening = { awaitsRules: true, clock };
    let inquiry = waiting(arrived(), undecided, when(0));
    inquiry = withTrigger(inquiry, { kind: 'disposition', disposition: 'voicemail' }, when(5), listening);
    const asked: string[] = [];
    let now = when(5);
    for (let i = 0; i < 4; i++) {
      const dueAt = new Date(String(nextActionAt(inquiry)));
      expect(dueAt.getTime() - now.getTime()).toBeLessThanOrEqual(60_000);
      const due = takeDue(inquiry, dueAt, clock);
      now = dueAt;
      asked.push(String(due?.action));
      inquiry = due?.next as Inquiry;
      if (due?.action === 'route') inquiry = waiting(inquiry, undecided, now);
    }

    expect(asked.toSorted()).toEqual(['route', 'route', 'score', 'score']);
  });

  it('gives a mail about what waits as long as any other, however many things are asked for', () => {
    const { memberId: _nobody, ...undecided } = decision(at(60));
    let inquiry = takeDue(waiting(arrived(), undecided, when(0)), when(60), clock)?.next as Inquiry;
    inquiry = withTrigger(inquiry, { kind: 'reply' }, when(60), { awaitsRules: true, clock });
    const asked: unknown[] = [];
    let now = when(60);
    while (inquiry.mailState === 'pending') {
      now = new Date(String(nextActionAt(inquiry)));
      const due = takeDue(inquiry, now, clock);
      asked.push(due?.action);
      inquiry = due?.next as Inquiry;
      if (due?.action === 'route') inquiry = waiting(inquiry, undecided, now);
    }

    expect(inquiry.mailState).toBe('failed');
    expect(now.getTime()).toBeGreaterThanOrEqual(when(67).getTime());
    expect(asked.filter((action) => action === 'mail').length).toBeGreaterThanOrEqual(2);
  });

  it('may ask for somebody else without a mail, and tell the managers before that', () => {
    const escalation: Escalation = {
      steps: [
        { atPercent: 20, do: ['notify_manager'] },
        { atPercent: 80, do: ['reassign'] },
      ],
      thenEveryMinutes: 60,
    };
    const own = { location: nineToFive, escalation };
    const { log, inquiry } = run(given(at(60), 0, own), 0, 49, own);

    expect(log).toEqual(['12 escalated', '48 route', '49 route']);
    expect(inquiry).toMatchObject({ rung: 2, reassign: true, reminders: 1 });
    // Given late, the managers hear of it all the same.
    expect(run(given(at(60), 30, own), 30, 1, own).log).toEqual(['30 escalated']);
  });

  it('has its rungs in order, within its term, and the last where it was promised', () => {
    const minutes = fc.integer({ min: 0, max: 20_000 });
    fc.assert(
      fc.property(minutes, minutes, fc.constantFrom(clock, always), (from, length, on) => {
        const term = { from: at(from), to: at(from + length) };
        const times = rungTimes(term, on);
        expect(times.toSorted()).toEqual(times);
        expect(times.every((time) => time >= term.from && time <= term.to)).toBe(true);
        expect(times.at(-1)).toBe(term.to);
      }),
    );
  });
});
