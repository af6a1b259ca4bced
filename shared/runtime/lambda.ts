/**
 * What every handler is wrapped in: logging with the invocation's ids, and
 * metrics. Neither ever sees a body, an answer or an error's message, which is
 * where a person's data would slip through. Traces are Lambda's own: the X-Ray
 * SDK would add one subsegment to them, for a third of each cold start.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';

export const logger = new Logger();
const metrics = new Metrics();

/** Counts something that happened, by its code. */
export function countMetric(name: string, n = 1): void {
  metrics.addMetric(name, MetricUnit.Count, n);
}

/**
 * What may be logged of an error: its name, its code and where it was thrown. Its
 * message may quote what it was given, so it stays out.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { errorName: typeof error };
  // The stack begins with the message, and a message can look like a frame.
  const trace = error.stack?.replace(error.message, '') ?? '';
  const frames = trace.split('\n').filter((line) => line.startsWith('    at '));
  const { code } = error as { code?: unknown };
  return {
    errorName: error.name,
    ...(typeof code === 'string' && { errorCode: code }),
    frames: frames.slice(0, 8).map((line) => line.trim()),
  };
}

/** Publishes what was counted; the library's own middleware warns on each invocation that counts nothing. */
function publishMetrics(): void {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
}

/** A handler with logging and metrics around it. */
export function lambdaHandler<Event, Result>(work: (event: Event, context: Context) => Promise<Result>) {
  return middy<Event, Result>()
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use({ after: publishMetrics, onError: publishMetrics })
    .handler(async (event: Event, context: Context): Promise<Result> => {
      try {
        return await work(event, context);
      } catch (error) {
        logger.error('invocation failed', describeError(error));
        // The runtime prints what is thrown, so an opaque error takes its place.
        throw new Error('invocation failed');
      }
    });
}
