/** Reads a practice file, YAML or JSON, and says of each mistake where it stands. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type * as z from 'zod';
import { type Practice, practiceSchema } from '../shared/domain/practice.ts';

/** One mistake; `line` and `column` count from 1, and `path` is empty where the file itself is at fault. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly reason: string;
}

export type PracticeFile =
  | { readonly practice: Practice; readonly problems?: never }
  | { readonly practice?: never; readonly problems: readonly Problem[] };

/** Parses and validates the text of a practice file; all mistakes at once, in the order of the file. */
export function readPracticeFile(text: string): PracticeFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number, path: string, reason: string): Problem => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1), path, reason };
  };

  const mistakes = [...document.errors, ...document.warnings];
  if (mistakes.length > 0) return { problems: mistakes.map(({ pos, message }) => at(pos[0], '', message)) };

  const unresolved: Problem[] = [];
  visit(document, {
    Alias(_, node) {
      if (!node.resolve(document))
        unresolved.push(at(startOf(node) ?? 0, '', `no anchor &${node.source} above`));
    },
  });
  if (unresolved.length > 0) return { problems: unresolved };

  let content: unknown;
  try {
    content = document.toJS();
  } catch (error) {
    return { problems: [at(0, '', error instanceof Error ? error.message : String(error))] };
  }

  const parsed = practiceSchema.safeParse(content, { error: plainReason });
  if (parsed.success) return { practice: parsed.data };

  const resolve = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
  const problems = parsed.error.issues.flatMap(perKey).map(({ path, reason, ofKey }) => {
    const offset = findOffset(document.contents, path, ofKey, resolve);
    return at(offset, formatPath(path), reason);
  });
  return { problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** Replaces zod's wording where it is not what a person would say; the schemas' own messages stay. */
function plainReason(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      if (issue.input === null) return 'is empty';
      return issue.expected === 'int' ? 'must be a whole number' : undefined;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      if (issue.origin === 'array') return `needs at least ${issue.minimum} of them`;
      if (issue.origin === 'string') return 'must not be empty';
      return `must be at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string'
        ? `must have at most ${issue.maximum} characters`
        : `must be at most ${issue.maximum}`;
    default:
      return undefined;
  }
}

interface Finding {
  readonly path: readonly PropertyKey[];
  readonly reason: string;
  /** Whether the key is at fault, not its value. */
  readonly ofKey: boolean;
}

/** A key that should not be there is a finding of its own, at that key. */
function perKey(issue: z.core.$ZodIssue): Finding[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      reason: 'is not known here: is it misspelt?',
      ofKey: true,
    }));
  }
  return [{ path: issue.path, reason: issue.message.replace(/^Invalid input: /, ''), ofKey: false }];
}

/** A path as people write it: `services[3].valueCents`. */
function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((segment) => (typeof segment === 'number' ? `[${segment}]` : `.${String(segment)}`))
    .join('')
    .replace(/^\./, '');
}

/**
 * The offset of what a path leads to: a single value itself, a list or a block at
 * its key, and what is missing at the innermost thing that lacks it.
 */
function findOffset(
  root: unknown,
  path: readonly PropertyKey[],
  ofKey: boolean,
  resolve: (node: unknown) => unknown,
): number {
  let node = root;
  let offset = startOf(root) ?? 0;
  for (const [i, segment] of path.entries()) {
    // Through an alias, mistakes are shown where the aliased value stands.
    const parent = resolve(node);
    if (isMap(parent)) {
      const pair = parent.items.find(
        ({ key }) => String(isScalar(key) ? key.value : key) === String(segment),
      );
      if (pair === undefined) return offset;
      const keyWanted =
        (ofKey && i === path.length - 1) || !isScalar(pair.value) || pair.value.value === null;
      offset = startOf(keyWanted ? pair.key : pair.value) ?? startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(parent) && typeof segment === 'number') {
      node = parent.items[segment];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

const startOf = (node: unknown): number | undefined => (node as Node | null | undefined)?.range?.[0];
