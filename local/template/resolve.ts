import { LocalProblem } from '../problem.ts';
import type { Assembly, Json, Stack, TemplateResource } from './assembly.ts';
import { accountId, region } from './identity.ts';
import { attributeOf, type Placed, refOf } from './physical.ts';

/** A resource of the app, able to give its resolved properties. */
export interface Resource extends Placed {
  readonly metadata: Record<string, Json>;
  /** All properties, resolved. */
  properties(): Record<string, Json>;
}

/** Marks a property that `AWS::NoValue` removes. */
const noValue = Symbol('AWS::NoValue');

/**
 * Lists the resources of all stacks whose conditions hold, with the intrinsic
 * functions of CloudFormation resolved to local names and addresses.
 *
 * @throws LocalProblem naming the intrinsic function or the target it cannot resolve
 */
export function resolveResources(assembly: Assembly): Resource[] {
  const exports = new Map<string, { stack: Stack; value: Json }>();
  const placed = new Map<Stack, Map<string, Resource>>();

  const resolve = (stack: Stack, value: Json): Json => {
    if (Array.isArray(value)) {
      return value.map((item) => resolve(stack, item)).filter((item) => item !== noValue);
    }
    if (value === null || typeof value !== 'object') return value;
    const keys = Object.keys(value);
    const [only] = keys;
    if (keys.length === 1 && only && (only === 'Ref' || only.startsWith('Fn::') || only === 'Condition')) {
      const call = intrinsics[only];
      // "Condition" is also an ordinary property name; only its one-string form is a call.
      if (call && !(only === 'Condition' && typeof value[only] !== 'string')) return call(stack, value[only]);
      if (only !== 'Condition')
        throw new LocalProblem(`local/ cannot resolve ${only} (stack ${stack.name}).`);
    }
    const result: Record<string, Json> = {};
    for (const key of keys) {
      const item = resolve(stack, value[key]);
      if (item !== noValue) result[key] = item;
    }
    return result;
  };

  const pseudo = (stack: Stack): Record<string, Json> => ({
    'AWS::Region': region,
    'AWS::AccountId': accountId,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stack.name,
    'AWS::StackId': `arn:aws:cloudformation:${region}:${accountId}:stack/${stack.name}/local`,
    'AWS::NotificationARNs': [],
    'AWS::NoValue': noValue,
  });

  const ref = (stack: Stack, name: string): Json => {
    const known = pseudo(stack);
    if (name in known) return known[name];
    const resource = placed.get(stack)?.get(name);
    if (resource) return refOf(resource);
    const parameter = stack.template.Parameters?.[name];
    if (parameter && 'Default' in parameter) return parameter.Default;
    throw new LocalProblem(`local/ cannot resolve Ref ${name} (stack ${stack.name}).`);
  };

  const getAtt = (stack: Stack, target: string | [string, string]): Json => {
    const [name, attribute] = Array.isArray(target) ? target : splitOnce(target, '.');
    const resource = placed.get(stack)?.get(name);
    if (!resource) throw new LocalProblem(`local/ cannot resolve Fn::GetAtt ${name} (stack ${stack.name}).`);
    return attributeOf(resource, String(resolve(stack, attribute)));
  };

  const condition = (stack: Stack, name: string): boolean => {
    const expression = stack.template.Conditions?.[name];
    if (expression === undefined) {
      throw new LocalProblem(`local/ cannot resolve the condition ${name} (stack ${stack.name}).`);
    }
    return Boolean(resolve(stack, expression));
  };

  const intrinsics: Record<string, (stack: Stack, argument: Json) => Json> = {
    Ref: ref,
    Condition: condition,
    'Fn::GetAtt': getAtt,
    'Fn::Join': (stack, [separator, items]) => resolve(stack, items).join(separator),
    'Fn::Split': (stack, [separator, text]) => String(resolve(stack, text)).split(separator),
    'Fn::Select': (stack, [index, items]) => resolve(stack, items)[Number(resolve(stack, index))],
    'Fn::Sub': (stack, argument) => {
      const [text, variables] = Array.isArray(argument) ? argument : [argument, {}];
      return String(text).replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
        if (literal) return `\${${name}}`;
        if (name in variables) return String(resolve(stack, variables[name]));
        return String(name.includes('.') ? getAtt(stack, name) : ref(stack, name));
      });
    },
    'Fn::ImportValue': (stack, argument) => {
      const name = String(resolve(stack, argument));
      const found = exports.get(name);
      if (!found) throw new LocalProblem(`local/ finds no stack that exports ${name} (stack ${stack.name}).`);
      return resolve(found.stack, found.value);
    },
    'Fn::FindInMap': (stack, argument) => {
      const [map, first, second] = resolve(stack, argument);
      return stack.template.Mappings?.[map]?.[first]?.[second];
    },
    'Fn::If': (stack, [name, yes, no]) => resolve(stack, condition(stack, name) ? yes : no),
    'Fn::Equals': (stack, argument) => {
      const [left, right] = resolve(stack, argument);
      return left === right;
    },
    'Fn::Not': (stack, [item]) => !resolve(stack, item),
    'Fn::And': (stack, items) => resolve(stack, items).every(Boolean),
    'Fn::Or': (stack, items) => resolve(stack, items).some(Boolean),
    'Fn::Base64': (stack, argument) => Buffer.from(String(resolve(stack, argument))).toString('base64'),
  };

  const place = (stack: Stack, logicalId: string, source: TemplateResource): Resource => ({
    stack: stack.name,
    logicalId,
    type: source.Type,
    metadata: source.Metadata ?? {},
    property: (name) => {
      const value = resolve(stack, source.Properties?.[name]);
      return value === noValue ? undefined : value;
    },
    properties: () => resolve(stack, source.Properties ?? {}),
  });

  for (const stack of assembly.stacks) {
    const resources = Object.entries(stack.template.Resources ?? {});
    placed.set(stack, new Map(resources.map(([id, source]) => [id, place(stack, id, source)])));
  }
  for (const stack of assembly.stacks) {
    for (const output of Object.values(stack.template.Outputs ?? {})) {
      if (output.Export)
        exports.set(String(resolve(stack, output.Export.Name)), { stack, value: output.Value });
    }
  }
  return assembly.stacks.flatMap((stack) =>
    [...(placed.get(stack)?.values() ?? [])].filter((resource) => {
      const name = stack.template.Resources?.[resource.logicalId]?.Condition;
      return name === undefined || condition(stack, name);
    }),
  );
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
