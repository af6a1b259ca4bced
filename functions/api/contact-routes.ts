/** Routes of people. */
import type { Contacts } from '../../shared/data/contacts.ts';
import { type Place, placeShape, type Timelines } from '../../shared/data/timeline.ts';
import { fromCursor, toCursor } from './cursor.ts';
import { readTimeline } from './read-timeline.ts';
import {
  type Answer,
  forPeople,
  pageSchema,
  pathId,
  queryOf,
  type Request,
  type StaffRoutes,
} from './staff-route.ts';
import { timelineItem } from './views.ts';

export interface ContactRoutesDependencies {
  readonly contacts: Contacts;
  readonly timelines: Timelines;
}

export function contactRoutes(api: ContactRoutesDependencies): StaffRoutes {
  async function timeline({ event }: Request): Promise<Answer> {
    const id = pathId(event, 'contact');
    const { limit, cursor } = queryOf(pageSchema, event);
    const name = `timeline ${id}`;
    const after = fromCursor(name, cursor, placeShape) as Place | undefined;
    const { contactId, items, next } = await readTimeline(api, id, limit, after);
    return {
      body: {
        contactId,
        items: items.map(timelineItem),
        ...(next && { cursor: toCursor(name, { ...next }) }),
      },
      audit: { action: 'read', resource: `timeline ${id}` },
    };
  }

  return { 'GET /v1/contacts/{id}/timeline': forPeople(timeline) };
}
