import { RemovalPolicy } from 'aws-cdk-lib';
import type { Configuration } from '../config.ts';

/**
 * What happens to something that holds data when its stack goes. Where data is
 * kept, only the very first deployment may take it away again: else a failed
 * one would leave named resources behind that block the next.
 */
export const removalOf = (config: Configuration): RemovalPolicy =>
  config.keepData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
