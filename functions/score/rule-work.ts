/** Tasks and notices that rules ask for: what is written for them, and what is sent once that stands. */
import type { Write } from '../../shared/data/table.ts';
import { openTask } from '../../shared/data/tasks.ts';
import { businessMinutesAfter } from '../../shared/domain/destination.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { newNotice } from '../../shared/domain/notice.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { Action } from '../../shared/domain/rules/rule.ts';
import type { MailMessage } from '../../shared/queues/messages.ts';
import type { ScoreDependencies } from './dependencies.ts';

export interface RuleWork {
  readonly writes: readonly Write[];
  /** Asks for the notices' mails at once; the sweep would within two minutes. */
  readonly messages: readonly MailMessage[];
  /** What the head has to say of it, in the same transaction. */
  readonly head: Pick<Inquiry, 'tasksFollow'>;
}

const none: RuleWork = { writes: [], messages: [], head: {} };

/** Whether rules ask for any of it. */
export const asksForWork = (actions: readonly Action[] | undefined): boolean =>
  actions?.some((action) => action.do === 'make_task' || action.do === 'notify') ?? false;

/**
 * What the actions ask for. A task follows the inquiry: it is for whoever has it,
 * or gets it. Who is notified more than once at a time is notified once.
 *
 * @param actor - the rule, or the system where it was several
 */
export function workOf(
  {
    tasks,
    notices,
    contacts,
    environment,
  }: Pick<ScoreDependencies, 'tasks' | 'notices' | 'contacts' | 'environment'>,
  practice: Practice,
  head: Inquiry,
  actions: readonly Action[],
  { actor, now }: { readonly actor: string; readonly now: Date },
): RuleWork {
  if (!asksForWork(actions)) return none;
  const made = actions.flatMap((action) => {
    if (action.do !== 'make_task') return [];
    const wanted = {
      contactId: head.contactId,
      inquiryId: head.id,
      locationId: head.locationId,
      title: action.title,
      dueAt: businessMinutesAfter(now.toISOString(), action.dueInMinutes, head, practice),
      assignee: head.assignedTo,
      madeBy: actor,
    };
    return [openTask({ tasks, contacts, environment }, wanted, now)];
  });
  const whom = new Set(actions.flatMap((action) => (action.do === 'notify' ? [action.whom] : [])));
  const told = [...whom].map((one) =>
    newNotice({ id: environment.newId('entry'), inquiryId: head.id, whom: one }, now),
  );
  return {
    writes: [...made.flatMap(({ writes }) => writes), ...told.map(notices.create)],
    messages: told.map(({ id, inquiryId }) => ({ kind: 'notice', inquiryId, noticeId: id })),
    head: made.length > 0 ? { tasksFollow: true } : {},
  };
}
