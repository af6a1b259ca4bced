/** Synthesizes the stacks for tests: without bundling, with the flags of `cdk.json`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type Configuration, configurationFrom, type EnvironmentName } from '../../lib/config.ts';
import { addFirstcall } from '../../lib/firstcall.ts';

// biome-ignore lint/suspicious/noExplicitAny: templates are JSON of any shape, and tests say what they expect
export type Json = any;

export interface Resource {
  readonly Type: string;
  readonly Properties: Json;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: string[];
}

export interface Synthesized {
  readonly app: App;
  readonly config: Configuration;
  readonly foundation: Template;
  readonly pipeline: Template;
  readonly api: Template;
}

const { context } = JSON.parse(readFileSync(join(import.meta.dirname, '../../cdk.json'), 'utf8'));

/** The app before synthesis, for what looks at constructs. */
export function appOf(env: EnvironmentName, overrides: Record<string, unknown> = {}) {
  const app = new App({ context: { ...context, 'aws:cdk:bundling-stacks': [], env, ...overrides } });
  const config = configurationFrom((key) => app.node.tryGetContext(key));
  return { app, config, stacks: addFirstcall(app, config) };
}

const done = new Map<EnvironmentName, Synthesized>();

/** The templates of one environment with an alarm address, made once per test file. */
export function synthesized(env: EnvironmentName): Synthesized {
  const known = done.get(env);
  if (known) return known;
  const { app, config, stacks } = appOf(env, { alarmAddress: 'alarms@practice.example' });
  const made = {
    app,
    config,
    foundation: Template.fromStack(stacks.foundation),
    pipeline: Template.fromStack(stacks.pipeline),
    api: Template.fromStack(stacks.api),
  };
  done.set(env, made);
  return made;
}

/** Resources of a type, with their logical ids. */
export const ofType = (template: Template, type: string): [string, Resource][] =>
  Object.entries(template.findResources(type)) as [string, Resource][];

/** The one resource of a type whose logical id begins so and goes on with CDK's digest. */
export function the(template: Template, type: string, name: string): Resource {
  const found = ofType(template, type).filter(([id]) => withoutDigest(id) === name);
  if (found.length !== 1) throw new Error(`${found.length} of ${type} are named ${name}`);
  return (found[0] as [string, Resource])[1];
}

/** `ScoreQueue5129F6EA` → `ScoreQueue`. */
export const withoutDigest = (logicalId: string): string => logicalId.replace(/[0-9A-F]{8}$/, '');

/** An intrinsic value as short text: `Table.Arn`, `ScoreQueue.Arn`, `Table.Arn/index/due`. */
export function readable(value: Json): string {
  if (typeof value === 'string') return value;
  if (value.Ref) return withoutDigest(value.Ref);
  if (value['Fn::GetAtt']) {
    const [id, attribute] = value['Fn::GetAtt'];
    return `${withoutDigest(id)}.${attribute}`;
  }
  if (value['Fn::Join']) return value['Fn::Join'][1].map(readable).join('');
  if (value['Fn::ImportValue']) {
    const name = String(value['Fn::ImportValue']).replace(/^.*:ExportsOutput(FnGetAtt|Ref)/, '');
    return name
      .replace(/[0-9A-F]{8}$/, '')
      .replace(/[0-9A-F]{8}(\w+)$/, '.$1')
      .replace(/[0-9A-F]{8}$/, '');
  }
  return JSON.stringify(value);
}

export const asList = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);
