/** The table of a function: one client per instance, made outside the handler. */
import { createDocumentClient, createDynamoTable } from '../data/dynamo-table.ts';
import { keepingTime } from '../data/hybrid-clock.ts';
import type { Table } from '../data/table.ts';
import { serviceCalls } from './calls.ts';
import { systemClock } from './environment.ts';

export const openTable = (tableName: string): Table =>
  keepingTime(createDynamoTable({ client: createDocumentClient(serviceCalls), tableName }), systemClock);
