/** The list of what the promises rest on is of the code as it is; `npm run test:mutation` tries it. */
import { existsSync, readFileSync } from 'node:fs';
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
