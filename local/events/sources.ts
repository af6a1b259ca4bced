import { createWriteStream } from 'node:fs';
import { join, relative } from 'node:path';
import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { PreparedEngines } from '../engines/engines.ts';
import type { PreparedTable } from '../engines/tables.ts';
import type { Home } from '../home.ts';
import { LocalProblem, messageOf } from '../problem.ts';
import type { Plan } from '../template/plan.ts';
import { unknownOperator } from './filters.ts';
import { startMailEvents } from './mail-events.ts';
import type { EventSource } from './pausable.ts';
import { startQueueAlarms } from './queue-alarms.ts';
import { startQueueSource } from './queue-source.ts';
import { startSchedule } from './schedule.ts';
import { openStream, type StreamReader } from './stream-reader.ts';
import { startStreamSource } from './stream-source.ts';

/** @throws LocalProblem naming a function whose filter asks for what is not known here */
export function assertFiltersAreKnown(plan: Plan): void {
  for (const source of plan.streamSources) {
    const operator = source.filters.map(unknownOperator).find(Boolean);
    if (operator) {
      throw new LocalProblem(
        `local/ cannot run the stream filter of ${source.functionName}: teach it the operator ${operator} in local/events/filters.ts.`,
      );
    }
  }
}

/** Starts every event source of the stacks: queues, streams and schedules; and the alarms on queues. */
export function startSources(parts: {
  plan: Plan;
  tables: readonly PreparedTable[];
  prepared: PreparedEngines;
  streams: DynamoDBStreamsClient;
  home: Home;
  invoke(functionName: string, event: unknown): Promise<unknown>;
  report(line: string): void;
}): EventSource[] {
  const { plan, tables, prepared, streams, home, invoke } = parts;
  const log = createWriteStream(join(home.logs, 'events.log'), { flags: 'a', mode: 0o600 });
  const onError = (what: string, error: unknown): void => {
    log.write(`${new Date().toISOString()} ${what}: ${messageOf(error)}\n`);
    const reason = error instanceof Error ? error.name : 'error';
    parts.report(`${what} (${reason}): see ${relative(process.cwd(), join(home.logs, 'events.log'))}`);
  };
  const queueUrl = (queueName: string): string => prepared.queueUrls.get(queueName) ?? '';
  const streamArnOf = (name: string): string =>
    tables.find(({ tableName }) => tableName === name)?.streamArn ?? '';
  const opened = new Map<string, StreamReader>();
  const streamOf = (tableName: string): StreamReader => {
    const stream = opened.get(tableName) ?? openStream(streams, streamArnOf(tableName));
    opened.set(tableName, stream);
    return stream;
  };
  return [
    ...plan.queueSources.map((source) =>
      startQueueSource({
        client: prepared.sqs,
        plan: source,
        queueUrl: queueUrl(source.queueName),
        invoke,
        onError,
      }),
    ),
    ...plan.streamSources.map((source) =>
      startStreamSource({
        stream: streamOf(source.tableName),
        plan: source,
        streamArn: streamArnOf(source.tableName),
        positionFile: join(home.positions, `${source.functionName}.json`),
        invoke,
        sendFailure: async (description) => {
          if (!source.failureQueueName) return;
          await prepared.sqs.send(
            new SendMessageCommand({
              QueueUrl: queueUrl(source.failureQueueName),
              MessageBody: JSON.stringify(description),
            }),
          );
        },
        onError,
      }),
    ),
    ...plan.mailEvents.map((mailEvent) =>
      startMailEvents({ plan: mailEvent, inboxUrl: prepared.endpoints.ses, invoke, onError }),
    ),
    startQueueAlarms({
      client: prepared.sqs,
      alarms: plan.queueAlarms,
      queueUrl,
      report: (line) => {
        log.write(`${new Date().toISOString()} ${line}\n`);
        parts.report(line);
      },
      onError,
    }),
    ...plan.schedules.map((schedule) => startSchedule({ plan: schedule, invoke, onError })),
  ];
}
