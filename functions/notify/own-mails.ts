/**
 * Texts of the mails that have a due item of their own. Like all staff mails they
 * name nobody and nothing that anybody asked for: not even the title of a task,
 * which may name a person.
 */
import type { DigestCounts } from '../../shared/domain/digest.ts';
import { findLocation, type Practice } from '../../shared/domain/practice.ts';
import type { Task } from '../../shared/domain/task.ts';
import { clock, type Mail } from './mails.ts';

export function taskMail(
  { id, contactId, dueAt, locationId, reminders }: Task,
  practice: Practice,
  consoleUrl: string,
): Mail {
  const { timeZone, name } = findLocation(practice, locationId);
  const due = clock(dueAt, timeZone);
  const isFirst = reminders <= 1;
  return {
    subject: isFirst ? `Task due ${due}` : `Reminder: task was due ${due}`,
    text: `A task ${isFirst ? `is due ${due}` : `was due ${due} and is not done. This is reminder ${reminders}`}.\n\n${consoleUrl}/v1/contacts/${contactId}/tasks/${id}\n\n${practice.name}, ${name}\n`,
  };
}

export const noticeMail = (inquiryId: string, practice: Practice, consoleUrl: string): Mail => ({
  subject: 'An inquiry to look at',
  text: `A triage rule asks you to look at an inquiry.\n\n${consoleUrl}/v1/inquiries/${inquiryId}\n\n${practice.name}\n`,
});

/** A count as people say it, with the noun that fits it. */
const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

export function digestMail(date: string, counts: DigestCounts, practice: Practice, consoleUrl: string): Mail {
  const { open, overdue, dueToday, tasks, waiting, appointments } = counts;
  return {
    subject: `Today, ${date}: ${counted(overdue + dueToday, 'call')} and ${counted(tasks, 'task')} due`,
    text: `Good morning. This waits for you.

Open inquiries: ${open}
  overdue: ${overdue}
  due today: ${dueToday}
Waiting in your pools: ${waiting}
${consoleUrl}/v1/queue

Tasks due: ${tasks}
${consoleUrl}/v1/tasks

Appointments today: ${appointments}
${consoleUrl}/v1/appointments

${practice.name}
`,
  };
}
