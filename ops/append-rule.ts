/** Puts a rule at the end of a file's rules, and leaves every other character of the file as it is. */
import { isMap, isPair, isScalar, isSeq, type Node, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Rule } from '../shared/domain/rules/rule.ts';
import { indented, writeRules, writeRulesFile } from './practice-text.ts';

export type Appended =
  | { readonly text: string; readonly position: number; readonly refused?: never }
  | { readonly refused: string };

/**
 * Appends a rule to the text of a rules file or a practice file.
 *
 * @param text - the file as it is; undefined where there is none yet
 */
export function appendRule(text: string | undefined, rule: Rule): Appended {
  const written = writeRules([rule]);
  if (text === undefined || text.trim() === '') return { text: writeRulesFile([rule]), position: 1 };

  const document = parseDocument(text);
  if (document.errors.length > 0) return { refused: 'is not valid YAML; check it first' };
  const { contents } = document;
  if (isSeq(contents)) return intoList(text, contents, rule, written);
  if (!isMap(contents)) return { refused: 'is neither a list of rules nor has it rules:' };
  const value = contents.get('rules', true) as Node | undefined;
  if (isSeq(value) && value.items.length > 0) return intoList(text, value, rule, written);
  return intoMap(text, contents, value, written);
}

/** Behind the last entry of a list with dashes. */
function intoList(text: string, list: YAMLSeq, rule: Rule, written: string): Appended {
  const ids = (list.toJSON() as { id?: unknown }[]).map((each) => each?.id);
  if (ids.includes(rule.id)) return { refused: `has a rule ${rule.id} already; give another --id` };
  if (list.flow || list.items.length === 0 || !list.range)
    return { refused: 'has its rules in brackets; write them as a list with dashes' };
  const dash = list.range[0] - (text.lastIndexOf('\n', list.range[0] - 1) + 1);
  const end = (list.items.at(-1) as Node).range?.[1] ?? text.length;
  const content = text.slice(0, end).trimEnd().length;
  const lineEnd = text.indexOf('\n', content);
  const at = lineEnd === -1 ? text.length : lineEnd;
  return {
    text: `${text.slice(0, at)}\n\n${indented(written, dash)}${text.slice(at) || '\n'}`,
    position: list.items.length + 1,
  };
}

/** As the first of a file that has no rules yet. */
function intoMap(text: string, map: YAMLMap, value: Node | undefined, written: string): Appended {
  const pair = map.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === 'rules');
  const block = indented(written, 2);
  if (pair === undefined) return { text: `${text.trimEnd()}\n\nrules:\n${block}\n`, position: 1 };
  const isEmpty = value === undefined || isSeq(value) || (isScalar(value) && value.value === null);
  if (!isEmpty) return { refused: 'has rules: that are no list' };
  const key = (pair.key as Node).range?.[1] ?? 0;
  const colon = text.indexOf(':', key) + 1;
  const rest = text.slice(Math.max(colon, isSeq(value) ? (value.range?.[1] ?? colon) : colon));
  return { text: `${text.slice(0, colon)}\n${block}\n${rest.replace(/^\n/, '')}`, position: 1 };
}
