import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { TasksBusy } from '../../functions/notify/send-own-mail.ts';
import { taskRow } from '../../shared/data/tasks.ts';
import type { Location, Practice } from '../../shared/domain/practice.ts';
import type { Rule } from '../../shared/domain/rules/rule.ts';
import { ruleSchema } from '../../shared/domain/schema/rule.ts';
import {
  isTaskOpen,
  newTask,
  type Task,
  takeDueTask,
  taskActionAt,
  taskDone,
  taskFollowing,
  taskHandedOver,
  taskMoved,
  taskReminded,
  taskReopened,
} from '../../shared/domain/task.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, enable, hours, minutes, smallPractice } from '../support/fixtures.ts';

const rule = (id: string, change: object): Rule => ruleSchema.parse({ id, name: id, ...change });
const withRules =
  (...rules: Rule[]) =>
  (practice: Practice): void => {
    practice.rules = rules;
  };

const location = smallPractice.locations[0] as Location;
const friday = new Date('2026-11-20T16:00:00.000Z');
const fresh = (change: object = {}): Task =>
  newTask(
    {
      id: `tsk_${'0'.repeat(26)}`,
      contactId: `con_${'0'.repeat(26)}`,
      locationId: 'main-street',
      title: 'Send the form',
      dueAt: '2026-11-20T18:00:00.000Z',
      owner: 'ana',
      madeBy: 'ana',
      ...change,
    },
    friday,
  );

describe('the state of a task', () => {
  it('brings its owner to mind when it is due, and then each business morning', () => {
    const due = takeDueTask(fresh(), location, new Date('2026-11-20T18:00:00.000Z'));
    const out = due && taskReminded(due, new Date('2026-11-20T18:00:01.000Z'));

    expect(due).toMatchObject({ reminders: 1, mailState: 'pending', version: 2 });
    // A weekend lies between.
    expect(out).toMatchObject({ remindAt: '2026-11-23T17:00:00.000Z', mailState: 'sent' });
    expect(out && taskActionAt(out)).toBe('2026-11-23T17:00:00.000Z');
  });

  it('is not due a moment before, and a reminder that never ended is asked for again, ever more seldom', () => {
    expect(takeDueTask(fresh(), location, new Date('2026-11-20T17:59:59.999Z'))).toBeUndefined();
    const pauses: number[] = [];
    let task = fresh();
    for (let n = 0; n < 5; n++) {
      const now = new Date(taskActionAt(task) as string);
      task = takeDueTask(task, location, now) as Task;
      pauses.push((Date.parse(taskActionAt(task) as string) - now.getTime()) / 1000);
    }
    expect(pauses).toEqual([90, 90, 180, 360, 720]);
    expect(task.reminders).toBe(1);
  });

  it('that follows its inquiry has whoever has that, until somebody hands it to a person', () => {
    const task = fresh({ owner: undefined, inquiryId: `inq_${'0'.repeat(26)}` });
    expect(task).toMatchObject({ follows: true });
    expect(task).not.toHaveProperty('owner');

    const theirs = taskFollowing(task, 'ben') as Task;
    expect(theirs).toMatchObject({ owner: 'ben', follows: true });
    const handed = taskHandedOver(theirs, 'ben') as Task;
    expect(handed).not.toHaveProperty('follows');
    expect(taskFollowing(handed, 'ana')).toBeUndefined();
  });

  const operations = fc.array(
    fc.oneof(
      fc.constantFrom('due', 'sent', 'done', 'reopen').map((name) => ({ name, to: '' })),
      fc.constantFrom('ana', 'ben').map((to) => ({ name: 'hand', to })),
      fc.constantFrom('ana', 'ben').map((to) => ({ name: 'follow', to })),
      fc
        .constantFrom('2026-11-20T17:00:00.000Z', '2026-12-01T17:00:00.000Z')
        .map((to) => ({ name: 'move', to })),
    ),
    { maxLength: 20 },
  );

  it('is on the due index and in a queue just while it is open, whatever happens to it', () => {
    fc.assert(
      fc.property(operations, fc.boolean(), (steps, follows) => {
        let task = fresh(follows ? { owner: undefined, inquiryId: `inq_${'0'.repeat(26)}` } : {});
        let now = friday.getTime();
        for (const { name, to } of steps) {
          now += hours(5);
          const at = new Date(now);
          const next = {
            due: () => takeDueTask(task, location, at),
            sent: () => (task.mailState === 'pending' ? taskReminded(task, at) : undefined),
            done: () => taskDone(task, 'ana', at),
            reopen: () => taskReopened(task, location, at),
            hand: () => taskHandedOver(task, to),
            follow: () => taskFollowing(task, to),
            move: () => taskMoved(task, to),
          }[name as 'due']();
          if (next) expect(next.version).toBe(task.version + 1);
          task = next ?? task;
          const row = taskRow(task);
          expect('dueSk' in row).toBe(isTaskOpen(task));
          expect(row['queuePk']).toBe(isTaskOpen(task) ? `TASKS#${task.owner ?? '-'}` : undefined);
        }
      }),
    );
  });
});

describe('a task that rules make', () => {
  let table: ReturnType<typeof createMemoryTable>;
  let pipeline: ReturnType<typeof createPipeline>;
  beforeEach(() => {
    table = createMemoryTable();
    pipeline = createPipeline(table);
  });
  const tasksOf = async (id: string) =>
    pipeline.dependencies.tasks.ofContact((await pipeline.head(id)).contactId);
  const withTask = (on: 'arrival' | 'disposition' = 'arrival') =>
    pipeline.change(
      withRules(
        rule('ask', {
          on: [on],
          when: { field: 'source', operator: 'is', value: 'website' },
          actions: [
            { do: 'make_task', title: 'Ask for the referral', dueInMinutes: 120 },
            { do: 'notify', whom: 'ben' },
            { do: 'notify', whom: 'managers' },
          ],
        }),
      ),
    );

  it('is for whoever gets the inquiry, due in opening time, with its entry, once', async () => {
    withTask();
    const id = await pipeline.captured();
    await Promise.all(Array.from({ length: 5 }, () => pipeline.score(id)));
    await pipeline.drain();

    const [task, ...others] = await tasksOf(id);
    expect(others).toEqual([]);
    // The practice opens at nine.
    expect(task).toMatchObject({
      title: 'Ask for the referral',
      dueAt: '2026-11-20T19:00:00.000Z',
      madeBy: 'rule:ask',
      follows: true,
    });
    expect(task?.owner).toBe((await pipeline.head(id)).assignedTo);
    const entries = table.rows().filter(({ kind }) => kind === 'task');
    expect(entries).toMatchObject([{ actor: 'rule:ask', details: { change: 'made', follows: true } }]);
  });

  it('that cannot be handed over, since others keep writing, holds up the mail until its claim comes again', async () => {
    withTask();
    const id = await pipeline.captured();
    await pipeline.score(id);
    await pipeline.route(id);
    const { write } = table;
    table.write = async (wanted) =>
      'put' in wanted && wanted.put['entity'] === 'task'
        ? { committed: false, existing: undefined }
        : await write(wanted);

    await expect(pipeline.notify(id)).rejects.toThrow(TasksBusy);
    expect(pipeline.mailer.sent).toEqual([]);

    table.write = write;
    pipeline.environment.advance(minutes(2));
    await pipeline.sweep();
    await pipeline.drain();
    const { assignedTo, mailState } = await pipeline.head(id);
    expect(await tasksOf(id)).toMatchObject([{ owner: assignedTo }]);
    expect(mailState).toBe('sent');
  });

  it('tells whom a rule notifies, each once, by a link and no more', async () => {
    withTask();
    const id = await pipeline.captured();
    await pipeline.score(id);
    const notices = pipeline.queues.mail.take().filter(({ kind }) => kind === 'notice');
    for (const message of [...notices, ...notices]) pipeline.queues.mail.sent.push(message);
    await pipeline.drain();

    const told = pipeline.mailer.sent.filter(({ mail }) => mail.subject === 'An inquiry to look at');
    expect(told.map(({ to }) => to)).toEqual([['ben@bayview.example'], ['mia@bayview.example']]);
    expect(told[0]?.mail.text).toContain(`/v1/inquiries/${id}`);
    expect(JSON.stringify(told)).not.toMatch(/maria|lopez|acne|referral/i);
  });

  it('notices whose message was lost are sent by the sweep', async () => {
    withTask();
    const id = await pipeline.captured();
    await pipeline.score(id);
    pipeline.queues.mail.take();
    pipeline.environment.advance(minutes(2));

    expect(await pipeline.sweep()).toMatchObject({ notices: 2 });
    await pipeline.drain();

    const told = pipeline.mailer.sent.filter(({ mail }) => mail.subject === 'An inquiry to look at');
    expect(told).toHaveLength(2);
    pipeline.environment.advance(hours(10));
    expect((await pipeline.sweep()).notices).toBe(0);
  });

  it('reminds its owner when it is due, once for two sweeps at once, without its title', async () => {
    withTask();
    const id = await pipeline.mailed();
    const { assignedTo, contactId } = await pipeline.head(id);
    pipeline.environment.set('2026-11-20T19:00:00.000Z');
    pipeline.mailer.sent.splice(0);

    const swept = await Promise.all([pipeline.sweep(), pipeline.sweep()]);
    await pipeline.drain();

    expect(swept.map(({ tasks }) => tasks).toSorted()).toEqual([0, 1]);
    const mails = pipeline.mailer.sent.filter(({ mail }) => mail.subject.startsWith('Task'));
    const [task] = await tasksOf(id);
    expect(mails).toEqual([
      {
        to: [`${assignedTo}@bayview.example`],
        mail: {
          subject: 'Task due Fri 20 Nov, 11:00 AM PST',
          text: expect.stringContaining(`https://console.example/v1/contacts/${contactId}/tasks/${task?.id}`),
        },
      },
    ]);
    expect(JSON.stringify(mails)).not.toMatch(/referral|maria/i);

    pipeline.environment.set('2026-11-23T17:00:00.000Z');
    await pipeline.sweep();
    await pipeline.drain();
    expect(pipeline.mailer.sent.map(({ mail }) => mail.subject)).toContain(
      'Reminder: task was due Fri 20 Nov, 11:00 AM PST',
    );
  });

  it('while nobody has the inquiry is for the managers to hear of', async () => {
    withTask();
    pipeline.change(enable(false, 'ana', 'ben', 'carla', 'dev', 'elena'));
    const id = await pipeline.captured();
    await pipeline.drain();
    expect((await pipeline.head(id)).progress).toBe('waiting');
    const { tasks } = await pipeline.dependencies.tasks.ofOwner(undefined, 10);
    expect(tasks).toHaveLength(1);
    pipeline.environment.set('2026-11-20T19:00:00.000Z');
    pipeline.mailer.sent.splice(0);

    await pipeline.sweep();
    await pipeline.drain();

    const mails = pipeline.mailer.sent.filter(({ mail }) => mail.subject.startsWith('Task'));
    expect(mails.map(({ to }) => to)).toEqual([['mia@bayview.example']]);
  });
});
