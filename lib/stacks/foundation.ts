import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Configuration } from '../config.ts';
import { EncryptionKey } from '../constructs/encryption-key.ts';
import { InquiryTable } from '../constructs/inquiry-table.ts';
import { Mail } from '../constructs/mail.ts';
import { DigestSecret, WebhookSecret } from '../constructs/secrets.ts';
import type { Surroundings } from '../constructs/surroundings.ts';
import { AlarmTopic } from '../constructs/topics.ts';

export interface FoundationStackProps extends StackProps {
  readonly config: Configuration;
}

/** What is kept: the key, the table, the secrets, the sender, and where alarms go. */
export class FoundationStack extends Stack {
  readonly surroundings: Surroundings;
  readonly table: ITable;
  readonly digestSecret: ISecret;
  readonly webhookSecret: ISecret;
  readonly mail: Mail;

  constructor(scope: Construct, id: string, props: FoundationStackProps) {
    const { config, ...own } = props;
    super(scope, id, {
      description: `Firstcall ${config.env}: what is kept`,
      terminationProtection: config.keepData,
      ...own,
    });

    const key = new EncryptionKey(this, 'Key', { config });
    const alarms = new AlarmTopic(this, 'Alarms', { key, address: config.alarmAddress });

    this.surroundings = { config, key, alarms };
    // The assertions: CDK's classes are not exact about optional properties, and so do not fit their interfaces.
    this.table = new InquiryTable(this, 'Table', { config, key }) as ITable;
    this.digestSecret = new DigestSecret(this, 'DigestSecret', key) as ISecret;
    this.webhookSecret = new WebhookSecret(this, 'WebhookSecret', key) as ISecret;
    this.mail = new Mail(this, 'Mail', this.surroundings);

    new CfnOutput(this, 'TableName', { value: this.table.tableName });
    new CfnOutput(this, 'WebhookSecretArn', { value: this.webhookSecret.secretArn });
  }
}
