import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import {
  appOf,
  asList,
  type Json,
  ofType,
  readable,
  type Synthesized,
  synthesized,
  the,
} from './synthesized.ts';

/** Where each function lives. */
const homes = {
  Score: 'pipeline',
  Route: 'pipeline',
  Notify: 'pipeline',
  Remind: 'pipeline',
  Report: 'pipeline',
  People: 'pipeline',
  Feedback: 'pipeline',
  Capture: 'api',
  Api: 'api',
  Unsubscribe: 'api',
} as const;
type Name = keyof typeof homes;
const names = Object.keys(homes) as Name[];

const table = 'Table.Arn';
const index = (name: string) => `${table}/index/${name}`;
const receive = ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'];
const send = ['sqs:SendMessage'];
const ddb = (...actions: string[]) => actions.map((action) => `dynamodb:${action}`);

/** Everything a function may do, by resource, beside its log, its traces and the key. */
const permissions: Record<Name, Record<string, string[]>> = {
  Capture: {
    [table]: ddb('BatchGetItem', 'PutItem', 'Query', 'UpdateItem'),
    'ScoreQueue.Arn': send,
    DigestSecret: ['secretsmanager:GetSecretValue'],
    WebhookSecret: ['secretsmanager:GetSecretValue'],
  },
  Score: {
    'ScoreQueue.Arn': receive,
    [table]: ddb('BatchGetItem', 'PutItem', 'Query', 'UpdateItem'),
    'RouteQueue.Arn': send,
    'MailQueue.Arn': send,
  },
  Route: {
    'RouteQueue.Arn': [...receive, ...send],
    [table]: ddb('BatchGetItem', 'PutItem', 'Query', 'UpdateItem'),
    [index('queue')]: ddb('Query'),
    'MailQueue.Arn': send,
  },
  Notify: {
    'MailQueue.Arn': receive,
    'RouteQueue.Arn': send,
    [table]: ddb('BatchGetItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
    [index('queue')]: ddb('Query'),
    'arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:identity/MailSender': ['ses:SendRawEmail'],
    'arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:configuration-set/MailStaff': ['ses:SendRawEmail'],
    'arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:configuration-set/MailPatients': ['ses:SendRawEmail'],
    DigestSecret: ['secretsmanager:GetSecretValue'],
  },
  Remind: {
    [index('due')]: ddb('Query'),
    [table]: ddb('BatchGetItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
    'ScoreQueue.Arn': send,
    'RouteQueue.Arn': send,
    'MailQueue.Arn': send,
    'MissedSweeps.Arn': send,
  },
  Report: {
    'Table.StreamArn': ddb('DescribeStream', 'GetRecords', 'GetShardIterator'),
    '*': ddb('ListStreams'),
    [table]: ddb('Query', 'UpdateItem'),
    'UncountedChanges.Arn': send,
  },
  People: {
    'Table.StreamArn': ddb('DescribeStream', 'GetRecords', 'GetShardIterator'),
    '*': ddb('ListStreams'),
    [table]: ddb('BatchGetItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
    [index('timeline')]: ddb('Query'),
    'ScoreQueue.Arn': send,
    'RouteQueue.Arn': send,
    'UnfollowedPeople.Arn': send,
  },
  Feedback: {
    [table]: ddb('GetItem', 'PutItem', 'Query', 'UpdateItem'),
    DigestSecret: ['secretsmanager:GetSecretValue'],
    'LostFeedback.Arn': send,
  },
  Unsubscribe: {
    [table]: ddb('PutItem', 'Query', 'UpdateItem'),
    DigestSecret: ['secretsmanager:GetSecretValue'],
  },
  Api: {
    [table]: ddb('BatchGetItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
    [index('queue')]: ddb('Query'),
    [index('board')]: ddb('Query'),
    [index('timeline')]: ddb('Query'),
    'ScoreQueue.Arn': send,
    'RouteQueue.Arn': send,
    'MailQueue.Arn': send,
    DigestSecret: ['secretsmanager:GetSecretValue'],
  },
};

const environments: Record<Name, string[]> = {
  Capture: ['ALLOWED_ORIGINS', 'HMAC_SECRET_ARN', 'SCORE_QUEUE_URL', 'WEBHOOK_SECRET_ARN'],
  Score: ['MAIL_QUEUE_URL', 'ROUTE_QUEUE_URL'],
  Route: ['MAIL_QUEUE_URL', 'ROUTE_QUEUE_URL'],
  Notify: [
    'CONFIGURATION_SET',
    'CONSOLE_URL',
    'HMAC_SECRET_ARN',
    'PUBLIC_URL',
    'ROUTE_QUEUE_URL',
    'SENDER_ADDRESS',
    'TRACKED_CONFIGURATION_SET',
  ],
  Feedback: ['HMAC_SECRET_ARN'],
  Unsubscribe: ['HMAC_SECRET_ARN'],
  Remind: ['MAIL_QUEUE_URL', 'ROUTE_QUEUE_URL', 'SCORE_QUEUE_URL'],
  Report: [],
  People: ['ROUTE_QUEUE_URL', 'SCORE_QUEUE_URL'],
  Api: [
    'CONSOLE_URL',
    'HMAC_SECRET_ARN',
    'MAIL_QUEUE_URL',
    'ROUTE_QUEUE_URL',
    'SCORE_QUEUE_URL',
    'STAFF_CLIENT_ID',
  ],
};

const homeOf = (all: Synthesized, name: Name): Template => all[homes[name]];
const statementsOf = (all: Synthesized, name: Name): Json[] =>
  the(homeOf(all, name), 'AWS::IAM::ManagedPolicy', `${name}Policy`).Properties.PolicyDocument.Statement;

function allowed(statements: Json[]): Record<string, string[]> {
  const byResource: Record<string, string[]> = {};
  for (const { Effect, Action, Resource } of statements) {
    if (Effect !== 'Allow') continue;
    for (const resource of asList(Resource).map(readable)) {
      byResource[resource] = [...(byResource[resource] ?? []), ...asList<string>(Action)].sort();
    }
  }
  return byResource;
}

describe.each(['dev', 'prod'] as const)('functions of %s', (env) => {
  const all = synthesized(env);

  test('are the ten, and no other', () => {
    const count = (template: Template) => ofType(template, 'AWS::Lambda::Function').length;
    expect([count(all.foundation), count(all.pipeline), count(all.api)]).toEqual([0, 7, 3]);
  });

  describe.each(names)('%s', (name) => {
    const template = homeOf(all, name);
    const fn = the(template, 'AWS::Lambda::Function', name).Properties;

    test('may do exactly this', () => {
      const actual = allowed(statementsOf(all, name));
      // What every function has.
      delete actual['Key.Arn'];
      expect(actual[`${name}Logs.Arn`]).toEqual(['logs:CreateLogStream', 'logs:PutLogEvents']);
      delete actual[`${name}Logs.Arn`];
      const traces = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'];
      expect(actual['*']).toEqual(expect.arrayContaining(traces));
      actual['*'] = (actual['*'] ?? []).filter((action) => !traces.includes(action));
      if (actual['*'].length === 0) delete actual['*'];

      expect(actual).toEqual(permissions[name]);
    });

    test('uses the key through services only', () => {
      const keyed = statementsOf(all, name).filter(
        ({ Resource }) => readable(asList(Resource)[0]) === 'Key.Arn',
      );
      expect(keyed.length).toBeGreaterThan(0);
      for (const { Condition } of keyed) {
        expect(readable(Condition.StringEquals['kms:ViaService'])).toMatch(
          /^(dynamodb|sqs|secretsmanager)\.AWS::Region\.amazonaws\.com$/,
        );
      }
    });

    test('can neither change nor remove what is in the audit', () => {
      expect(statementsOf(all, name).filter(({ Effect }) => Effect === 'Deny')).toEqual([
        expect.objectContaining({
          Action: expect.arrayContaining(['dynamodb:DeleteItem', 'dynamodb:UpdateItem']),
          Condition: { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': ['AUDIT#*'] } },
        }),
      ]);
    });

    test('has its policy before it exists, and nothing inline', () => {
      const role = the(template, 'AWS::IAM::Role', `${name}Role`).Properties;

      expect(asList(role.ManagedPolicyArns).map(readable)).toEqual([`${name}Policy`]);
      expect(role.Policies).toBeUndefined();
      expect(ofType(template, 'AWS::IAM::Policy')).toEqual([]);
    });

    test('runs on Node 24 on arm64, traced, with no concurrency reserved', () => {
      expect(fn).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogFormat: 'JSON' },
      });
      expect(fn.ReservedConcurrentExecutions).toBeUndefined();
      // Room for the longest call of a service, as `shared/runtime/calls.ts` bounds it.
      expect(fn.Timeout).toBeGreaterThanOrEqual(name === 'Notify' ? 30 : 10);
      expect(fn.MemorySize).toBeGreaterThan(0);
    });

    test('knows what it needs and no more', () => {
      const { Variables } = fn.Environment;
      expect(Variables).toMatchObject({
        POWERTOOLS_SERVICE_NAME: name.toLowerCase(),
        POWERTOOLS_METRICS_NAMESPACE: `Firstcall/${env}`,
        POWERTOOLS_LOG_LEVEL: 'INFO',
      });
      expect(readable(Variables.TABLE_NAME)).toBe('Table');
      const own = Object.keys(Variables).filter(
        (key) => !key.startsWith('POWERTOOLS_') && key !== 'TABLE_NAME',
      );
      expect(own.sort()).toEqual(environments[name]);
    });

    test('logs into its own encrypted log group, for the time configured', () => {
      const group = the(template, 'AWS::Logs::LogGroup', `${name}Logs`);

      expect(readable(fn.LoggingConfig.LogGroup)).toBe(`${name}Logs`);
      expect(group.Properties.LogGroupName).toBe(`/firstcall/${env}/${name.toLowerCase()}`);
    });

    test('rings when it fails or is throttled, and says what that means', () => {
      const alarm = the(template, 'AWS::CloudWatch::Alarm', `${name}ErrorAlarm`).Properties;

      expect(alarm.Metrics[0].Expression).toBe('errors + throttles');
      expect(alarm.AlarmDescription.length).toBeGreaterThan(30);
    });
  });

  test('capture removes nothing', () => {
    const removing = statementsOf(all, 'Capture').filter(
      ({ Effect, Action }) => Effect === 'Allow' && asList(Action).includes('dynamodb:DeleteItem'),
    );
    expect(removing).toEqual([]);
  });

  test('notify sends from the one address', () => {
    const [sending] = statementsOf(all, 'Notify').filter(({ Action }) => Action === 'ses:SendRawEmail');
    expect(sending.Condition).toEqual({ StringEquals: { 'ses:FromAddress': all.config.senderAddress } });
  });

  test.each(['foundation', 'pipeline', 'api'] as const)(
    '%s: every log group is encrypted and has an end',
    (stack) => {
      for (const [, group] of ofType(all[stack], 'AWS::Logs::LogGroup')) {
        expect(readable(group.Properties.KmsKeyId)).toBe('Key.Arn');
        expect(group.Properties.RetentionInDays).toBe(all.config.logRetentionDays);
        expect(group.DeletionPolicy).toBe(env === 'prod' ? 'RetainExceptOnCreate' : 'Delete');
      }
    },
  );

  test.each(['foundation', 'pipeline', 'api'] as const)(
    '%s: every alarm tells the topic, in words',
    (stack) => {
      for (const [, { Properties }] of ofType(all[stack], 'AWS::CloudWatch::Alarm')) {
        expect(asList(Properties.AlarmActions).map(readable)).toEqual(['Alarms']);
        expect(Properties.AlarmDescription.length).toBeGreaterThan(30);
      }
    },
  );

  test.each(['foundation', 'pipeline', 'api'] as const)('%s stays under 400 resources', (stack) => {
    expect(Object.keys(all[stack].toJSON().Resources).length).toBeLessThan(400);
  });
});

test('what one environment counts rings no alarm of another', () => {
  const watched = (env: 'dev' | 'prod') =>
    (['foundation', 'pipeline', 'api'] as const).flatMap((stack) =>
      ofType(synthesized(env)[stack], 'AWS::CloudWatch::Alarm').flatMap(([, { Properties }]) => {
        const metrics: Json[] = Properties.Metrics?.map(({ MetricStat }: Json) => MetricStat?.Metric) ?? [
          Properties,
        ];
        // Of AWS's own metrics the dimensions name a resource of the very stack.
        return metrics.flatMap((metric) =>
          metric && !metric.Namespace.startsWith('AWS/') ? [metric.Namespace] : [],
        );
      }),
    );

  expect(new Set(watched('dev'))).toEqual(new Set(['Firstcall/dev']));
  expect(new Set(watched('prod'))).toEqual(new Set(['Firstcall/prod']));
});

test.each([
  ['DEBUG', 'DEBUG'],
  ['ERROR', 'INFO'],
])('a log level of %s drops no metric', (logLevel, filter) => {
  const { stacks } = appOf('dev', { logLevel });
  const { LoggingConfig, Environment } = the(
    Template.fromStack(stacks.pipeline),
    'AWS::Lambda::Function',
    'Notify',
  ).Properties;

  // Lambda takes a line without a level, as the lines of metrics are, for INFO.
  expect(LoggingConfig.ApplicationLogLevel).toBe(filter);
  expect(Environment.Variables.POWERTOOLS_LOG_LEVEL).toBe(logLevel);
});
