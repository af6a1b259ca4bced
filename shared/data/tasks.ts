/** Tasks in the table: in the partition of their contact, on the due index, and in the queue of their owner. */
import type { Environment } from '../domain/ids.ts';
import {
  isTaskOpen,
  type NewTask,
  newTask,
  type Task,
  taskActionAt,
  taskDetails,
  taskSchema,
} from '../domain/task.ts';
import { entryOf, type TaskChange } from '../domain/timeline.ts';
import { claimMail } from './claim-mail.ts';
import type { Contacts } from './contacts.ts';
import { byTime, contactPk, contactTask, duePk, dueShardOf, inquiryHead, queueOfTasks } from './keys.ts';
import { absent, atVersion, queryAll, type Row, type Table, type Write } from './table.ts';

const schemaVersion = 1;

/** A task as it is stored, with the index attributes that follow from its full state. */
export function taskRow(task: Task): Row {
  const { id, contactId, dueAt, owner } = task;
  const due = taskActionAt(task);
  return {
    ...contactTask(contactId, id),
    entity: 'task',
    ...(due !== undefined && { duePk: duePk(dueShardOf(contactPk(contactId))), dueSk: byTime(due, id) }),
    ...(isTaskOpen(task) && { queuePk: queueOfTasks(owner), queueSk: byTime(dueAt, id) }),
    ...task,
    schemaVersion,
  };
}

export const parseTask = (row: Row): Task => taskSchema.parse(row);

export interface TaskPage {
  readonly tasks: Task[];
  readonly next?: Record<string, unknown>;
}

export type Tasks = ReturnType<typeof createTasks>;

export function createTasks(table: Table) {
  return {
    async find(contactId: string, taskId: string): Promise<Task | undefined> {
      const row = await table.get(contactTask(contactId, taskId), { consistent: true });
      return row && parseTask(row);
    },

    /** Every task of a contact, done ones too, oldest first. */
    async ofContact(contactId: string): Promise<Task[]> {
      const rows = await queryAll(table, {
        pk: contactPk(contactId),
        from: contactTask(contactId, '').sk,
        to: contactTask(contactId, '~').sk,
        consistent: true,
      });
      return rows.map(parseTask);
    },

    /**
     * One page of the open tasks of a member, or of nobody, the one due first at the
     * front; may be short with a next one, since the index may lag.
     */
    async ofOwner(
      owner: string | undefined,
      limit: number,
      after?: Record<string, unknown>,
    ): Promise<TaskPage> {
      const page = await table.query({
        index: 'queue',
        pk: queueOfTasks(owner),
        limit,
        ...(after && { after }),
      });
      const rows =
        page.rows.length === 0 ? [] : await table.batchGet(page.rows.map(({ pk, sk }) => ({ pk, sk })));
      const tasks = rows
        .map(parseTask)
        .filter((task) => isTaskOpen(task) && task.owner === owner)
        .sort((a, b) => (byTime(a.dueAt, a.id) < byTime(b.dueAt, b.id) ? -1 : 1));
      return { tasks, ...(page.next && { next: page.next }) };
    },

    create: (task: Task): Write => ({ put: taskRow(task), when: absent }),

    /** Writes a new state over the one it was made from; refused where somebody was faster. */
    save: (next: Task): Write => ({ put: taskRow(next), when: atVersion(next.version - 1) }),

    /** Claims the sending of a reminder, as for an inquiry's mail. */
    async claimMail(
      contactId: string,
      taskId: string,
      now: Date,
      leaseMs: number,
    ): Promise<Task | undefined> {
      const row = await claimMail(table, contactTask(contactId, taskId), now, leaseMs);
      return row && parseTask(row);
    },

    /**
     * Notes on an inquiry's head that tasks follow its assignment; refused where the head is not as it
     * was read. For whoever writes no new state of the head in the same transaction: who does, sets
     * `tasksFollow` in it.
     */
    noteFollowed: ({ id, version }: { readonly id: string; readonly version: number }): Write => ({
      update: inquiryHead(id),
      set: { tasksFollow: true },
      add: { version: 1 },
      when: atVersion(version),
    }),
  };
}

export interface TaskDependencies {
  readonly tasks: Pick<Tasks, 'create' | 'save'>;
  readonly contacts: Pick<Contacts, 'addEntry'>;
  readonly environment: Environment;
}

/** The entry of a task's change. */
export function taskEntry(
  { contacts, environment }: Pick<TaskDependencies, 'contacts' | 'environment'>,
  change: TaskChange,
  task: Task,
  actor: string,
  now: Date,
): Write {
  return contacts.addEntry(
    entryOf(
      'task',
      {
        entryId: environment.newId('entry'),
        contactId: task.contactId,
        ...(task.inquiryId !== undefined && { inquiryId: task.inquiryId }),
        actor,
        at: now.toISOString(),
      },
      taskDetails(change, task),
    ),
  );
}

/**
 * A task that is made, and what is to be written for it: the task and its entry.
 * Where it follows its inquiry (`task.follows`), the head has to say so, too, in
 * the same transaction: by `tasksFollow` in a new state, or by `noteFollowed`.
 */
export function openTask(
  dependencies: TaskDependencies,
  wanted: Omit<NewTask, 'id'>,
  now: Date,
): { readonly task: Task; readonly writes: readonly Write[] } {
  const { tasks, environment } = dependencies;
  const task = newTask({ ...wanted, id: environment.newId('task') }, now);
  return { task, writes: [tasks.create(task), taskEntry(dependencies, 'made', task, task.madeBy, now)] };
}
