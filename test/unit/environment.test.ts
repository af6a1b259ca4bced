import { expect, it } from 'vitest';
import { systemEnvironment } from '../../shared/runtime/environment.ts';

it('ids of one moment sort in the order in which they were made', () => {
  const ids = Array.from({ length: 2_000 }, () => systemEnvironment.newId('entry'));

  expect(ids).toEqual([...ids].sort());
  expect(new Set(ids).size).toBe(ids.length);
});
