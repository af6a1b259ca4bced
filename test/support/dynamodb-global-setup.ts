import type { TestProject } from 'vitest/node';
import { startDynamoDb } from './dynamodb.ts';

/** Starts one engine for all table tests and tells them where it is. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { endpoint, stop } = await startDynamoDb();
  project.provide('dynamodbEndpoint', endpoint);
  return stop;
}
