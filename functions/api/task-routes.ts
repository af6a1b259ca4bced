/** Routes of tasks: a member's, a person's, one of them, and changes. */
import * as z from 'zod';
import { queueOfTasks } from '../../shared/data/keys.ts';
import { slugSchema } from '../../shared/domain/slug.ts';
import { type Task, taskTitleLimit } from '../../shared/domain/task.ts';
import { line } from '../../shared/domain/text-fields.ts';
import { requireRole } from './caller.ts';
import {
  changeTask,
  findTask,
  makeTask,
  type TaskRouteDependencies,
  type WantedTaskChange,
} from './change-task.ts';
import { fromCursor, startsIn, toCursor } from './cursor.ts';
import { aboutFields, aboutOneIssue, checkReferences, instant, isAboutOne, required } from './fields.ts';
import { wholeOf } from './read-people.ts';
import { identityOf } from './repetition.ts';
import {
  type Answer,
  etag,
  forPeople,
  jsonOf,
  pageFields,
  pathId,
  queryOf,
  type Request,
  type StaffRoutes,
  seenVersion,
  shownIds,
} from './staff-route.ts';
import { taskView } from './task-views.ts';

/** Stands for nobody in a list of tasks: such tasks are for the managers to see to. */
const nobody = 'none';

const listSchema = z.lazy(() => z.strictObject({ owner: slugSchema.optional(), ...pageFields }));

const newSchema = z.lazy(() =>
  z
    .strictObject({
      ...aboutFields,
      title: required(line(taskTitleLimit)),
      dueAt: instant,
      owner: slugSchema.optional(),
    })
    .refine(isAboutOne, aboutOneIssue),
);

const changeSchema = z.lazy(() =>
  z
    .strictObject({
      done: z.boolean('must be true or false').optional(),
      owner: slugSchema.optional(),
      dueAt: instant.optional(),
    })
    .refine((change) => Object.keys(change).length === 1, {
      path: ['done'],
      message: 'give either done, owner or dueAt',
    })
    // Of all that may be there, just one is.
    .transform((change) => change as WantedTaskChange),
);

export function taskRoutes(api: TaskRouteDependencies): StaffRoutes {
  const { tasks, inquiries, contacts } = api;

  const answer = (task: Task, status = 200): Answer => ({
    status,
    body: taskView(task),
    headers: { etag: etag(task.version) },
  });

  /** Those that their owner still has: the index of one that follows may lag behind its inquiry. */
  async function stillTheirs(listed: readonly Task[], owner: string | undefined): Promise<Task[]> {
    const ids = listed.flatMap(({ follows, inquiryId }) => (follows && inquiryId ? [inquiryId] : []));
    const heads = ids.length === 0 ? [] : await inquiries.findHeads(ids, () => undefined);
    const assignees = new Map(heads.map(({ id, assignedTo }) => [id, assignedTo]));
    return listed.filter(({ follows, inquiryId }) => !follows || assignees.get(inquiryId ?? '') === owner);
  }

  async function list({ event, caller }: Request): Promise<Answer> {
    const { owner: wanted, limit, cursor } = queryOf(listSchema, event);
    if (wanted !== undefined && wanted !== caller.member.id) requireRole(caller, ['manager', 'admin']);
    const owner = wanted === nobody ? undefined : (wanted ?? caller.member.id);
    const name = `tasks ${owner ?? ''}`;
    const page = await tasks.ofOwner(
      owner,
      limit,
      fromCursor(name, cursor, startsIn('queue', queueOfTasks(owner))),
    );
    const shown = await stillTheirs(page.tasks, owner);
    return {
      body: { items: shown.map(taskView), ...(page.next && { cursor: toCursor(name, page.next) }) },
      audit: {
        action: 'list',
        resource: `tasks ${shownIds(shown.map(({ contactId }) => contactId))}`.trim(),
      },
    };
  }

  async function make(request: Request): Promise<Answer> {
    const { event, caller, practice, audit } = request;
    const wanted = jsonOf(newSchema, event);
    const identity = identityOf(request, wanted);
    checkReferences(practice, [['owner', 'members', wanted.owner]]);
    await audit({ action: 'change', resource: `task of ${wanted.inquiryId ?? wanted.contactId}` });
    return answer(await makeTask(api, wanted, { memberId: caller.member.id, practice }, identity), 201);
  }

  async function ofContact({ event }: Request): Promise<Answer> {
    const id = pathId(event, 'contact');
    const { family } = await wholeOf(contacts, id, { consistent: true });
    const all = (await Promise.all(family.map((contact) => tasks.ofContact(contact.id)))).flat();
    const newestFirst = all.toSorted((a, b) => (a.madeAt < b.madeAt ? 1 : -1));
    return {
      body: { items: newestFirst.map(taskView) },
      audit: { action: 'read', resource: `tasks ${shownIds(family.map((contact) => contact.id))}` },
    };
  }

  async function show({ event }: Request): Promise<Answer> {
    const task = await findTask(api, pathId(event, 'contact'), pathId(event, 'task', 'taskId'));
    return { ...answer(task), audit: { action: 'read', resource: `task ${task.id} ${task.contactId}` } };
  }

  async function change({ event, caller, practice, audit }: Request): Promise<Answer> {
    const [id, taskId] = [pathId(event, 'contact'), pathId(event, 'task', 'taskId')];
    const wanted = jsonOf(changeSchema, event);
    const version = seenVersion(event, 'task');
    if ('owner' in wanted) checkReferences(practice, [['owner', 'members', wanted.owner]]);
    await audit({ action: 'change', resource: `task ${taskId} ${id}` });
    return answer(
      await changeTask(api, id, taskId, version, wanted, { memberId: caller.member.id, practice }),
    );
  }

  return {
    'GET /v1/tasks': forPeople(list),
    'POST /v1/tasks': forPeople(make),
    'GET /v1/contacts/{id}/tasks': forPeople(ofContact),
    'GET /v1/contacts/{id}/tasks/{taskId}': forPeople(show),
    'PATCH /v1/contacts/{id}/tasks/{taskId}': forPeople(change),
  };
}
