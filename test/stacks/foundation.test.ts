import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { asList, type Json, ofType, readable, synthesized, the } from './synthesized.ts';

describe.each(['dev', 'prod'] as const)('foundation of %s', (env) => {
  const { foundation, config } = synthesized(env);
  const kept = env === 'prod';
  const removal = kept ? 'RetainExceptOnCreate' : 'Delete';

  test('the table is encrypted with our key, recoverable, streamed and guarded', () => {
    const table = the(foundation, 'AWS::DynamoDB::Table', 'Table');

    expect(table.DeletionPolicy).toBe(removal);
    expect(table.Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: kept,
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 35 },
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
    expect(readable(table.Properties.SSESpecification.KMSMasterKeyId)).toBe('Key.Arn');
  });

  test('the four indexes hold keys only', () => {
    const { GlobalSecondaryIndexes } = the(foundation, 'AWS::DynamoDB::Table', 'Table').Properties;

    expect(GlobalSecondaryIndexes).toEqual(
      ['due', 'queue', 'board', 'timeline'].map((name) => ({
        IndexName: name,
        KeySchema: [
          { AttributeName: `${name}Pk`, KeyType: 'HASH' },
          { AttributeName: `${name}Sk`, KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      })),
    );
  });

  test('the table is backed up daily into an encrypted vault', () => {
    const [[, vault] = []] = ofType(foundation, 'AWS::Backup::BackupVault');
    expect(vault?.DeletionPolicy).toBe(removal);
    expect(readable(vault?.Properties.EncryptionKeyArn)).toBe('Key.Arn');
    expect(vault?.Properties.AccessPolicy !== undefined).toBe(kept);
    foundation.hasResourceProperties('AWS::Backup::BackupPlan', {
      BackupPlan: {
        BackupPlanRule: [
          {
            ScheduleExpression: 'cron(0 5 * * ? *)',
            Lifecycle: { DeleteAfterDays: config.backupRetentionDays },
          },
        ].map(Match.objectLike),
      },
    });
  });

  test('the key rotates and outlives the stack', () => {
    const key = the(foundation, 'AWS::KMS::Key', 'Key');

    expect(key.Properties.EnableKeyRotation).toBe(true);
    expect(key.DeletionPolicy).toBe('Retain');
  });

  test('the key lets logs, alarms, EventBridge and SES use it, the logs for our log groups only', () => {
    const statements: Json[] = the(foundation, 'AWS::KMS::Key', 'Key').Properties.KeyPolicy.Statement;
    const of = (service: string) =>
      statements.filter(({ Principal }) => Principal.Service && readable(Principal.Service) === service);

    for (const service of ['cloudwatch.amazonaws.com', 'events.amazonaws.com', 'ses.amazonaws.com']) {
      expect(of(service).map(({ Effect, Action }) => [Effect, Action])).toEqual([
        ['Allow', ['kms:Decrypt', 'kms:GenerateDataKey*']],
      ]);
    }
    const [logs, ...others] = of('logs.AWS::Region.amazonaws.com');
    expect(others).toEqual([]);
    const groups = asList(logs.Condition.ArnLike['kms:EncryptionContext:aws:logs:arn']).map((arn) =>
      readable(arn).replace(/^.*:log-group:/, ''),
    );
    expect(groups).toEqual([
      `/firstcall/${env}/*`,
      `aws-waf-logs-firstcall-${env}`,
      'API-Gateway-Execution-Logs_*',
    ]);
  });

  test('the secret behind the digests is kept in every environment, and drawn just so', () => {
    const secret = the(foundation, 'AWS::SecretsManager::Secret', 'DigestSecret');

    expect(secret.DeletionPolicy).toBe('Retain');
    expect(secret.Properties.GenerateSecretString).toEqual({
      ExcludePunctuation: true,
      GenerateStringKey: 'key',
      PasswordLength: 64,
      SecretStringTemplate: '{"version":"1"}',
    });
    expect(ofType(foundation, 'AWS::SecretsManager::RotationSchedule')).toEqual([]);
  });

  test('secrets and topics are encrypted with our key', () => {
    for (const [, { Properties }] of ofType(foundation, 'AWS::SecretsManager::Secret')) {
      expect(readable(Properties.KmsKeyId)).toBe('Key.Arn');
    }
    for (const [, { Properties }] of ofType(foundation, 'AWS::SNS::Topic')) {
      expect(readable(Properties.KmsMasterKeyId)).toBe('Key.Arn');
    }
  });

  test('CloudWatch may publish alarms, from this account only, and they reach the address', () => {
    const statements: Json[] = the(foundation, 'AWS::SNS::TopicPolicy', 'AlarmsPolicy').Properties
      .PolicyDocument.Statement;

    expect(statements).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Action: 'sns:Publish',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      }),
    );
    foundation.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'alarms@practice.example',
    });
  });

  test('all mail goes by TLS; only that to patients counts openings; troubles reach a topic of their own', () => {
    const sets = ofType(foundation, 'AWS::SES::ConfigurationSet').map(([, { Properties }]) => Properties);
    expect(sets.map(({ Name }) => Name)).toEqual([`firstcall-${env}-staff`, `firstcall-${env}-patients`]);
    for (const set of sets) {
      expect(set).toMatchObject({
        DeliveryOptions: { TlsPolicy: 'REQUIRE' },
        SuppressionOptions: { SuppressedReasons: ['BOUNCE', 'COMPLAINT'] },
      });
      expect(set.TrackingOptions).toBeUndefined();
    }
    const destinations = ofType(foundation, 'AWS::SES::ConfigurationSetEventDestination').map(
      ([, { Properties }]) => [
        readable(Properties.ConfigurationSetName),
        Properties.EventDestination.MatchingEventTypes,
        readable(Properties.EventDestination.SnsDestination.TopicARN),
      ],
    );
    const troubles = ['bounce', 'complaint', 'reject', 'renderingFailure'];
    expect(destinations).toEqual([
      ['MailStaff', troubles, 'MailEvents'],
      ['MailPatients', [...troubles, 'open'], 'MailEvents'],
    ]);
  });

  test('the sender is what SES verifies, and by default uses the staff configuration set', () => {
    const sender = the(foundation, 'AWS::SES::EmailIdentity', 'MailSender').Properties;

    expect(sender.EmailIdentity).toBe(env === 'prod' ? 'firstcall.example' : 'no-reply@firstcall.example');
    expect(readable(sender.ConfigurationSetAttributes.ConfigurationSetName)).toBe('MailStaff');
  });
});
