/** Routes of pools: what waits in the queue of one. */
import { queueOfPool } from '../../shared/data/keys.ts';
import { isOpen } from '../../shared/domain/inquiry/state.ts';
import { Problem } from '../../shared/http/problem.ts';
import { fromCursor, startsIn, toCursor } from './cursor.ts';
import { contactsOf, headsOf, type ListDependencies } from './list-inquiries.ts';
import {
  type Answer,
  forPeople,
  pageSchema,
  queryOf,
  type Request,
  type StaffRoutes,
  shownIds,
} from './staff-route.ts';
import { summaryOf } from './views.ts';

export function poolRoutes(api: ListDependencies): StaffRoutes {
  /** Oldest deadline first, as it is handed out. */
  async function queue({ event, practice }: Request): Promise<Answer> {
    const poolId = event.pathParameters?.['id'] ?? '';
    if (!practice.pools.some(({ id }) => id === poolId)) {
      throw new Problem('not_found', 'There is no such pool.');
    }
    const { limit, cursor } = queryOf(pageSchema, event);
    const name = `pool ${poolId}`;
    const pk = queueOfPool(poolId);
    const after = fromCursor(name, cursor, startsIn('queue', pk));
    const page = await api.table.query({ index: 'queue', pk, limit, ...(after && { after }) });
    // The index may lag behind the item; what no longer waits here is left out.
    const items = (await headsOf(api, page)).filter(
      (head) => isOpen(head) && head.progress === 'waiting' && head.poolId === poolId,
    );
    return {
      body: { items: items.map(summaryOf), ...(page.next && { cursor: toCursor(name, page.next) }) },
      audit: { action: 'list', resource: `pool ${poolId} ${shownIds(contactsOf(items))}`.trim() },
    };
  }

  return { 'GET /v1/pools/{id}/queue': forPeople(queue) };
}
