/** The list of what the promises rest on is of the code as it is; `npm run test:mutation` tries it. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { mutants } from '../mutation/mutants.ts';

it.each(mutants.map((mutant) => [mutant.what, mutant] as const))(
  '%s',
  (_, { file, find, replace, tests }) => {
    const text = readFileSync(file, 'utf8');

    expect(text.split(find).length - 1, `how often ${file} has the text`).toBe(1);
    expect(replace).not.toBe(find);
    expect(tests.filter((test) => !existsSync(test))).toEqual([]);
  },
);

it('names each thing once', () => {
  const names = mutants.map(({ what }) => what);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

/** Where a `when` stands that is no condition of a write of ours. */
const exceptions: Readonly<Record<string, string>> = {
  'shared/data/table.ts': 'says what a condition is',
  'shared/data/dynamo-table.ts': 'puts any condition into the words of DynamoDB',
  'functions/api/entry-routes.ts': 'when something happened, as staff say',
};

/** `when: …` or, in short, `, when }`; in a comment it is a word. */
const condition = /(?<!const )\bwhen(?=:|,| \})/g;
const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*/g, (comment) => ' '.repeat(comment.length));
const conditionsIn = (text: string): number[] =>
  [...withoutComments(text).matchAll(condition)].map(({ index }) => index);

const writers = globSync(['shared/data/**/*.ts', 'functions/**/*.ts', 'ops/rows.ts'])
  .filter((file) => conditionsIn(readFileSync(file, 'utf8')).length > 0)
  .sort();

it.each(writers.filter((file) => !(file in exceptions)))(
  'each condition in %s is taken away by one that a race on the real engine notices',
  (file) => {
    const text = readFileSync(file, 'utf8');
    const taken = mutants
      .filter((mutant) => mutant.file === file && mutant.tests.some((test) => test.startsWith('test/table/')))
      .filter(({ replace }) => conditionsIn(replace).length === 0)
      .map(({ find }) => ({ from: text.indexOf(find), to: text.indexOf(find) + find.length }));
    const left = conditionsIn(text).filter((at) => !taken.some(({ from, to }) => from <= at && at < to));

    expect(left.map((at) => `${file}:${text.slice(0, at).split('\n').length}`)).toEqual([]);
  },
);

it('has no exception that is none', () => {
  expect(Object.keys(exceptions).filter((file) => !writers.includes(file))).toEqual([]);
});
