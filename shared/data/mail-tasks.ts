/** Tasks for staff where a message could not do what it should. */
import { addBusinessMinutes } from '../domain/business-time.ts';
import type { Environment } from '../domain/ids.ts';
import { type Inquiry, isOpen } from '../domain/inquiry/state.ts';
import { findLocation, type Practice } from '../domain/practice.ts';
import { systemActor } from '../domain/timeline.ts';
import type { Contacts } from './contacts.ts';
import type { Write } from './table.ts';
import { openTask, type Tasks } from './tasks.ts';

export interface MailTaskDependencies {
  readonly tasks: Pick<Tasks, 'create' | 'save' | 'noteFollowed'>;
  readonly contacts: Pick<Contacts, 'addEntry'>;
  readonly environment: Environment;
}

/** Minutes of opening time until somebody has to look. */
const dueInMinutes = 240;

/**
 * Asks staff for something about a person: whoever has the inquiry, or gets it. Refused where the
 * inquiry's head is not as it was read.
 */
export function askStaff(
  dependencies: MailTaskDependencies,
  practice: Practice,
  about: { readonly contactId: string; readonly head?: Inquiry | undefined; readonly title: string },
  now: Date,
): Write[] {
  const { contactId, title } = about;
  // A task follows an inquiry only as long as somebody works on it.
  const head = about.head && isOpen(about.head) ? about.head : undefined;
  const location = findLocation(practice, about.head?.locationId);
  const { writes } = openTask(
    dependencies,
    {
      contactId,
      ...(head && { inquiryId: head.id, assignee: head.assignedTo }),
      locationId: location.id,
      title,
      dueAt: addBusinessMinutes(now, dueInMinutes, location).toISOString(),
      madeBy: systemActor,
    },
    now,
  );
  const isNoted = head === undefined || head.tasksFollow === true;
  return [...writes, ...(isNoted ? [] : [dependencies.tasks.noteFollowed(head)])];
}
