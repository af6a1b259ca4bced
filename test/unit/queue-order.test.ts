import { beforeEach, describe, expect, it } from 'vitest';
import { headRow } from '../../shared/data/inquiries.ts';
import { captured } from '../../shared/domain/inquiry/arrival.ts';
import { assigned } from '../../shared/domain/inquiry/assignment.ts';
import { takeDue } from '../../shared/domain/inquiry/due.ts';
import { mailSent } from '../../shared/domain/inquiry/mail.ts';
import { type Inquiry, lookedAtBy } from '../../shared/domain/inquiry/state.ts';
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
    expect(lookedAtBy(given)).toBe(respondBy);
    expect(headRow(given)['queueSk']).toBe(`${respondBy}#${given.id}`);
  });

  it('is the time of the next call after one that reached nobody', () => {
    const called = missed(given, later(hours(0.5)));

    expect(lookedAtBy(called)).toBe(called.timers.followUp);
    expect(lookedAtBy(called) > respondBy).toBe(true);
  });

  it('stays at the time of a call that is due until it is made', () => {
    const called = missed(given, later(hours(0.5)));
    const dueAt = called.timers.followUp ?? '';
    const reminded = takeDue(called, new Date(dueAt), clockFor(smallPractice, called))?.next ?? called;
    expect(reminded.mailKind).toBe('follow_up');

    expect(lookedAtBy(reminded)).toBe(dueAt);
    const again = missed(reminded, new Date(Date.parse(dueAt) + hours(1)));
    expect(lookedAtBy(again)).toBe(again.timers.followUp);
  });

  it('is where it comes back for what was set aside', () => {
    const until = later(hours(30)).toISOString();
    const hold = { kind: 'snoozed', by: 'ana', since: friday.toISOString(), until } as const;

    expect(lookedAtBy({ ...given, hold })).toBe(until);
  });
});
