import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { removalOf } from './retention.ts';
import type { Surroundings } from './surroundings.ts';

export interface EncryptedLogGroupProps extends LogGroupProps {
  readonly surroundings: Pick<Surroundings, 'config' | 'key'>;
  /** The key's policy lists which names it serves: see `EncryptionKey`. */
  readonly logGroupName: string;
}

/** A log group that exists before its first line, so that retention and encryption are ours. */
export class EncryptedLogGroup extends LogGroup {
  constructor(scope: Construct, id: string, props: EncryptedLogGroupProps) {
    const { surroundings, ...own } = props;
    super(scope, id, {
      encryptionKey: surroundings.key,
      retention: surroundings.config.logRetentionDays,
      removalPolicy: removalOf(surroundings.config),
      ...own,
    });
  }
}
