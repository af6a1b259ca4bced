/** The practice as the sender of messages: its templates, and what they are filled in with. */
import { findLocation, type Practice } from '../practice.ts';
import { emergencyNotice } from '../red-flags.ts';
import { findPhrases } from '../wording.ts';
import { builtInTemplates } from './built-in.ts';
import type { Sender } from './lawful.ts';
import { hoursText, isOpenAt, opensAtText } from './opening.ts';
import type { Template } from './template.ts';

/** All templates: the practice's own, and the built-in ones that it has none of that id in place of. */
export function templatesOf({ messages }: Pick<Practice, 'messages'>): readonly Template[] {
  const own = new Set(messages.templates.map(({ id }) => id));
  return [...messages.templates, ...builtInTemplates.filter(({ id }) => !own.has(id))];
}

export const findTemplate = (practice: Pick<Practice, 'messages'>, id: string): Template | undefined =>
  templatesOf(practice).find((template) => template.id === id);

type Named = Pick<Practice, 'services' | 'urgency' | 'redFlags'>;

/** What no subject may name: services by any of their names, and the words of conditions. */
export const unnameable = ({ services, urgency, redFlags }: Named): string[] => [
  ...services.flatMap(({ name, aliases }) => [name, ...aliases]),
  ...urgency.criteria.flatMap(({ words }) => words),
  ...redFlags.flags.flatMap(({ words }) => words),
];

/** Where a subject or a preview of the practice's own templates names what nobody is to read on a locked screen. */
export function subjectIssues(
  practice: Named & Pick<Practice, 'messages'>,
): { readonly path: (string | number)[]; readonly message: string }[] {
  const words = unnameable(practice);
  return practice.messages.templates.flatMap(({ versions }, i) =>
    Object.entries(versions).flatMap(([language, version]) =>
      (['subject', 'preview'] as const).flatMap((part) =>
        findPhrases(version[part] ?? '', words)
          .slice(0, 1)
          .map((phrase) => ({
            path: ['templates', i, 'versions', language, part],
            message: `names "${phrase}": no subject or preview may name a service or a condition`,
          })),
      ),
    ),
  );
}

/** The practice as one of its locations writes to somebody now. */
export function senderOf(practice: Practice, locationId: string, now: Date): Sender {
  const location = findLocation(practice, locationId);
  const { postalAddress, replyTo, phone = '', quietHours } = practice.messages;
  return {
    postalAddress,
    replyTo,
    quietHours,
    unnameable: unnameable(practice),
    emergencyNotice: emergencyNotice(practice),
    values: (language) => ({
      practiceName: practice.name,
      locationName: location.name,
      phone,
      hours: hoursText(location, language),
      opensAt: isOpenAt(now, location) ? '' : opensAtText(now, location, language),
      emergencyLine: practice.emergencyLine,
    }),
  };
}
