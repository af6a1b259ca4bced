import type { Json } from '../template/assembly.ts';

/**
 * Whether an event matches a filter pattern of an event source: a nested
 * object whose leaves are lists of alternatives, each a plain value or one of
 * `prefix`, `suffix`, `anything-but`, `exists`, `numeric`, `equals-ignore-case`.
 */
export function matchesPattern(pattern: Json, event: Json): boolean {
  return Object.entries<Json>(pattern).every(([name, expected]) => {
    const actual = event?.[name];
    if (Array.isArray(expected)) return expected.some((alternative) => matchesLeaf(alternative, actual));
    return actual !== null && typeof actual === 'object' && matchesPattern(expected, actual);
  });
}

/** The operators that `matchesPattern` knows; any other must not pass unnoticed. */
const operators: Record<string, (argument: Json, actual: Json) => boolean> = {
  prefix: (prefix, actual) => typeof actual === 'string' && actual.startsWith(prefix),
  suffix: (suffix, actual) => typeof actual === 'string' && actual.endsWith(suffix),
  exists: (exists, actual) => (actual !== undefined) === exists,
  'anything-but': (values, actual) => actual !== undefined && ![values].flat().includes(actual),
  'equals-ignore-case': (text, actual) =>
    typeof actual === 'string' && actual.toLowerCase() === text.toLowerCase(),
  numeric: (comparison, actual) => typeof actual === 'number' && matchesNumber(comparison, actual),
};

function matchesLeaf(alternative: Json, actual: Json): boolean {
  if (alternative === null || typeof alternative !== 'object') {
    return Array.isArray(actual) ? actual.includes(alternative) : actual === alternative;
  }
  return Object.entries(alternative).every(
    ([name, argument]) => operators[name]?.(argument, actual) ?? false,
  );
}

function matchesNumber(comparison: Json[], actual: number): boolean {
  for (let at = 0; at + 1 < comparison.length; at += 2) {
    const [operator, bound] = [comparison[at], Number(comparison[at + 1])];
    const holds =
      operator === '>'
        ? actual > bound
        : operator === '>='
          ? actual >= bound
          : operator === '<'
            ? actual < bound
            : operator === '<='
              ? actual <= bound
              : actual === bound;
    if (!holds) return false;
  }
  return true;
}

/** The first operator of a pattern that is not known here; undefined if all are. */
export function unknownOperator(pattern: Json): string | undefined {
  for (const expected of Object.values<Json>(pattern)) {
    const leaves = Array.isArray(expected) ? expected : undefined;
    const found = leaves
      ? leaves
          .filter((leaf) => leaf !== null && typeof leaf === 'object')
          .flatMap((leaf) => Object.keys(leaf))
          .find((name) => !(name in operators))
      : unknownOperator(expected);
    if (found) return found;
  }
  return undefined;
}
