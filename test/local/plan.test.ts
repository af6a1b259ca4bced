// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders of CloudFormation
import { describe, expect, it } from 'vitest';
import { withQueueUrls } from '../../local/template/physical.ts';
import { planOf } from '../../local/template/plan.ts';
import { assemblyOf, functionResource } from './assembly.ts';

const foundation = {
  Resources: {
    Table: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        GlobalSecondaryIndexes: [
          { IndexName: 'due', KeySchema: [], Projection: { ProjectionType: 'KEYS_ONLY' } },
        ],
      },
    },
    Secret: {
      Type: 'AWS::SecretsManager::Secret',
      Properties: {
        GenerateSecretString: { SecretStringTemplate: '{"version":"1"}', GenerateStringKey: 'key' },
      },
    },
    Key: { Type: 'AWS::KMS::Key', Properties: {} },
  },
  Outputs: {
    Name: { Value: { Ref: 'Table' }, Export: { Name: 'Foundation:Table' } },
    Stream: {
      Value: { 'Fn::GetAtt': ['Table', 'StreamArn'] },
      Export: { Name: { 'Fn::Sub': '${AWS::StackName}:Stream' } },
    },
  },
};

const pipeline = {
  Parameters: { Level: { Type: 'String', Default: 'INFO' } },
  Conditions: { IsHere: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] } },
  Resources: {
    Dead: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead' } },
    Queue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        QueueName: 'score',
        VisibilityTimeout: 60,
        KmsMasterKeyId: { Ref: 'AWS::NoValue' },
        RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 5 },
      },
    },
    Score: functionResource({
      POWERTOOLS_SERVICE_NAME: 'score',
      TABLE_NAME: { 'Fn::ImportValue': 'Foundation:Table' },
      QUEUE_URL: { Ref: 'Queue' },
      LEVEL: { 'Fn::If': ['IsHere', { Ref: 'Level' }, { Ref: 'AWS::NoValue' }] },
      ABSENT: { 'Fn::If': ['IsHere', { Ref: 'AWS::NoValue' }, 'x'] },
      JOINED: { 'Fn::Join': ['-', ['a', { Ref: 'AWS::AccountId' }]] },
      PICKED: { 'Fn::Select': [1, { 'Fn::Split': ['/', 'a/b'] }] },
      SUBBED: {
        'Fn::Sub': ['${AWS::Partition} ${!kept} ${Given} ${Queue.QueueName}', { Given: 'given' }],
      },
    }),
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        FunctionName: { Ref: 'Score' },
        EventSourceArn: { 'Fn::GetAtt': ['Queue', 'Arn'] },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: 3 },
      },
    },
    Stream: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        FunctionName: { 'Fn::GetAtt': ['Score', 'Arn'] },
        EventSourceArn: { 'Fn::ImportValue': 'Foundation:Stream' },
        BisectBatchOnFunctionError: true,
        MaximumRetryAttempts: 2,
        FilterCriteria: { Filters: [{ Pattern: '{"eventName":["MODIFY"]}' }] },
        DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['Dead', 'Arn'] } } },
      },
    },
    Rule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        ScheduleExpression: 'rate(1 minute)',
        Targets: [{ Id: 'one', Arn: { 'Fn::GetAtt': ['Score', 'Arn'] } }],
      },
    },
    DeadDepthAlarm0AF6EE75: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        Namespace: 'AWS/SQS',
        MetricName: 'ApproximateNumberOfMessagesVisible',
        Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': ['Dead', 'QueueName'] } }],
        Threshold: 1,
        Period: 60,
        AlarmDescription: 'Nobody is going to call.',
      },
    },
    ErrorAlarm: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: { Namespace: 'AWS/Lambda', MetricName: 'Errors', Threshold: 1 },
    },
    Elsewhere: { Type: 'AWS::SQS::Queue', Condition: 'IsElsewhere', Properties: {} },
  },
};
const conditions = {
  ...pipeline.Conditions,
  IsElsewhere: { 'Fn::Not': [{ Condition: 'IsHere' }] },
};

describe('planOf', () => {
  const plan = planOf(
    assemblyOf({ Foundation: foundation, Pipeline: { ...pipeline, Conditions: conditions } }),
  );

  it('resolves the intrinsic functions, across stacks', () => {
    const [score] = plan.functions;
    const [table] = plan.tables;

    expect(table).toMatchObject({ ttlAttribute: 'expiresAt', streamViewType: 'NEW_AND_OLD_IMAGES' });
    expect(score?.shortName).toBe('score');
    expect(score?.environment).toMatchObject({
      TABLE_NAME: table?.tableName,
      LEVEL: 'INFO',
      JOINED: 'a-000000000000',
      PICKED: 'b',
      SUBBED: 'aws ${kept} given score',
    });
    expect(score?.environment).not.toHaveProperty('ABSENT');
  });

  it('leaves the place of a queue URL open until the engine has given it', () => {
    const url = plan.functions[0]?.environment.QUEUE_URL ?? '';

    expect(withQueueUrls(url, (name) => `http://127.0.0.1:9/${name}`)).toBe('http://127.0.0.1:9/score');
  });

  it('wires queues, stream and schedule as the templates say', () => {
    const functionName = plan.functions[0]?.functionName;

    expect(plan.queues.map(({ queueName }) => queueName)).toEqual(['dead', 'score']);
    expect(plan.queues[1]?.attributes).toEqual({
      VisibilityTimeout: '60',
      RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":5}',
    });
    expect(plan.queueSources).toEqual([
      {
        functionName,
        queueName: 'score',
        batchSize: 10,
        batchWindowSeconds: 0,
        reportsItemFailures: true,
        maximumConcurrency: 3,
      },
    ]);
    expect(plan.streamSources).toMatchObject([
      {
        functionName,
        tableName: plan.tables[0]?.tableName,
        bisects: true,
        maximumRetries: 2,
        filters: [{ eventName: ['MODIFY'] }],
        failureQueueName: 'dead',
      },
    ]);
    expect(plan.schedules).toMatchObject([{ functionName, expression: 'rate(1 minute)' }]);
  });

  it('rings where messages lie in a queue, and passes over what it has no metric of', () => {
    expect(plan.queueAlarms).toEqual([
      {
        name: 'DeadDepthAlarm',
        text: 'Nobody is going to call.',
        queueName: 'dead',
        threshold: 1,
        periodSeconds: 60,
      },
    ]);
  });

  it('gives the same names on every start', () => {
    const again = planOf(assemblyOf({ Foundation: foundation }));

    expect(again.tables[0]?.tableName).toBe(plan.tables[0]?.tableName);
    expect(again.secrets[0]?.arn).toBe(plan.secrets[0]?.arn);
  });

  it('names a resource that nobody has taught it', () => {
    const unknown = { Resources: { Cache: { Type: 'AWS::ElastiCache::CacheCluster' } } };

    expect(() => planOf(assemblyOf({ Fast: unknown }))).toThrow(
      /local\/ cannot run AWS::ElastiCache::CacheCluster Cache \(stack Fast\)/,
    );
  });

  it('names an intrinsic function and a target that it cannot resolve', () => {
    const stack = (value: object): object => ({ Resources: { Fn: functionResource({ A: value }) } });

    expect(() => planOf(assemblyOf({ S: stack({ 'Fn::Cidr': [] }) }))).toThrow(/Fn::Cidr \(stack S\)/);
    expect(() => planOf(assemblyOf({ S: stack({ Ref: 'Nowhere' }) }))).toThrow(/Ref Nowhere \(stack S\)/);
    expect(() => planOf(assemblyOf({ S: stack({ 'Fn::ImportValue': 'None' }) }))).toThrow(/exports None/);
  });

  it('refuses what would otherwise be silently different', () => {
    const mapping = structuredClone(pipeline);
    Object.assign(mapping.Resources.Mapping.Properties, { FilterCriteria: { Filters: [] } });

    expect(() =>
      planOf(assemblyOf({ Foundation: foundation, P: { ...mapping, Conditions: conditions } })),
    ).toThrow(/cannot run AWS::Lambda::EventSourceMapping Mapping \(stack P\): filters on a queue/);
  });
});
