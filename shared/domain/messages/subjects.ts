/** What a locked screen may not show: subjects and previews name no service and no condition. */
import { findPhrases } from '../wording.ts';
import type { Template } from './template.ts';

/** The words of a practice for what it treats. */
export interface Named {
  readonly services: readonly { readonly name: string; readonly aliases: readonly string[] }[];
  readonly urgency: { readonly criteria: readonly { readonly words: readonly string[] }[] };
  readonly redFlags: { readonly flags: readonly { readonly words: readonly string[] }[] };
}

/** What no subject may name: services by any of their names, and the words of conditions. */
export const unnameable = ({ services, urgency, redFlags }: Named): string[] => [
  ...services.flatMap(({ name, aliases }) => [name, ...aliases]),
  ...urgency.criteria.flatMap(({ words }) => words),
  ...redFlags.flags.flatMap(({ words }) => words),
];

/** Where a subject or a preview of the practice's own templates names what nobody is to read there. */
export function subjectIssues(
  practice: Named & { readonly messages: { readonly templates: readonly Pick<Template, 'versions'>[] } },
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
