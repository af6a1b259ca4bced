/** The table of a function: one client per instance, made outside the handler. */
import { createDocumentClient, createDynamoTable } from '../data/dynamo-table.ts';
import type { Table } from '../data/table.ts';
import { serviceCalls } from './calls.ts';

export const openTable = (tableName: string): Table =>
  createDynamoTable({ client: createDocumentClient(serviceCalls), tableName });
