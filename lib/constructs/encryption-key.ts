import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key, type KeyProps } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { Configuration } from '../config.ts';

export interface EncryptionKeyProps extends KeyProps {
  readonly config: Configuration;
}

/**
 * The one customer-managed key. Roles of this account get at it through their
 * own policies; services that act for themselves must be named here, or they
 * fail without a word: an alarm that cannot publish looks like a quiet night.
 */
export class EncryptionKey extends Key {
  constructor(scope: Construct, id: string, props: EncryptionKeyProps) {
    const { config, ...own } = props;
    super(scope, id, {
      description: `Firstcall ${config.env}: everything at rest`,
      alias: config.prefix,
      enableKeyRotation: true,
      // In every environment: the HMAC secret is kept in every environment, and is lost without its key.
      removalPolicy: RemovalPolicy.RETAIN,
      ...own,
    });

    const { partition, region, account } = Stack.of(this);
    const logGroups = `arn:${partition}:logs:${region}:${account}:log-group`;
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'LogGroups',
        principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
        actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
        resources: ['*'],
        conditions: {
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': [
              `${logGroups}:/firstcall/${config.env}/*`,
              `${logGroups}:aws-waf-logs-${config.prefix}`,
              `${logGroups}:API-Gateway-Execution-Logs_*`,
            ],
          },
        },
      }),
    );
    const mayPublish = (sid: string, service: string): void => {
      this.addToResourcePolicy(
        new PolicyStatement({
          sid,
          principals: [new ServicePrincipal(service)],
          actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
          resources: ['*'],
        }),
      );
    };
    mayPublish('AlarmsToTopic', 'cloudwatch.amazonaws.com');
    mayPublish('MissedEventsToQueue', 'events.amazonaws.com');
    mayPublish('MailEventsToTopic', 'ses.amazonaws.com');
    mayPublish('LostFeedbackToQueue', 'sns.amazonaws.com');
  }
}
