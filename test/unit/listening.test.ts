import { describe, expect, it } from 'vitest';
import { listeningFor, nextSilence } from '../../shared/domain/listening.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { practiceSchema } from '../../shared/domain/schema/practice.ts';
import { ruleSchema } from '../../shared/domain/schema/rule.ts';
import { friday, smallPractice } from '../support/fixtures.ts';

const rule = (id: string, on: string[], change: object = {}) =>
  ruleSchema.parse({ id, name: id, on, actions: [{ do: 'tag', tag: id }], ...change });
const practice: Practice = practiceSchema.parse({
  ...smallPractice,
  rules: [
    rule('two-days', ['silence'], { silentHours: 16 }),
    rule('one-day', ['silence'], { silentHours: 8 }),
    rule('off', ['silence', 'reply'], { silentHours: 1, enabled: false }),
    rule('moved', ['stage_change']),
  ],
});
const head = { locationId: 'main-street', serviceId: undefined };
const location = practice.locations[0] ?? { timeZone: 'UTC', hours: {} };

describe('rules that listen', () => {
  it('are those that are on', () => {
    expect(listeningFor(practice, head, friday, 'stage_change').awaitsRules).toBe(true);
    expect(listeningFor(practice, head, friday, 'reply').awaitsRules).toBe(false);
    expect(listeningFor(practice, head, friday).awaitsRules).toBe(false);
    expect(listeningFor(smallPractice, head, friday, 'stage_change')).toMatchObject({
      awaitsRules: false,
      silence: undefined,
    });
  });

  it('for silence count opening hours, the shortest first', () => {
    // Friday before opening: eight hours are that Friday's.
    expect(listeningFor(practice, head, friday).silence).toEqual({
      since: friday.toISOString(),
      hours: 8,
      at: '2026-11-21T01:00:00.000Z',
    });
    expect(nextSilence(practice, location, friday.toISOString(), 8)).toMatchObject({
      hours: 16,
      at: '2026-11-24T01:00:00.000Z',
    });
    expect(nextSilence(practice, location, friday.toISOString(), 16)).toBeUndefined();
  });

  it('come to it late where a location is seldom open, and never where it never is', () => {
    const seldom = { timeZone: 'UTC', hours: { monday: [{ open: '09:00', close: '10:00' }] } };

    expect(nextSilence(practice, seldom, friday.toISOString())?.at).toBe('2027-01-11T10:00:00.000Z');
    expect(nextSilence(practice, { ...seldom, hours: {} }, friday.toISOString())).toBeUndefined();
  });
});
