/** Tasks that staff make and change: each with its entry on the person's timeline, in one transaction. */
import type { Contacts } from '../../shared/data/contacts.ts';
import type { Inquiries } from '../../shared/data/inquiries.ts';
import { openTask, type Tasks, taskEntry } from '../../shared/data/tasks.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { findLocation } from '../../shared/domain/practice.ts';
import {
  isTaskOpen,
  type Task,
  taskDone,
  taskHandedOver,
  taskMoved,
  taskReopened,
} from '../../shared/domain/task.ts';
import type { TaskChange } from '../../shared/domain/timeline.ts';
import { Problem } from '../../shared/http/problem.ts';
import { type ByStaff, mostAttempts, noInquiry } from './change-inquiry.ts';
import { wholeOf } from './read-people.ts';
import { type Identity, madeBefore, type RepetitionDependencies } from './repetition.ts';

export interface TaskRouteDependencies extends RepetitionDependencies {
  readonly tasks: Tasks;
  readonly inquiries: Inquiries;
  readonly contacts: Contacts;
}

export interface WantedTask {
  readonly contactId?: string | undefined;
  readonly inquiryId?: string | undefined;
  readonly title: string;
  readonly dueAt: string;
  readonly owner?: string | undefined;
}

export type WantedTaskChange =
  | { readonly done: boolean }
  | { readonly owner: string }
  | { readonly dueAt: string };

const noTask = (): Problem => new Problem('not_found', 'There is no such task.');
const busy = (): Problem => new Problem('unavailable', 'Nothing was changed. Try again in a moment.');

/**
 * Makes a task: about an inquiry it follows that, unless it names who has it;
 * about a contact alone it is whoever's is named, or else whoever makes it. Under a
 * key that came before it is the one that was made then, as it is now.
 *
 * @throws Problem `not_found`, `idempotency_conflict`, `unavailable`
 */
export async function makeTask(
  dependencies: TaskRouteDependencies,
  { contactId, inquiryId, title, dueAt, owner }: WantedTask,
  { memberId, practice }: ByStaff,
  identity?: Identity,
): Promise<Task> {
  const { table, tasks, inquiries, contacts, environment } = dependencies;
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const { earlier, note } = await madeBefore(dependencies, 'task', memberId, identity);
    if (earlier) return await findTask(dependencies, earlier.contactId, earlier.id);
    const head = inquiryId === undefined ? undefined : await inquiries.findHead(inquiryId);
    if (inquiryId !== undefined && !head) throw noInquiry();
    if (!head) await wholeOf(contacts, contactId ?? '');
    const { task, writes } = openTask(
      dependencies,
      {
        contactId: head?.contactId ?? contactId ?? '',
        ...(head && { inquiryId: head.id, assignee: head.assignedTo }),
        locationId: findLocation(practice, head?.locationId).id,
        title,
        dueAt,
        owner: owner ?? (head ? undefined : memberId),
        madeBy: memberId,
      },
      environment.now(),
    );
    const isNoted = !task.follows || !head || head.tasksFollow === true;
    const done = await table.transact([
      ...writes,
      ...(isNoted ? [] : [tasks.noteFollowed(head as Inquiry)]),
      ...note(task),
    ]);
    if (done.committed) return task;
    // The inquiry was changed meanwhile: whoever has it now gets it.
  }
  throw busy();
}

/**
 * A task of the person behind a contact, whichever of their contacts it is with.
 *
 * @throws Problem `not_found`
 */
export async function findTask(
  { tasks, contacts }: Pick<TaskRouteDependencies, 'tasks' | 'contacts'>,
  contactId: string,
  taskId: string,
): Promise<Task> {
  const own = await tasks.find(contactId, taskId);
  if (own) return own;
  const { family } = await wholeOf(contacts, contactId, { consistent: true });
  const found = await Promise.all(family.map(({ id }) => tasks.find(id, taskId)));
  const task = found.find((one) => one !== undefined);
  if (!task) throw noTask();
  return task;
}

/** The state after a change and what the timeline calls it; undefined where it is so already. */
function apply(
  task: Task,
  change: WantedTaskChange,
  { memberId, practice }: ByStaff,
  now: Date,
): { readonly next: Task; readonly name: TaskChange } | undefined {
  const named = (name: TaskChange, next: Task | undefined) => next && { name, next };
  if ('done' in change) {
    return change.done
      ? named('done', taskDone(task, memberId, now))
      : named('reopened', taskReopened(task, findLocation(practice, task.locationId), now));
  }
  if (!isTaskOpen(task)) throw new Problem('conflict', 'The task is done. Open it again first.');
  if ('owner' in change) return named('handed_over', taskHandedOver(task, change.owner));
  return named('moved', taskMoved(task, change.dueAt));
}

/**
 * Changes the version of a task that the caller saw. What is so already stays as it is.
 *
 * @throws Problem `not_found`, `precondition_failed`, `conflict`, `unavailable`
 */
export async function changeTask(
  dependencies: TaskRouteDependencies,
  contactId: string,
  taskId: string,
  seenVersion: number,
  change: WantedTaskChange,
  by: ByStaff,
): Promise<Task> {
  const { table, tasks, environment } = dependencies;
  const stale = new Problem('precondition_failed', 'Somebody changed this task meanwhile. Read it again.');
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const task = await findTask(dependencies, contactId, taskId);
    if (task.version !== seenVersion) throw stale;
    const now = environment.now();
    const changed = apply(task, change, by, now);
    if (!changed) return task;
    const { next, name } = changed;
    const done = await table.transact([
      tasks.save(next),
      taskEntry(dependencies, name, next, by.memberId, now),
    ]);
    if (done.committed) return next;
    if (done.failed.has(0)) throw stale;
  }
  throw busy();
}
