/** The practice as the sender of messages: its templates, and what they are filled in with. */
import { inLanguage } from '../languages.ts';
import { findLocation, type Practice } from '../practice.ts';
import { emergencyNotice } from '../red-flags.ts';
import { builtInTemplates } from './built-in.ts';
import type { Sender } from './lawful.ts';
import { hoursText, isOpenAt, opensAtText } from './opening.ts';
import { unnameable } from './subjects.ts';
import type { Template } from './template.ts';

/** All templates: the practice's own, and the built-in ones that it has none of that id in place of. */
export function templatesOf({ messages }: Pick<Practice, 'messages'>): readonly Template[] {
  const own = new Set(messages.templates.map(({ id }) => id));
  return [...messages.templates, ...builtInTemplates.filter(({ id }) => !own.has(id))];
}

export const findTemplate = (practice: Pick<Practice, 'messages'>, id: string): Template | undefined =>
  templatesOf(practice).find((template) => template.id === id);

/** The practice as one of its locations writes to somebody now. */
export function senderOf(practice: Practice, locationId: string, now: Date): Sender {
  const location = findLocation(practice, locationId);
  const { postalAddress, replyTo, phone = '', quietHours, trackOpenings } = practice.messages;
  return {
    postalAddress,
    replyTo,
    quietHours,
    tracksOpenings: trackOpenings,
    unnameable: unnameable(practice),
    emergencyNotice: (language) => inLanguage(emergencyNotice(practice), [language]),
    values: (language) => ({
      practiceName: practice.name,
      locationName: location.name,
      phone,
      hours: hoursText(location, language),
      opensAt: isOpenAt(now, location) ? '' : opensAtText(now, location, language),
      emergencyLine: inLanguage(practice.emergencyLine, [language]),
    }),
  };
}
