/** Tasks, notices, digests and appointments on the real engine: of two writers, one wins. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createAppointments } from '../../shared/data/appointments.ts';
import { createDigests } from '../../shared/data/digests.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { createNotices } from '../../shared/data/notices.ts';
import type { Table, Write } from '../../shared/data/table.ts';
import { createTasks } from '../../shared/data/tasks.ts';
import { changeAppointment, newAppointment } from '../../shared/domain/appointment.ts';
import { takeDueDigest } from '../../shared/domain/digest.ts';
import { newNotice } from '../../shared/domain/notice.ts';
import type { Location } from '../../shared/domain/practice.ts';
import { newTask, takeDueTask, taskDone, taskHandedOver } from '../../shared/domain/task.ts';
import { freshTable } from '../support/dynamodb.ts';
import { createPipeline, smallPractice } from '../support/fixtures.ts';

let table: Table;
beforeAll(async () => {
  ({ table } = await freshTable());
});

const now = new Date('2026-11-20T18:00:00.000Z');
const leaseMs = 90_000;
let n = 0;
const ulid = (): string => String(++n).padStart(26, '0');
const contactId = `con_${'0'.repeat(26)}`;
const location = smallPractice.locations[0] as Location;

/** How many of the writes committed, made at once. */
async function race(...writes: Write[]): Promise<number> {
  const done = await Promise.all(writes.map((write) => table.write(write)));
  return done.filter(({ committed }) => committed).length;
}
/** How many of the claims got it. */
const claims = async (claim: () => Promise<unknown>): Promise<number> =>
  (await Promise.all(Array.from({ length: 8 }, claim))).filter((one) => one !== undefined).length;

describe('a task', () => {
  const tasks = () => createTasks(table);
  async function made(change: object = {}) {
    const task = newTask(
      {
        id: `tsk_${ulid()}`,
        contactId,
        locationId: 'main-street',
        title: 'Send the form',
        dueAt: now.toISOString(),
        owner: `owner-${n}`,
        madeBy: 'ana',
        ...change,
      },
      now,
    );
    await table.write(tasks().create(task));
    return task;
  }

  it('reads as it was written, is listed while it is open, and no longer', async () => {
    const task = await made();
    const { create, save, find, ofOwner } = tasks();

    expect(await find(contactId, task.id)).toEqual(task);
    expect((await ofOwner(task.owner, 10)).tasks).toEqual([task]);
    expect(await race(create(task))).toBe(0);
    const done = taskDone(task, 'ana', now);
    expect(done && (await race(save(done)))).toBe(1);
    expect((await ofOwner(task.owner, 10)).tasks).toEqual([]);
    expect((await tasks().ofContact(contactId)).map(({ id }) => id)).toContain(task.id);
  });

  it('done by one and handed over by another at once is what the faster made of it', async () => {
    const task = await made();
    const [done, handed] = [taskDone(task, 'ana', now), taskHandedOver(task, 'ben')];

    expect(done && handed && (await race(tasks().save(done), tasks().save(handed)))).toBe(1);
  });

  it('is claimed by one sweep, its mail by one sender, and by another once the lease is over', async () => {
    const task = await made();
    const due = takeDueTask(task, location, now);
    if (!due) throw new Error('due');
    expect(await race(tasks().save(due), tasks().save(due))).toBe(1);

    expect(await claims(() => tasks().claimMail(contactId, task.id, now, leaseMs))).toBe(1);
    const later = new Date(now.getTime() + leaseMs);
    expect(await claims(() => tasks().claimMail(contactId, task.id, later, leaseMs))).toBe(1);
  });

  it('that follows an inquiry is noted on its head, unless that was changed meanwhile', async () => {
    const pipeline = createPipeline(table);
    const head = await pipeline.head(await pipeline.mailed());
    const inquiries = createInquiries(table);
    const changed = inquiries.save({ ...head, version: head.version + 1, reminders: 1 });

    expect(await race(tasks().noteFollowed(head), changed)).toBe(1);
    const after = await pipeline.head(head.id);
    expect(after.tasksFollow === true).toBe(after.reminders === 0);
    expect(after.version).toBe(head.version + 1);
  });
});

describe('an appointment', () => {
  const appointments = () => createAppointments(table);

  it('settled by two at once has one outcome, and stands in its list until then', async () => {
    const made = newAppointment(
      {
        id: `apt_${ulid()}`,
        contactId,
        locationId: 'main-street',
        at: '2026-11-25T18:00:00.000Z',
        madeBy: 'ana',
      },
      now,
    );
    const range = { from: now.toISOString(), until: '2027-01-01T00:00:00.000Z' };
    await table.write(appointments().create(made));
    expect((await appointments().toCome('main-street', range, 10)).appointments).toEqual([made]);

    const kept = changeAppointment(made, { outcome: 'kept', valueCents: 100 });
    const missed = changeAppointment(made, { outcome: 'no_show' });
    expect(kept && missed && (await race(appointments().save(kept), appointments().save(missed)))).toBe(1);

    expect((await appointments().find(contactId, made.id))?.version).toBe(2);
    expect((await appointments().toCome('main-street', range, 10)).appointments).toEqual([]);
  });
});

describe('a notice', () => {
  it('has one sender at a time', async () => {
    const notices = createNotices(table);
    const inquiryId = `inq_${ulid()}`;
    const notice = newNotice({ id: `ent_${ulid()}`, inquiryId, whom: 'ben' }, now);
    expect(await race(notices.create(notice), notices.create(notice))).toBe(1);

    expect(await claims(() => notices.claimMail(inquiryId, notice.id, now, leaseMs))).toBe(1);
  });
});

describe('a digest', () => {
  it('is taken once and sent by one', async () => {
    const digests = createDigests(table);
    const fresh = { memberId: 'ana', version: 0, nextAt: now.toISOString() };
    expect(await race(digests.create(fresh), digests.create(fresh))).toBe(1);
    const taken = takeDueDigest(fresh, smallPractice, now);
    if (!taken) throw new Error('due');

    expect(await race(digests.save(taken), digests.save(taken))).toBe(1);
    expect(await claims(() => digests.claimMail('ana', now, leaseMs))).toBe(1);
  });
});
