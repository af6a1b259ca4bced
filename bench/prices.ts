/**
 * List prices of us-east-1 in USD, without any free tier, as of November 2026. Check
 * them against the services' pricing pages before quoting a figure made of them.
 */
export const pricesAsOf = '2026-11-22';

const million = 1_000_000;

export const prices = {
  /** On-demand, standard table class; halved in November 2024. */
  dynamoDbWriteUnit: 0.625 / million,
  dynamoDbReadUnit: 0.125 / million,
  /** Standard queues, after the first million of a month. */
  sqsRequest: 0.4 / million,
  sesMail: 0.1 / 1_000,
  apiGatewayRestRequest: 3.5 / million,
  lambdaRequest: 0.2 / million,
  /** arm64. */
  lambdaGbSecond: 0.0000133334,
  wafRequest: 0.6 / million,
  xrayTraceRecorded: 5 / million,
  logsIngestedGb: 0.5,
} as const;

/**
 * What a counted run on one machine cannot tell, and is assumed for the price of
 * a function's time: how long it waits for an AWS service, and how much processor
 * a megabyte of memory brings (one of 1,769 MB has a whole one).
 */
export const assumptions = {
  millisecondsPerCall: 6,
  mebibytesPerProcessor: 1_769,
  /** A queue's poller keeps five long polls of 20 s going, all day. */
  idlePollsPerQueueAndMinute: 15,
} as const;
