/**
 * Tasks: what somebody of the practice has to do about a person, and by when. An
 * open one is on the due index until it is done: its owner is reminded when it is
 * due, and on each business day after that.
 */
import * as z from 'zod';
import { nextBusinessDay } from './business-time.ts';
import { idSchema } from './ids.ts';
import type { Location } from './practice.ts';
import { asked, askedAgain, sendingShape, sent, unsent } from './sending.ts';
import type { TaskChange } from './timeline.ts';

const instantSchema = z.iso.datetime();

/** The longest title, in characters. */
export const taskTitleLimit = 200;

export const taskSchema = z.lazy(() =>
  z.object({
    id: idSchema('task'),
    version: z.int().min(1),
    contactId: idSchema('contact'),
    inquiryId: idSchema('inquiry').optional(),
    /** Whose opening hours and days count for it. */
    locationId: z.string(),
    /** What is to be done. It may name a person, so no mail carries it. */
    title: z.string(),
    dueAt: instantSchema,
    /** The member who has it; absent while nobody does, which is for the managers to see to. */
    owner: z.string().optional(),
    /** It goes with its inquiry to whoever has that; gone once somebody hands it to a person. */
    follows: z.literal(true).optional(),
    madeBy: z.string(),
    madeAt: instantSchema,
    doneAt: instantSchema.optional(),
    doneBy: z.string().optional(),
    /** When its owner is reminded next; absent just where it is done. */
    remindAt: instantSchema.optional(),
    /** How often its owner was reminded. */
    reminders: z.int().min(0).default(0),
    ...sendingShape(),
  }),
);
export type Task = z.infer<typeof taskSchema>;

/** What a task is made of. */
export interface NewTask {
  readonly id: string;
  readonly contactId: string;
  readonly inquiryId?: string | undefined;
  readonly locationId: string;
  readonly title: string;
  readonly dueAt: string;
  /** Left out, it follows its inquiry's assignment, or without an inquiry is nobody's. */
  readonly owner?: string | undefined;
  /** Who has the inquiry now, for a task that follows it. */
  readonly assignee?: string | undefined;
  readonly madeBy: string;
}

/** The state of a task as it is made. */
export function newTask({ owner, assignee, inquiryId, ...fresh }: NewTask, now: Date): Task {
  const follows = owner === undefined && inquiryId !== undefined;
  const whose = follows ? assignee : owner;
  return {
    ...fresh,
    ...(inquiryId !== undefined && { inquiryId }),
    ...(whose !== undefined && { owner: whose }),
    ...(follows && { follows: true as const }),
    version: 1,
    madeAt: now.toISOString(),
    remindAt: fresh.dueAt,
    reminders: 0,
  };
}

export const isTaskOpen = ({ doneAt }: Pick<Task, 'doneAt'>): boolean => doneAt === undefined;

/** When something is to be done about it; undefined just where it is done. */
export const taskActionAt = (task: Task): string | undefined =>
  isTaskOpen(task) ? (task.step ?? task.remindAt ?? task.dueAt) : undefined;

/** The state once a reminder is under way; undefined where none is due. */
export function takeDueTask(task: Task, location: Location, now: Date): Task | undefined {
  const actionAt = taskActionAt(task);
  if (actionAt === undefined || actionAt > now.toISOString()) return undefined;
  const version = task.version + 1;
  if (task.step !== undefined) return { ...task, version, ...askedAgain(task, now) };
  return {
    ...task,
    version,
    remindAt: nextBusinessDay(now, location).toISOString(),
    reminders: task.reminders + 1,
    ...asked(now),
  };
}

/** The state once the reminder is out. */
export const taskReminded = (task: Task, now: Date): Task => ({
  ...sent(task, now),
  version: task.version + 1,
});

/** The state once it is done; undefined where it is already. */
export function taskDone(task: Task, by: string, now: Date): Task | undefined {
  if (!isTaskOpen(task)) return undefined;
  const { remindAt: _none, ...rest } = unsent(task);
  return { ...rest, version: task.version + 1, doneAt: now.toISOString(), doneBy: by };
}

/** The state once it turned out not to be done; its owner is reminded when it is due, or the next business day. */
export function taskReopened(task: Task, location: Location, now: Date): Task | undefined {
  if (isTaskOpen(task)) return undefined;
  const { doneAt: _at, doneBy: _by, ...rest } = task;
  const isAhead = task.dueAt > now.toISOString();
  return {
    ...rest,
    version: task.version + 1,
    remindAt: isAhead ? task.dueAt : nextBusinessDay(now, location).toISOString(),
  };
}

/** The state once somebody else has it; undefined where it is done, or theirs for good already. */
export function taskHandedOver(task: Task, owner: string): Task | undefined {
  if (!isTaskOpen(task) || (task.owner === owner && !task.follows)) return undefined;
  const { follows: _no, ...rest } = task;
  return { ...rest, version: task.version + 1, owner };
}

/** The state with another due time, at which its owner is reminded; undefined where it is done or due then already. */
export function taskMoved(task: Task, dueAt: string): Task | undefined {
  if (!isTaskOpen(task) || task.dueAt === dueAt) return undefined;
  return { ...unsent(task), version: task.version + 1, dueAt, remindAt: dueAt };
}

/** The state once its inquiry has somebody; undefined where it does not follow, or follows them already. */
export function taskFollowing(task: Task, assignee: string): Task | undefined {
  if (!task.follows || !isTaskOpen(task) || task.owner === assignee) return undefined;
  return { ...task, version: task.version + 1, owner: assignee };
}

/** What the timeline says of a task after a change: enough to rebuild it. */
export const taskDetails = (change: TaskChange, { id, title, dueAt, owner, follows, doneAt }: Task) => ({
  taskId: id,
  change,
  title,
  dueAt,
  // Who has a task that follows is told by the routing of its inquiry.
  ...(follows ? { follows } : owner !== undefined && { owner }),
  done: doneAt !== undefined,
});
