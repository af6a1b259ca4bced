import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Configuration } from '../config.ts';

/** What nearly every construct needs of the place it is in. */
export interface Surroundings {
  readonly config: Configuration;
  /** Encrypts everything at rest. */
  readonly key: IKey;
  /** Where alarms go. */
  readonly alarms: ITopic;
}
