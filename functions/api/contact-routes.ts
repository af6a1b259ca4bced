/** Routes of people. */
import type { Contacts } from '../../shared/data/contacts.ts';
import { timelineOf } from '../../shared/data/keys.ts';
import type { Table } from '../../shared/data/table.ts';
import { Problem } from '../../shared/http/problem.ts';
import { fromCursor, startsIn, toCursor } from './cursor.ts';
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

export interface ContactRoutesDependencies {
  readonly table: Table;
  readonly contacts: Contacts;
}

export function contactRoutes(api: ContactRoutesDependencies): StaffRoutes {
  const { contacts } = api;

  async function timeline({ event }: Request): Promise<Answer> {
    const id = pathId(event, 'contact');
    const { limit, cursor } = queryOf(pageSchema, event);
    const name = `timeline ${id}`;
    const after = fromCursor(name, cursor, startsIn('timeline', timelineOf(id)));
    const page = await readTimeline(api, id, limit, after);
    if (page.items.length === 0 && cursor === undefined && !(await contacts.find(id))) {
      throw new Problem('not_found', 'There is no such contact.');
    }
    return {
      body: { items: page.items, ...(page.next && { cursor: toCursor(name, page.next) }) },
      audit: { action: 'read', resource: `timeline ${id}` },
    };
  }

  return { 'GET /v1/contacts/{id}/timeline': forPeople(timeline) };
}
