/** What is noted of a failure: enough to know what to mend, and nothing of what it met. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createFailures, reasonOf } from '../../shared/data/failures.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { friday } from '../support/fixtures.ts';

/** What a schema throws. */
function refusalOf(schema: z.ZodType, value: unknown): Error {
  const { error } = schema.safeParse(value);
  if (!error) throw new Error('it was taken');
  return error;
}

describe('the reason of a failure', () => {
  it.each([
    [new RangeError('maria@example.com'), { code: 'RangeError' }],
    [Object.assign(new Error('maria'), { name: 'TimeoutError', code: 'E_X' }), { code: 'TimeoutError E_X' }],
    ['maria', { code: 'string' }],
    [undefined, { code: 'undefined' }],
  ])('is what kind it is (%#)', (error, reason) => {
    expect(reasonOf(error)).toEqual(reason);
  });

  it('names the attributes that a schema refused, and nothing below them', () => {
    const schema = z.object({ tier: z.enum(['A', 'B']), fields: z.record(z.string(), z.string()) });

    const reason = reasonOf(refusalOf(schema, { tier: 'maria', fields: { 'maria lopez': 1, other: 2 } }));

    expect(reason).toEqual({ code: 'ZodError', fields: ['tier', 'fields'] });
  });
});

describe('notes of failures', () => {
  it('say what went wrong the last time, and how often it did', async () => {
    const table = createMemoryTable();
    const failures = createFailures(table);

    await failures.note('m1', refusalOf(z.object({ tier: z.string() }), {}), friday);
    await failures.note('m1', new TypeError('x'), friday);
    await failures.note('100', new TypeError('x'), friday, 'INQ#inq_1 HEAD');

    expect(await failures.findAll(['m1', '100', 'nowhere', 'm1'])).toEqual(
      new Map([
        ['m1', { code: 'TypeError', times: 2, at: friday.toISOString() }],
        ['100', { code: 'TypeError', times: 1, at: friday.toISOString(), about: 'INQ#inq_1 HEAD' }],
      ]),
    );
  });
});
