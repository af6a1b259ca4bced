import { describe, expect, test } from 'vitest';
import { type Json, synthesized } from './synthesized.ts';

/** Without what changes with the code of a function, which is not the stacks' business. */
function withoutAssets(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutAssets);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, key === 'S3Key' ? '<asset>' : withoutAssets(inner)]),
  );
}

describe.each(['dev', 'prod'] as const)('the templates of %s', (env) => {
  const templates = synthesized(env);

  test.each(['foundation', 'pipeline', 'api'] as const)('%s', (stack) => {
    expect(withoutAssets(templates[stack].toJSON())).toMatchSnapshot();
  });
});
