/** The states that no step leads to, and where each of them goes on. */
import { describe, expect, it } from 'vitest';
import { captured } from '../../shared/domain/inquiry/arrival.ts';
import { mended } from '../../shared/domain/inquiry/mend.ts';
import { type Inquiry, isMailUnderWay, nextActionAt } from '../../shared/domain/inquiry/state.ts';
import { friday, hours } from '../support/fixtures.ts';

const now = new Date(friday.getTime() + hours(3));
const at = now.toISOString();

const fresh = captured(
  {
    id: 'inq_00000000000000000000000001',
    contactId: 'con_00000000000000000000000001',
    locationId: 'main-street',
    channel: 'web_form',
    sourceId: 'website',
    quarantine: [],
  },
  friday,
);
const given: Inquiry = {
  ...fresh,
  version: 4,
  progress: 'notified',
  score: 60,
  tier: 'B',
  poolId: 'skin',
  assignedTo: 'ana',
  assignedAt: friday.toISOString(),
  respondBy: new Date(friday.getTime() + hours(2)).toISOString(),
  receipt: { pool: 'skin', strategy: 'weighted_round_robin', candidates: [] },
  mailKind: 'assigned',
  mailState: 'sent',
  timers: { respond: new Date(friday.getTime() + hours(1)).toISOString() },
};
const newest = { total: 60, tier: 'B' as const };

describe('a state that holds together', () => {
  it.each<[string, Inquiry]>([
    ['captured', fresh],
    ['with somebody', given],
    ['being told of', { ...given, progress: 'routed', mailState: 'pending', timers: { step: at } }],
    ['called, and to be called again', { ...given, firstContactedAt: at, timers: { followUp: at } }],
    ['waiting', { ...fresh, progress: 'waiting', poolId: 'skin', timers: { step: at, respond: at } }],
    ['closed', { ...given, stage: 'closed', timers: {} }],
    ['quarantined', { ...fresh, progress: 'quarantined', quarantine: ['rule'], timers: { review: at } }],
  ])('stays as it is: %s', (_, inquiry) => {
    expect(mended(inquiry, newest, now)).toEqual({ next: inquiry, faults: [] });
  });
});

describe('a state that does not', () => {
  it('is given to somebody anew where nobody has it', () => {
    const { assignedTo: _nobody, ...lost } = given;

    const { next, faults } = mended(lost, newest, now);

    expect(faults).toEqual(['placement']);
    expect(next).toMatchObject({ progress: 'captured', score: 60, timers: { step: at } });
    expect(next).not.toHaveProperty('receipt');
    expect(next).not.toHaveProperty('assignedAt');
    expect(nextActionAt(next)).toBe(at);
  });

  it.each(['captured', 'waiting'] as const)(
    'is told to whoever has it, where it says that it is %s',
    (progress) => {
      const { next, faults } = mended({ ...given, progress }, newest, now);

      expect(faults).toEqual(['placement']);
      expect(next).toMatchObject({ progress: 'routed', assignedTo: 'ana', mailKind: 'assigned' });
      expect(isMailUnderWay(next)).toBe(true);
      expect(nextActionAt(next)).toBe(at);
    },
  );

  it('is routed where it waits in no pool', () => {
    const { next, faults } = mended({ ...fresh, progress: 'waiting', timers: { step: at } }, newest, now);

    expect([faults, next.progress]).toEqual([['placement'], 'captured']);
  });

  it.each<[string, Inquiry, Inquiry['timers']]>([
    ['the pipeline is not asked', { ...fresh, timers: {} }, { step: at }],
    ['nobody is reminded', { ...given, timers: {} }, { respond: given.respondBy }],
    ['nobody calls once more', { ...given, firstContactedAt: at, timers: {} }, { followUp: at }],
    [
      'nobody reviews it',
      { ...fresh, progress: 'quarantined', quarantine: ['rule'], timers: {} },
      { review: at },
    ],
  ])('is on the clock again where %s', (_, inquiry, timers) => {
    const { next, faults } = mended(inquiry, newest, now);

    expect(faults).toHaveLength(1);
    expect(next.timers).toEqual(timers);
    expect(mended(next, newest, now).faults).toEqual([]);
  });

  it('is worth what its newest score says', () => {
    expect(mended({ ...given, score: 61 }, newest, now)).toEqual({ next: given, faults: ['score'] });
  });
});
