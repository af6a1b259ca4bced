/** Files that a command is given: read from where the person stands, mistakes told with their place. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Practice } from '../shared/domain/practice.ts';
import type { Rule } from '../shared/domain/rules/rule.ts';
import { type Problem, readPracticeFile, readRulesFile } from './practice-file.ts';
import { codeOf } from './system.ts';
import { count, Refusal } from './terminal.ts';

/** npm runs scripts in the project's folder; a path is meant from where the person stands. */
export const pathOf = (file: string): string => resolve(process.env['INIT_CWD'] ?? '.', file);

/** @throws Refusal where it cannot be read */
export function readText(file: string): string {
  try {
    return readFileSync(pathOf(file), 'utf8');
  } catch (error) {
    throw new Refusal(`Cannot read ${file} (${codeOf(error)}).`);
  }
}

function refuse(file: string, problems: readonly Problem[]): never {
  const lines = problems.map(({ line, column, path, reason }) =>
    [`${file}:${line}:${column}`, path, reason].filter((part) => part !== '').join('  '),
  );
  throw new Refusal([...lines, `${count(problems.length, 'mistake')}; nothing was changed.`].join('\n'));
}

/**
 * A practice file, with the configuration's version that it was made from (0 where it names none).
 *
 * @throws Refusal with every mistake at its place
 */
export function openPractice(file: string): { practice: Practice; baseVersion: number } {
  const { practice, baseVersion = 0, problems } = readPracticeFile(readText(file));
  return practice ? { practice, baseVersion } : refuse(file, problems);
}

/**
 * The rules of a file, checked against a practice.
 *
 * @throws Refusal with every mistake at its place
 */
export function openRules(file: string, practice: Practice): Rule[] {
  const { rules, problems } = readRulesFile(readText(file), practice);
  return rules ?? refuse(file, problems);
}
