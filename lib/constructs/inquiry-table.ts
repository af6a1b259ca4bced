import { Duration, Validations } from 'aws-cdk-lib';
import { BackupPlan, BackupPlanRule, BackupResource, BackupVault } from 'aws-cdk-lib/aws-backup';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
  type TableProps,
} from 'aws-cdk-lib/aws-dynamodb';
import { Schedule } from 'aws-cdk-lib/aws-events';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { Configuration } from '../config.ts';
import { removalOf } from './retention.ts';

/** The sparse indexes; each has the keys `<name>Pk` and `<name>Sk`. */
const indexNames = ['due', 'queue', 'board', 'timeline'] as const;
export type IndexName = (typeof indexNames)[number];

export interface InquiryTableProps extends Partial<TableProps> {
  readonly config: Configuration;
  readonly key: IKey;
}

/**
 * The one table, with its indexes, its stream and its daily backup. `Table`,
 * not `TableV2`: the HIPAA rules do not see the latter.
 */
export class InquiryTable extends Table {
  constructor(scope: Construct, id: string, props: InquiryTableProps) {
    const { config, key, ...own } = props;
    super(scope, id, {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true, recoveryPeriodInDays: 35 },
      timeToLiveAttribute: 'expiresAt',
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      deletionProtection: config.keepData,
      removalPolicy: removalOf(config),
      ...own,
    });
    // A deployed table takes one new index per deployment: add further ones singly.
    for (const index of indexNames) {
      this.addGlobalSecondaryIndex({
        indexName: index,
        partitionKey: { name: `${index}Pk`, type: AttributeType.STRING },
        sortKey: { name: `${index}Sk`, type: AttributeType.STRING },
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
    this.#backUpDaily(config, key);
  }

  #backUpDaily(config: Configuration, key: IKey): void {
    const vault = new BackupVault(this, 'Vault', {
      encryptionKey: key,
      blockRecoveryPointDeletion: config.keepData,
      removalPolicy: removalOf(config),
    });
    const plan = new BackupPlan(this, 'BackupPlan', {
      backupVault: vault,
      backupPlanRules: [
        new BackupPlanRule({
          ruleName: 'daily',
          scheduleExpression: Schedule.cron({ hour: '5', minute: '0' }),
          startWindow: Duration.hours(1),
          completionWindow: Duration.hours(8),
          deleteAfter: Duration.days(config.backupRetentionDays),
        }),
      ],
    });
    const selection = plan.addSelection('Table', { resources: [BackupResource.fromDynamoDbTable(this)] });
    Validations.of(selection).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]',
      reason:
        'AWS Backup documents this policy for its role and widens it as the service grows; the role can be assumed by AWS Backup alone.',
    });
  }
}
