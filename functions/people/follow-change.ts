/**
 * What a new row of the table means for the people behind it: a person, a point of theirs, their
 * next inquiry, or that two of them are one. And for those who work here: a new version of the configuration.
 */
import * as z from 'zod';
import { pointsOf } from '../../shared/data/contacts.ts';
import { againSchema, isAgain } from '../../shared/data/follow-again.ts';
import { bodySchema } from '../../shared/data/inquiries.ts';
import { configuration, contactMerged, contactPk, inquirySk } from '../../shared/data/keys.ts';
import type { Row } from '../../shared/data/table.ts';
import type { Queue, RouteMessage } from '../../shared/queues/messages.ts';
import {
  askRescoring,
  openInquiries,
  openInquiriesOfBoth,
  type RescoreDependencies,
} from './ask-rescoring.ts';
import { type NoteDependencies, noteFacts } from './note-facts.ts';
import { type SuggestDependencies, suggestMatches } from './suggest-matches.ts';
import { wakeSnoozed } from './wake-snoozed.ts';

export type PeopleDependencies = SuggestDependencies &
  RescoreDependencies &
  NoteDependencies & {
    readonly routeQueue: Queue<RouteMessage>;
  };

export type Followed =
  | { readonly outcome: 'people_followed'; readonly suggested: number; readonly rescored: number }
  | { readonly outcome: 'configuration_told' }
  | { readonly outcome: 'people_not_concerned' };

const versionSchema = z.object({ version: z.int() });
const pointSchema = z.object({ addedAt: z.string() });

/** Follows one row that is new, a merge or its undoing, or the configuration's version; every other is none of its concern. Doing it again changes nothing. */
export async function followChange(dependencies: PeopleDependencies, row: Row): Promise<Followed> {
  const done = (suggested: number, rescored: number): Followed => ({
    outcome: 'people_followed',
    suggested,
    rescored,
  });

  if (isAgain(row)) {
    const { of } = againSchema.parse(row);
    const [found] = await dependencies.table.batchGet([of], { consistent: true });
    return found ? followChange(dependencies, found) : { outcome: 'people_not_concerned' };
  }
  if (row.pk === configuration.version.pk && row.sk === configuration.version.sk) {
    // Somebody may have been disabled, or be able to take what waits: routing looks.
    const { version } = versionSchema.parse(row);
    await dependencies.routeQueue.send({ kind: 'configuration_changed', version });
    return { outcome: 'configuration_told' };
  }
  if (row.sk === inquirySk.body) {
    const body = bodySchema.parse(row);
    const { inquiryId, contactId, namesakeIds, quarantine = [] } = body;
    // What was set aside may say what it likes of somebody known; it changes nothing about them.
    if (!body.returning || quarantine.length > 0) return { outcome: 'people_not_concerned' };
    // Before the scores are asked for, so that they see it.
    await noteFacts(dependencies, body);
    const suggested = namesakeIds ? await suggestMatches(dependencies, contactId, [], namesakeIds) : 0;
    const open = await openInquiries(dependencies, contactId, ({ id }) => id === inquiryId);
    await wakeSnoozed(dependencies, open);
    return done(suggested, await askRescoring(dependencies, open));
  }
  if (!row.pk.startsWith(contactPk(''))) return { outcome: 'people_not_concerned' };
  const contactId = row.pk.slice(contactPk('').length);
  if (row.sk === 'PROFILE') {
    // Made by an inquiry that was set aside: staff are not shown everybody whose number it gave.
    if (row['suspected'] === true) return { outcome: 'people_not_concerned' };
    return done(await suggestMatches(dependencies, contactId, pointsOf(row)), 0);
  }
  const mergedPrefix = contactMerged(contactId, '').sk;
  if (row.sk.startsWith(mergedPrefix)) {
    // Whichever way it went, of each of the two more is known now, or less.
    const mergedId = row.sk.slice(mergedPrefix.length);
    return done(
      0,
      await askRescoring(dependencies, await openInquiriesOfBoth(dependencies, [contactId, mergedId])),
    );
  }
  if (!row.sk.startsWith('POINT#')) return { outcome: 'people_not_concerned' };
  const { addedAt } = pointSchema.parse(row);
  const suggested = await suggestMatches(dependencies, contactId, pointsOf(row));
  // The inquiry that brought the point came in the same instant: it was scored with it.
  const open = await openInquiries(dependencies, contactId, ({ receivedAt }) => receivedAt === addedAt);
  return done(suggested, await askRescoring(dependencies, open));
}
