import { createHash } from 'node:crypto';

/** The region every part runs in; only names and signatures carry it. */
export const region = 'us-east-1';

/** The account of the local engines (the one the queue engine uses too). */
export const accountId = '000000000000';

const digest = (text: string, alphabet: string, length: number): string =>
  [...createHash('sha256').update(text).digest()]
    .map((byte) => alphabet[byte % alphabet.length])
    .join('')
    .slice(0, length);

const lower = 'abcdefghijklmnopqrstuvwxyz0123456789';

/**
 * The name CloudFormation would make up: stack, logical id and a suffix. It is
 * the same on every start, so that data survives a restart.
 */
export const generatedName = (stack: string, logicalId: string): string =>
  `${stack}-${logicalId}-${digest(`${stack}/${logicalId}`, lower, 8)}`;

/** An id of letters and digits, as API Gateway and Cognito give, the same on every start. */
export const generatedId = (stack: string, logicalId: string, length: number): string =>
  digest(`${stack}/${logicalId}`, lower, length);

/** A resource name in AWS's form. */
export const arn = (service: string, resource: string): string =>
  `arn:aws:${service}:${region}:${accountId}:${resource}`;
