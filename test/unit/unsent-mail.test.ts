import { describe, expect, it } from 'vitest';
import { captured } from '../../shared/domain/inquiry/arrival.ts';
import { assigned } from '../../shared/domain/inquiry/assignment.ts';
import { type DueEntry, takeDue } from '../../shared/domain/inquiry/due.ts';
import { type Inquiry, nextActionAt } from '../../shared/domain/inquiry/state.ts';
import { clockFor } from '../../shared/domain/listening.ts';
import { friday, hours, smallPractice } from '../support/fixtures.ts';

const id = (prefix: string): string => `${prefix}_${'0'.repeat(26)}`;
const given = (): Inquiry =>
  assigned(
    captured(
      {
        id: id('inq'),
        contactId: id('con'),
        locationId: smallPractice.locations[0]?.id ?? '',
        channel: 'web_form',
        sourceId: 'website',
        quarantine: [],
      },
      friday,
    ),
    {
      memberId: 'ana',
      poolId: 'skin',
      respondBy: new Date(friday.getTime() + hours(1)).toISOString(),
      receipt: { pool: 'skin', strategy: 'weighted_round_robin', candidates: [] },
      score: 71,
      tier: 'A',
    },
    friday,
  );

describe('mails that nobody can be sent', () => {
  /** What the sweeps of some hours find to do, while no mail ever goes out. */
  function sweeps(untilMs: number): { last: Inquiry; entries: DueEntry[]; actions: Set<string> } {
    let last = given();
    const entries: DueEntry[] = [];
    const actions = new Set<string>();
    for (;;) {
      const at = new Date(nextActionAt(last) ?? Number.NaN);
      if (!(at.getTime() <= untilMs)) return { last, entries, actions };
      const due = takeDue(last, at, clockFor(smallPractice, last));
      if (!due) throw new Error(`nothing is due at ${at.toISOString()}`);
      last = due.next;
      entries.push(...due.entries);
      if (due.action) actions.add(due.action);
    }
  }

  it('do not hold up the clock: it is escalated, and offered to somebody else', () => {
    const { last, entries, actions } = sweeps(friday.getTime() + hours(3));

    expect(entries.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['mail_failed', 'escalated']));
    expect(last.reassign).toBe(true);
    expect(actions).toContain('route');
  });

  it('are told once for each, and are not taken for mails that went out', () => {
    const { entries } = sweeps(friday.getTime() + hours(0.5));

    expect(entries).toEqual([{ kind: 'mail_failed', details: { mail: 'assigned' } }]);
    expect(sweeps(friday.getTime() + hours(0.5)).last.progress).toBe('routed');
  });
});
