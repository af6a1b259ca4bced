/** Reads files about a practice, YAML or JSON, and says of each mistake where it stands. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import * as z from 'zod';
import { rulesIssues } from '../shared/data/rules.ts';
import { alertedInstead } from '../shared/domain/alert.ts';
import type { Practice } from '../shared/domain/practice.ts';
import type { Rule } from '../shared/domain/rules/rule.ts';
import { practiceSchema } from '../shared/domain/schema/practice.ts';
import { rulesSchema } from '../shared/domain/schema/rule.ts';

/** One mistake; `line` and `column` count from 1, and `path` is empty where the file itself is at fault. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly reason: string;
}

export type PracticeFile =
  | {
      readonly practice: Practice;
      /** The configuration's version that the file was made from, where it names one. */
      readonly baseVersion?: number;
      readonly problems?: never;
    }
  | { readonly practice?: never; readonly baseVersion?: never; readonly problems: readonly Problem[] };

export type RulesFile =
  | { readonly rules: Rule[]; readonly problems?: never }
  | { readonly rules?: never; readonly problems: readonly Problem[] };

interface Finding {
  readonly path: readonly PropertyKey[];
  readonly reason: string;
  /** Whether the key is at fault, not its value. */
  readonly ofKey: boolean;
}

/** A text as data, with the way back from a path in it to the place in the text. */
type Content =
  | {
      readonly content: unknown;
      readonly locate: (findings: readonly Finding[]) => Problem[];
      readonly problems?: never;
    }
  | { readonly content?: never; readonly locate?: never; readonly problems: readonly Problem[] };

function parse(text: string): Content {
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

  const resolve = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
  return {
    content,
    locate: (findings) =>
      findings
        .map(({ path, reason, ofKey }) =>
          at(findOffset(document.contents, path, ofKey, resolve), formatPath(path), reason),
        )
        .sort((a, b) => a.line - b.line || a.column - b.column),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What stands at the top of a practice file beside the practice. */
const preambleSchema = z.object({ baseVersion: z.int().min(0).optional(), $schema: z.string().optional() });

/**
 * Parses and validates the text of a practice file; all mistakes at once, in the order of the file.
 * What the rules refer to is looked at once everything else is right.
 */
export function readPracticeFile(text: string): PracticeFile {
  const { content, locate, problems } = parse(text);
  if (problems) return { problems };

  const { baseVersion, $schema, ...rest } = isRecord(content) ? content : {};
  const preamble = preambleSchema.safeParse({ baseVersion, $schema }, { error: plainReason });
  const parsed = practiceSchema.safeParse(isRecord(content) ? rest : content, { error: plainReason });
  const issues = [...(preamble.error?.issues ?? []), ...(parsed.error?.issues ?? [])];
  if (!parsed.success || issues.length > 0) return { problems: locate(issues.flatMap(perFinding)) };

  const findings = [...staffFindings(parsed.data), ...rulesIssues(parsed.data).map(ofRules)];
  if (findings.length > 0) return { problems: locate(findings) };
  const base = preamble.data?.baseVersion;
  return { practice: parsed.data, ...(base !== undefined && { baseVersion: base }) };
}

/**
 * Parses and validates a file of rules: a list of them, or `rules:` with whatever else beside it, so
 * that a practice file does, too. They are checked against the practice that they are meant for.
 */
export function readRulesFile(text: string, practice: Practice): RulesFile {
  const { content, locate, problems } = parse(text);
  if (problems) return { problems };

  const isList = Array.isArray(content);
  const place = ({ path, ...rest }: Finding): Finding => ({ ...rest, path: isList ? path.slice(1) : path });
  const parsed = z
    .object({ rules: rulesSchema })
    .safeParse(isList ? { rules: content } : content, { error: plainReason });
  if (!parsed.success) return { problems: locate(parsed.error.issues.flatMap(perFinding).map(place)) };

  const { rules } = parsed.data;
  const findings = rulesIssues({ ...practice, rules }).map(ofRules);
  return findings.length > 0 ? { problems: locate(findings.map(place)) } : { rules };
}

/** Asked of files alone: what runs has to go on with whoever is left. */
const staffFindings = (practice: Practice): Finding[] =>
  alertedInstead(practice, undefined).length > 0
    ? []
    : [{ path: ['members'], reason: 'nobody is enabled: an emergency would alert nobody', ofKey: true }];

const ofRules = ({ path, message }: { path: readonly PropertyKey[]; message: string }): Finding => ({
  path,
  reason: message,
  ofKey: false,
});

/** Replaces zod's wording where it is not what a person would say; the schemas' own messages stay. */
function plainReason(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      if (issue.input === null) return 'is empty';
      return issue.expected === 'int' ? 'must be a whole number' : undefined;
    case 'invalid_union':
      return Array.isArray(issue.options)
        ? `must be one of ${issue.options.map(String).join(', ')}`
        : undefined;
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

/** What is wrong, at the innermost place that is known. */
function perFinding(issue: z.core.$ZodIssue): Finding[] {
  // A key that should not be there is a finding of its own, at that key.
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      reason: 'is not known here: is it misspelt?',
      ofKey: true,
    }));
  }
  // Of the forms that something may have, the one that it comes closest to is what was meant.
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const closest = [...issue.errors].sort((a, b) => strangeness(a) - strangeness(b))[0] ?? [];
    return closest.flatMap((inner) => perFinding({ ...inner, path: [...issue.path, ...inner.path] }));
  }
  return [{ path: issue.path, reason: issue.message.replace(/^Invalid input: /, ''), ofKey: false }];
}

/** How unlike a form something is: what it lacks and has too much at its top counts most. */
const strangeness = (issues: readonly z.core.$ZodIssue[]): number =>
  issues.reduce((sum, issue) => {
    if (issue.path.length > 1) return sum + 1;
    return (
      sum + 100 * (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys.length : 1)
    );
  }, 0);

/** A path as people write it: `services[3].valueCents`. */
export function formatPath(path: readonly PropertyKey[]): string {
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
