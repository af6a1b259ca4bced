import { beforeEach, describe, expect, it } from 'vitest';
import { headRow } from '../../shared/data/inquiries.ts';
import { captured } from '../../shared/domain/inquiry/arrival.ts';
import { assigned } from '../../shared/domain/inquiry/assignment.ts';
import { takeDue } from '../../shared/domain/inquiry/due.ts';
import { endHold, snooze } from '../../shared/domain/inquiry/hold.ts';
import { mailSent } from '../../shared/domain/inquiry/mail.ts';
import { type Inquiry, memberActionAt } from '../../shared/domain/inquiry/state.ts';
import { withTrigger } from '../../shared/domain/inquiry/triggers.ts';
import { clockFor } from '../../shared/domain/listening.ts';
import { friday, hours, smallPractice } from '../support/fixtures.ts';

const later = (ms: number): Date => new Date(friday.getTime() + ms);
const id = (prefix: string): string => `${prefix}_${'0'.repeat(26)}`;
const respondBy = later(hours(1)).toISOString();

let given: Inquiry;
beforeEach(() => {
  const arrived = captured(
    {
      id: id('inq'),
      contactId: id('con'),
      locationId: 'main-street',
      channel: 'web_form',
      sourceId: 'website',
      quarantine: [],
    },
    friday,
  );
  const receipt = { pool: 'skin', strategy: 'weighted_round_robin', candidates: [] };
  const to = { memberId: 'ana', poolId: 'skin', respondBy, receipt, score: 71, tier: 'A' } as const;
  given = mailSent(assigned(arrived, to, friday), friday, { clock: clockFor(smallPractice, arrived) });
});

const missed = (inquiry: Inquiry, now: Date): Inquiry =>
  withTrigger(inquiry, { kind: 'disposition', disposition: 'no_answer' }, now);

describe('the place in a queue', () => {
  it('is the respond-by until somebody has called', () => {
    expect(memberActionAt(given)).toBe(respondBy);
    expect(headRow(given)['queueSk']).toBe(`${respondBy}#${given.id}`);
  });

  it('is the time of the next call after one that reached nobody', () => {
    const called = missed(given, later(hours(0.5)));

    expect(memberActionAt(called)).toBe(called.timers.followUp);
    expect(memberActionAt(called) > respondBy).toBe(true);
  });

  it('stays at the time of a call that is due until it is made', () => {
    const called = missed(given, later(hours(0.5)));
    const dueAt = called.timers.followUp ?? '';
    const reminded = takeDue(called, new Date(dueAt), clockFor(smallPractice, called))?.next ?? called;
    expect(reminded.mailKind).toBe('follow_up');

    expect(memberActionAt(reminded)).toBe(dueAt);
    const again = missed(reminded, new Date(Date.parse(dueAt) + hours(1)));
    expect(memberActionAt(again)).toBe(again.timers.followUp);
  });

  it('is as much later as it was set aside while the location was open', () => {
    // Local eight o'clock: it opens at nine, so that one hour of two is paused.
    const promised = later(hours(3)).toISOString();
    const clock = clockFor(smallPractice, given);
    const held = snooze(
      { ...given, respondBy: promised },
      { by: 'ana', until: later(hours(2)).toISOString() },
      friday,
      clock,
    );
    if (held.outcome !== 'changed') throw new Error('it was not set aside');
    const woken = endHold(held.next, 'snoozed', later(hours(2)), clock);
    if (woken.outcome !== 'changed') throw new Error('it did not come back');

    expect(memberActionAt(woken.next)).toBe(later(hours(4)).toISOString());
    expect(woken.next.respondBy).toBe(promised);
  });

  it('is where it comes back for what was set aside', () => {
    const until = later(hours(30)).toISOString();
    const hold = { kind: 'snoozed', by: 'ana', since: friday.toISOString(), until } as const;

    expect(memberActionAt({ ...given, hold })).toBe(until);
  });
});
