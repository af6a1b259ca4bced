import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { sendMail } from '../../functions/notify/send-mail.ts';
import { applyConfiguration } from '../../shared/data/apply-configuration.ts';
import { createDigests } from '../../shared/data/digests.ts';
import {
  type Digest,
  digestMembers,
  nextDigestAt,
  takeDueDigest,
  worksOn,
} from '../../shared/domain/digest.ts';
import { localTime } from '../../shared/domain/local-time.ts';
import type { Member, Practice } from '../../shared/domain/practice.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, enable, minutes, smallPractice } from '../support/fixtures.ts';

const ana = smallPractice.members.find(({ id }) => id === 'ana') as Member;
const next = (now: string, change: Partial<Member> = {}, practice: Partial<Practice> = {}) =>
  nextDigestAt(new Date(now), { ...ana, ...change }, { ...smallPractice, ...practice });
const block = [{ open: '08:00', close: '12:00' }];

describe('the next digest', () => {
  it.each([
    ['is this morning', '2026-11-20T15:00:00.000Z', {}, '2026-11-20T15:30:00.000Z'],
    ['is after the weekend', '2026-11-20T15:30:00.000Z', {}, '2026-11-23T15:30:00.000Z'],
    [
      'is in the zone of the member',
      '2026-11-20T11:00:00.000Z',
      { timeZone: 'America/New_York' },
      '2026-11-20T12:30:00.000Z',
    ],
    [
      'skips a leave',
      '2026-11-22T15:00:00.000Z',
      { leave: [{ from: '2026-11-23', to: '2026-11-24' }] },
      '2026-11-25T15:30:00.000Z',
    ],
    [
      'does not skip a morning off',
      '2026-11-22T15:00:00.000Z',
      { leave: [{ from: '2026-11-23T08:00', to: '2026-11-23T12:00' }] },
      '2026-11-23T15:30:00.000Z',
    ],
    [
      'skips days without a shift',
      '2026-11-20T16:00:00.000Z',
      { shifts: { thursday: block } },
      '2026-11-26T15:30:00.000Z',
    ],
    [
      'comes on a Saturday with a shift',
      '2026-11-20T16:00:00.000Z',
      { shifts: { saturday: block } },
      '2026-11-21T15:30:00.000Z',
    ],
    ['keeps to the clock when that changes', '2026-10-30T15:00:00.000Z', {}, '2026-11-02T15:30:00.000Z'],
  ])('%s', (_, now, change, at) => {
    expect(next(now, change)).toBe(at);
  });

  it('is when the practice says', () => {
    expect(next('2026-11-20T12:00:00.000Z', {}, { digest: { at: '06:15' } })).toBe(
      '2026-11-20T14:15:00.000Z',
    );
  });

  it('skips the holidays of the location', () => {
    const [location] = smallPractice.locations as [Practice['locations'][number]];
    const locations = [{ ...location, holidays: [{ date: '2026-11-23' }] }];
    expect(next('2026-11-20T16:00:00.000Z', {}, { locations })).toBe('2026-11-24T15:30:00.000Z');
  });

  it('is later, and on a day on which the member works, whenever it is asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.parse('2026-01-01T00:00:00Z'), max: Date.parse('2026-12-31T00:00:00Z') }),
        fc.constantFrom<Partial<Member>>(
          {},
          { shifts: { tuesday: block, sunday: block } },
          { timeZone: 'Asia/Tokyo' },
        ),
        (ms, change) => {
          const now = new Date(ms);
          const member = { ...ana, ...change };
          const at = nextDigestAt(now, member, smallPractice);
          expect(at > now.toISOString()).toBe(true);
          expect(
            worksOn(member, localTime(at, member.timeZone ?? 'America/Los_Angeles'), smallPractice),
          ).toBe(true);
        },
      ),
    );
  });
});

describe('a digest that is due', () => {
  const digest: Digest = { memberId: 'ana', version: 0, nextAt: '2026-11-20T15:30:00.000Z' };
  const take = (state: Digest, now: string, practice = smallPractice) =>
    takeDueDigest(state, practice, new Date(now));

  it('is one mail of its date', () => {
    const taken = take(digest, '2026-11-20T15:31:00.000Z');

    expect(taken).toMatchObject({
      date: '2026-11-20',
      nextAt: '2026-11-23T15:30:00.000Z',
      mailState: 'pending',
    });
    expect(take(digest, '2026-11-20T15:29:59.000Z')).toBeUndefined();
  });

  it('never has a second mail of a date, whatever was configured since', () => {
    const sent = { ...digest, version: 3, date: '2026-11-20', nextAt: '2026-11-20T17:30:00.000Z' };

    expect(take(sent, '2026-11-20T17:30:00.000Z')).toEqual({
      ...sent,
      version: 4,
      nextAt: '2026-11-23T15:30:00.000Z',
    });
  });

  it('is left out once its morning is over, and of who no longer gets one', () => {
    expect(take(digest, '2026-11-20T19:31:00.000Z')).not.toHaveProperty('step');
    const practice = structuredClone(smallPractice);
    enable(false, 'ana')(practice);
    expect(take(digest, '2026-11-20T15:31:00.000Z', practice)).toEqual({
      ...digest,
      version: 1,
      nextAt: '2026-11-21T15:31:00.000Z',
    });
  });

  it('of everybody who takes inquiries, and nobody else', () => {
    const practice = structuredClone(smallPractice);
    enable(false, 'ben')(practice);
    expect(digestMembers(practice).map(({ id }) => id)).toEqual(['ana', 'carla', 'dev', 'elena']);
  });
});

describe('a practice that is applied anew', () => {
  it('brings the digest forward of whose leave ends early, and moves none that is due', async () => {
    const table = createMemoryTable();
    const digests = createDigests(table);
    const apply = (leave: Member['leave'], at: string) => {
      const members = smallPractice.members.map((member) =>
        member.id === 'ana' ? { ...member, ...(leave && { leave }) } : member,
      );
      const practice = { ...smallPractice, members };
      return applyConfiguration({ table, practice, author: 'ada', now: () => new Date(at), force: true });
    };
    await apply([{ from: '2026-11-20', to: '2026-12-11' }], '2026-11-20T15:00:00.000Z');
    expect((await digests.find('ana'))?.nextAt).toBe('2026-12-14T15:30:00.000Z');

    await apply(undefined, '2026-11-22T15:00:00.000Z');
    expect(await digests.find('ana')).toMatchObject({ nextAt: '2026-11-23T15:30:00.000Z' });

    await apply(undefined, '2026-11-23T15:30:20.000Z');
    expect(await digests.find('ana')).toMatchObject({ nextAt: '2026-11-23T15:30:00.000Z' });
  });
});

describe('the mail of a digest', () => {
  let pipeline: ReturnType<typeof createPipeline>;
  beforeEach(async () => {
    pipeline = createPipeline(createMemoryTable());
    const { digests } = pipeline.dependencies;
    await pipeline.table.write(
      digests.create({ memberId: 'ana', version: 0, nextAt: '2026-11-23T15:30:00.000Z' }),
    );
  });

  it('counts what waits, with links and nothing else, once for two sweeps and three deliveries', async () => {
    pipeline.change(enable(false, 'ben', 'carla', 'dev', 'elena'));
    const late = await pipeline.mailed();
    await pipeline.mailed({ name: 'Pedro', email: 'pedro@example.com' });
    const { contactId } = await pipeline.head(late);
    const { tasks, appointments } = pipeline.dependencies;
    const about = { contactId, locationId: 'main-street', madeBy: 'ana' };
    const { newTask } = await import('../../shared/domain/task.ts');
    const { newAppointment } = await import('../../shared/domain/appointment.ts');
    const now = pipeline.environment.now();
    for (const [n, dueAt] of ['2026-11-23T18:00:00.000Z', '2026-11-24T18:00:00.000Z'].entries()) {
      const id = `tsk_${String(n).padStart(26, '0')}`;
      const task = newTask({ ...about, id, title: 'About Maria', dueAt, owner: 'ana' }, now);
      await pipeline.table.write(tasks.create(task));
      const appointment = newAppointment(
        { ...about, id: `apt_${String(n).padStart(26, '0')}`, at: dueAt },
        now,
      );
      await pipeline.table.write(appointments.create(appointment));
    }
    pipeline.environment.set('2026-11-23T15:30:00.000Z');
    pipeline.mailer.sent.splice(0);

    const swept = await Promise.all([pipeline.sweep(), pipeline.sweep()]);
    expect(swept.map(({ digests }) => digests).toSorted()).toEqual([0, 1]);
    const outcomes = await Promise.all(
      Array.from({ length: 3 }, () => sendMail(pipeline.dependencies, { kind: 'digest', memberId: 'ana' })),
    );

    expect(outcomes.toSorted()).toEqual(['mail_not_due', 'mail_not_due', 'mailed']);
    const [mail] = pipeline.mailer.sent.filter(({ mail: { subject } }) => subject.startsWith('Today'));
    expect(mail).toEqual({
      to: ['ana@bayview.example'],
      mail: {
        subject: 'Today, 2026-11-23: 2 calls and 1 task due',
        text: `Good morning. This waits for you.

Open inquiries: 2
  overdue: 2
  due today: 0
Waiting in your pools: 0
https://console.example/v1/queue

Tasks due: 1
https://console.example/v1/tasks

Appointments today: 1
https://console.example/v1/appointments

Bayview
`,
      },
    });
    pipeline.environment.advance(minutes(30));
    expect((await pipeline.sweep()).digests).toBe(0);
  });

  it('of a sender that crashed is sent by another', async () => {
    pipeline.environment.set('2026-11-23T15:30:00.000Z');
    await pipeline.sweep();
    pipeline.mailer.onSend = async () => {
      pipeline.mailer.onSend = async () => {};
      throw new Error('crash');
    };
    await expect(sendMail(pipeline.dependencies, { kind: 'digest', memberId: 'ana' })).rejects.toThrow(
      'crash',
    );
    for (let n = 0; n < 4; n++) {
      pipeline.environment.advance(minutes(1));
      await pipeline.sweep();
      await pipeline.drain();
    }

    expect(pipeline.mailer.sent.filter(({ mail }) => mail.subject.startsWith('Today'))).toHaveLength(1);
  });
});
