/** How inquiries stand at this moment, in a few words without anything personal. */
import * as z from 'zod';
import { parseHead } from '../shared/data/inquiries.ts';
import { inquiryHead, inquiryPk } from '../shared/data/keys.ts';
import type { Row, Table } from '../shared/data/table.ts';

const mostAtOnce = 100;

function stateOf(row: Row): string {
  try {
    const { stage, progress, assignedTo } = parseHead(row);
    return [stage, progress, ...(assignedTo === undefined ? [] : [`with ${assignedTo}`])].join(', ');
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const fields = [...new Set(error.issues.map(({ path }) => String(path[0] ?? 'the item')))];
    return `cannot be read: ${fields.join(', ')}`;
  }
}

/** States by inquiry; `gone` where there is no such inquiry. */
export async function statesOf(table: Table, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const unique = [...new Set(ids)];
  const states = new Map(unique.map((id) => [id, 'gone']));
  for (let i = 0; i < unique.length; i += mostAtOnce) {
    const rows = await table.batchGet(unique.slice(i, i + mostAtOnce).map(inquiryHead), { consistent: true });
    for (const row of rows) states.set(row.pk.slice(inquiryPk('').length), stateOf(row));
  }
  return states;
}
