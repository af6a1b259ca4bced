import type { App } from 'aws-cdk-lib';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, test } from 'vitest';
import { rulePacks } from '../../lib/rule-packs.ts';
import { appOf } from './synthesized.ts';

/** Findings that nobody has acknowledged, as `rule: construct`. */
const findings = (app: App): string[] =>
  rulePacks(app).flatMap((pack) =>
    pack
      .validateScope(app)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map((resource) => `${ruleName}: ${resource.constructPath}`),
      ),
  );

// The packs walk whole apps, which takes its time on a busy machine.
describe('rule packs', { timeout: 60_000 }, () => {
  test('are HIPAA, AwsSolutions, Serverless and our own', () => {
    expect(rulePacks(appOf('dev').app).map(({ name }) => name)).toEqual([
      'HIPAA.Security',
      'AwsSolutions',
      'Serverless',
      'Firstcall',
    ]);
  });

  test.each(['dev', 'prod'] as const)('%s leaves no finding unacknowledged', (env) => {
    const { app } = appOf(env, { alarmAddress: 'alarms@practice.example' });

    expect(findings(app)).toEqual([]);
  });

  test('find what is wrong', () => {
    const { app, stacks } = appOf('dev');
    new Queue(stacks.pipeline, 'Careless');

    expect(findings(app)).toContain('AwsSolutions-SQS4: Firstcall-dev-Pipeline/Careless/Resource');
  });
});
