import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { QueueAlarmPlan } from '../template/plan.ts';
import { type EventSource, startLoop } from './pausable.ts';

/** How often the queues are looked at. */
const pauseMs = 3_000;

/**
 * Rings as CloudWatch would where messages lie in a queue that should be empty: a line with the
 * alarm's own text, and another one when all is well again.
 */
export function startQueueAlarms(options: {
  readonly client: SQSClient;
  readonly alarms: readonly QueueAlarmPlan[];
  queueUrl(queueName: string): string;
  report(line: string): void;
  onError(what: string, error: unknown): void;
}): EventSource {
  const { client, alarms, queueUrl, report, onError } = options;
  /** When each that rings last saw a reason to. */
  const ringing = new Map<QueueAlarmPlan, number>();

  const look = async (alarm: QueueAlarmPlan): Promise<void> => {
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl(alarm.queueName),
        AttributeNames: ['ApproximateNumberOfMessages'],
      }),
    );
    const since = ringing.get(alarm);
    if (Number(Attributes?.['ApproximateNumberOfMessages'] ?? 0) >= alarm.threshold) {
      ringing.set(alarm, Date.now());
      if (since === undefined) report(`ALARM ${alarm.name}: ${alarm.text}`);
    } else if (since !== undefined && Date.now() - since >= alarm.periodSeconds * 1000) {
      // Its metric is the most of a period: whoever looks at a message hides it for a moment.
      ringing.delete(alarm);
      report(`OK ${alarm.name}`);
    }
  };

  return startLoop(
    async ({ sleep }) => {
      await Promise.all(alarms.map(look));
      await sleep(pauseMs);
    },
    { onError: (error) => onError('the queues could not be looked at', error), settle: async () => {} },
  );
}
