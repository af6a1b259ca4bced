/**
 * Rules of our own, for the mistakes with queues and streams that no general
 * pack looks for and that lose or repeat messages only under load.
 */
import { type CfnResource, Stack } from 'aws-cdk-lib';
import { CfnEventSourceMapping, CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { NagMessageLevel, NagPack, NagRuleCompliance } from 'cdk-nag';

/** AWS's own advice: five retries of the invocation must fit into one hiding of the message. */
const visibilityPerTimeout = 6;

const { COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE } = NagRuleCompliance;
const verdict = (holds: boolean): NagRuleCompliance => (holds ? COMPLIANT : NON_COMPLIANT);

type Mapping = Record<string, unknown> & {
  filterCriteria?: { filters?: unknown[] };
  functionResponseTypes?: string[];
  maximumRetryAttempts?: number;
};

/** The mapping's resolved properties, and what its source and its function are. */
function mappingOf(node: CfnResource) {
  if (!(node instanceof CfnEventSourceMapping)) return undefined;
  const stack = Stack.of(node);
  const logicalIdIn = (value: unknown): string | undefined => {
    const resolved = stack.resolve(value) as { Ref?: string; 'Fn::GetAtt'?: [string, string] } | undefined;
    return resolved?.Ref ?? resolved?.['Fn::GetAtt']?.[0];
  };
  const find = <T extends CfnResource>(id: string | undefined, is: (each: unknown) => each is T) =>
    stack.node
      .findAll()
      .filter(is)
      .find((each) => stack.resolve(each.logicalId) === id);
  return {
    resolved: {
      filterCriteria: stack.resolve(node.filterCriteria),
      functionResponseTypes: stack.resolve(node.functionResponseTypes),
      maximumConcurrency: stack.resolve(node.scalingConfig)?.maximumConcurrency,
      maximumRetryAttempts: stack.resolve(node.maximumRetryAttempts),
      onFailure: stack.resolve(node.destinationConfig)?.onFailure?.destination,
    } as Mapping,
    // Only streams have a position to start from, and each of them must name one.
    isStream: node.startingPosition !== undefined,
    queue: find(logicalIdIn(node.eventSourceArn), (each): each is CfnQueue => each instanceof CfnQueue),
    consumer: find(
      logicalIdIn(node.functionName),
      (each): each is CfnFunction => each instanceof CfnFunction,
    ),
  };
}

function queueHidesLongEnough(node: CfnResource): NagRuleCompliance {
  const mapping = mappingOf(node);
  if (!mapping?.queue) return NOT_APPLICABLE;
  return verdict(
    (mapping.queue.visibilityTimeout ?? 30) >= visibilityPerTimeout * (mapping.consumer?.timeout ?? 3),
  );
}

function reportsItemFailures(node: CfnResource): NagRuleCompliance {
  const mapping = mappingOf(node);
  if (!mapping) return NOT_APPLICABLE;
  return verdict(mapping.resolved.functionResponseTypes?.includes('ReportBatchItemFailures') ?? false);
}

function noQueueFilter(node: CfnResource): NagRuleCompliance {
  const mapping = mappingOf(node);
  if (!mapping?.queue) return NOT_APPLICABLE;
  return verdict(mapping.resolved.filterCriteria === undefined);
}

function concurrencyIsBounded(node: CfnResource): NagRuleCompliance {
  const mapping = mappingOf(node);
  if (!mapping?.queue) return NOT_APPLICABLE;
  return verdict(mapping.resolved['maximumConcurrency'] !== undefined);
}

function streamIsFiltered(node: CfnResource): NagRuleCompliance {
  const mapping = mappingOf(node);
  if (!mapping?.isStream) return NOT_APPLICABLE;
  return verdict((mapping.resolved.filterCriteria?.filters ?? []).length > 0);
}

function streamGivesUp(node: CfnResource): NagRuleCompliance {
  const mapping = mappingOf(node);
  if (!mapping?.isStream) return NOT_APPLICABLE;
  const { maximumRetryAttempts = -1, onFailure } = mapping.resolved;
  return verdict(maximumRetryAttempts >= 0 && onFailure !== undefined);
}

const rules = [
  {
    ruleSuffixOverride: 'QueueVisibility',
    info: 'The queue hides a message for less than six times the timeout of the function that reads it.',
    explanation:
      'A message would come back while it is still being worked on, and count towards the dead letters.',
    rule: queueHidesLongEnough,
  },
  {
    ruleSuffixOverride: 'PartialBatch',
    info: 'The event source does not report the failures of single items.',
    explanation: 'One bad message would send its whole batch back again and again.',
    rule: reportsItemFailures,
  },
  {
    ruleSuffixOverride: 'NoQueueFilter',
    info: 'The event source filters a queue.',
    explanation: 'A filter on a queue deletes each message that it does not match.',
    rule: noQueueFilter,
  },
  {
    ruleSuffixOverride: 'BoundedConcurrency',
    info: 'The event source has no maximum concurrency.',
    explanation:
      'A new account runs ten functions at once: one full queue would leave none to take inquiries.',
    rule: concurrencyIsBounded,
  },
  {
    ruleSuffixOverride: 'StreamFilter',
    info: 'The event source does not filter a stream.',
    explanation:
      'The function would be called for every row of the table, those that it writes itself among them, and so for ever.',
    rule: streamIsFiltered,
  },
  {
    ruleSuffixOverride: 'StreamGivesUp',
    info: 'The event source of a stream tries again without an end, or keeps nothing of what it gave up.',
    explanation:
      'One record that fails would hold up all that come after it until the stream forgets them, a day later.',
    rule: streamGivesUp,
  },
];

/** Checks every event source, of queues and of streams; reported and acknowledged like the rules of any other pack. */
export class FirstcallChecks extends NagPack {
  readonly name = 'Firstcall';
  protected override packName = 'Firstcall';

  protected checkResource(node: CfnResource): void {
    for (const rule of rules) this.applyRule({ ...rule, level: NagMessageLevel.ERROR, node });
  }
}
