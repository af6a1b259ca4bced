/** The answer of every route that shows a person. */
import { versionTag } from './change-contact.ts';
import { contactView, type PeopleDependencies, type Reading, wholeOf } from './read-people.ts';
import { type Answer, etag, shownIds } from './staff-route.ts';

/**
 * The person behind a contact, with everybody who is shown beside them named in the audit.
 *
 * @throws Problem `not_found`
 */
export async function contactAnswer(
  { contacts }: PeopleDependencies,
  id: string,
  options?: Reading,
): Promise<Answer> {
  const whole = await wholeOf(contacts, id, options);
  const view = await contactView(contacts, whole, options);
  const shown = [
    id,
    ...whole.family.map((contact) => contact.id),
    ...[...view.relations, ...view.matches].map(({ contact }) => contact.id),
  ];
  return {
    body: view,
    headers: { etag: etag(versionTag(whole)) },
    audit: { action: 'read', resource: `contact ${shownIds(shown)}` },
  };
}
