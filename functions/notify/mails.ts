/**
 * Staff mails: the tier, how urgent it is, the clock and a link. They name nobody and nothing that
 * anybody asked for; a mailbox is not where patients' data belongs.
 */
import { termOf } from '../../shared/domain/inquiry/ladder.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { findLocation, type Practice } from '../../shared/domain/practice.ts';
import type { Summary } from '../../shared/domain/rollup.ts';

export interface Mail {
  readonly subject: string;
  readonly text: string;
}

/** One for each zone: making one takes longer than a mail's text. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatIn(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: 'numeric',
    minute: '2-digit',
    timeZoneName: 'short',
  });
  formats.set(timeZone, format);
  return format;
}

/** As `Fri 20 Nov, 4:30 PM PST`. */
export function clock(at: string, timeZone: string): string {
  const format = formatIn(timeZone);
  const part = Object.fromEntries(format.formatToParts(new Date(at)).map(({ type, value }) => [type, value]));
  const { weekday, day, month, hour, minute, dayPeriod, timeZoneName } = part;
  return `${weekday} ${day} ${month}, ${hour}:${minute} ${dayPeriod} ${timeZoneName}`;
}

const urgencyWords = { same_day: 'same day', soon: 'soon' } as const;

/** The alert of a red flag. Not even its flags are named: they are what the person wrote. */
export const alertMail = (inquiryId: string, practice: Practice, consoleUrl: string): Mail => ({
  subject: 'An inquiry needs a human now',
  text: `An inquiry needs a human now. Look at it at once.\n\n${consoleUrl}/v1/inquiries/${inquiryId}\n\n${practice.name}\n`,
});

/** The mail about the newest event of an inquiry. */
export function inquiryMail(inquiry: Inquiry, practice: Practice, consoleUrl: string): Mail {
  const place = findLocation(practice, inquiry.locationId);
  const { timeZone, name: location } = place;
  const link = `${consoleUrl}/v1/inquiries/${inquiry.id}`;
  const tier = `tier ${inquiry.tier ?? 'not scored'}${inquiry.urgency ? `, ${urgencyWords[inquiry.urgency]}` : ''}`;
  // Whoever has it goes by their own time; while nobody does, what counts is what the person was promised.
  const ends =
    inquiry.assignedTo === undefined ? inquiry.respondBy : termOf(inquiry, { location: place })?.to;
  const due = ends === undefined ? '' : clock(ends, timeZone);
  const isOver = ends !== undefined && ends <= (inquiry.mailAt ?? '');
  const awaited = `waiting for ${inquiry.stage === 'new' ? 'its first' : 'a'} call`;
  const when = isOver ? `It was due ${due}.` : `It is due ${due}.`;
  const footer = `\n\n${link}\n\n${practice.name}, ${location}\n`;
  switch (inquiry.mailKind) {
    case 'reminder':
      return {
        subject: `Reminder: ${tier}, call ${isOver ? `was due ${due}` : `by ${due}`}`,
        text: `An inquiry of ${tier} is ${awaited}. ${when} This is reminder ${inquiry.reminders}.${footer}`,
      };
    case 'warning':
      return {
        subject: `Time is running out: ${tier}, call ${isOver ? `was due ${due}` : `by ${due}`}`,
        text: `An inquiry of ${tier} is still ${awaited}. ${when} This is reminder ${inquiry.reminders}.${footer}`,
      };
    case 'escalated':
      return {
        subject: `Escalated: ${tier}, call ${isOver ? `was due ${due}` : `by ${due}`}`,
        text: `Nobody has called about an inquiry of ${tier}. ${when} ${inquiry.assignedTo === undefined ? 'Nobody has it yet.' : 'Whoever has it and the managers get this mail.'}${inquiry.reassign ? ' It is being offered to somebody who is free.' : ''}${footer}`,
      };
    case 'woken':
      return {
        subject: `Snooze over: ${tier}`,
        text: `An inquiry of ${tier} was snoozed until now. It is at the stage "${inquiry.stage}".${footer}`,
      };
    case 'parked':
      return {
        subject: `Parked and due: ${tier}`,
        text: `An inquiry of ${tier} that you see to is parked, and what it waits for is due. Let it go on, or park it anew. You get this mail each business day until then.${footer}`,
      };
    case 'follow_up':
      if (inquiry.attempts !== undefined) {
        return {
          subject: `Call again: ${tier}`,
          text: `Nobody was reached about an inquiry of ${tier} in ${inquiry.attempts === 1 ? 'one call' : `${inquiry.attempts} calls`}. It is time for the next.${footer}`,
        };
      }
      return {
        subject: `Follow up: ${tier}`,
        text: `An inquiry of ${tier} has gone quiet. It is at the stage "${inquiry.stage}".${footer}`,
      };
    case 'review':
      return {
        subject: 'Quarantined inquiry to review',
        text: `An inquiry was set aside as suspected spam and waits for a decision: release it, or close it.${footer}`,
      };
    default: {
      const isTheirs = practice.members.some(({ id, enabled }) => id === inquiry.assignedTo && enabled);
      const isTakenOver = (inquiry.hadBy?.length ?? 0) > 0;
      const whose = isTheirs ? 'is yours' : 'is assigned to somebody who is no longer enabled';
      return {
        subject: `${isTakenOver ? 'Taken over' : 'New inquiry'}: ${tier}, call by ${due}`,
        text: `${isTakenOver ? 'An' : 'A new'} inquiry of ${tier} ${whose}. Call by ${due}.${footer}`,
      };
    }
  }
}

const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, n]) => `  ${name}: ${n}`)
    .join('\n') || '  none';

/** The week of a location, in numbers. */
export function weeklyReportMail(
  practice: Practice,
  locationId: string,
  week: string,
  summary: Summary,
): Mail {
  const { name } = findLocation(practice, locationId);
  const { firstResponse } = summary;
  const mean = firstResponse.meanMinutes === undefined ? 'none yet' : `${firstResponse.meanMinutes} minutes`;
  return {
    subject: `Week of ${week}, ${name}: ${summary.inquiries} inquiries`,
    text: `${practice.name}, ${name}, week of ${week}

Inquiries: ${summary.inquiries}

By source
${list(summary.bySource)}

By stage now
${list(summary.byStage)}

By tier
${list(summary.byTier)}

Red flags: ${summary.redFlags.raised}, of which ${summary.redFlags.confirmed} confirmed and ${summary.redFlags.falseAlarms} false alarms

First response: ${firstResponse.responses} inquiries, mean ${mean}, ${firstResponse.inTime} in time
`,
  };
}
