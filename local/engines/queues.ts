import { CreateQueueCommand, GetQueueUrlCommand, QueueNameExists, type SQSClient } from '@aws-sdk/client-sqs';
import type { QueuePlan } from '../template/plan.ts';

/**
 * Creates the queues that are not there yet; gives each one's URL by its name,
 * at the endpoint it was created at: emulators like to name hosts of their own,
 * which not every machine can look up.
 */
export async function prepareQueues(
  client: SQSClient,
  endpoint: string,
  plans: readonly QueuePlan[],
): Promise<Map<string, string>> {
  // Those that others redrive to come first: a redrive policy names an existing queue.
  const ordered = [...plans].sort(
    (left, right) => Number('RedrivePolicy' in left.attributes) - Number('RedrivePolicy' in right.attributes),
  );
  const urls = new Map<string, string>();
  for (const { queueName, attributes } of ordered) {
    const url = await ensureQueue(client, queueName, attributes);
    urls.set(queueName, new URL(endpoint).origin + new URL(url).pathname);
  }
  return urls;
}

async function ensureQueue(
  client: SQSClient,
  queueName: string,
  attributes: Record<string, string>,
): Promise<string> {
  try {
    const created = await client.send(
      new CreateQueueCommand({ QueueName: queueName, Attributes: attributes }),
    );
    return created.QueueUrl ?? '';
  } catch (error) {
    if (!(error instanceof QueueNameExists)) throw error;
    const found = await client.send(new GetQueueUrlCommand({ QueueName: queueName }));
    return found.QueueUrl ?? '';
  }
}
