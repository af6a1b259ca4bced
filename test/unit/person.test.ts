/** One person out of several contacts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Family, type KnownOf, personOf } from '../../shared/domain/person.ts';
import { lifecycles } from '../../shared/domain/rules/facts.ts';

const some = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined });
const list = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'));
const contact = fc.record({
  id: fc.string(),
  name: some,
  email: some,
  phone: some,
  owner: some,
  lifecycle: fc.constantFrom(...lifecycles),
  tags: list,
  languages: list,
  insurances: list,
  locations: list,
});
type Somebody = typeof contact extends fc.Arbitrary<infer One> ? One : never;
const family = fc.array(contact, { minLength: 1, maxLength: 5 }) as unknown as fc.Arbitrary<Family<Somebody>>;

describe('a person', () => {
  it('of one contact is that contact', () => {
    fc.assert(
      fc.property(contact, (one) => {
        expect(personOf([one])).toEqual(one);
      }),
    );
  });

  it('hides nothing that is known of any of their contacts', () => {
    fc.assert(
      fc.property(family, (all) => {
        const person = personOf(all);

        expect(person.id).toBe(all[0].id);
        for (const one of all) {
          expect(lifecycles.indexOf(person.lifecycle)).toBeGreaterThanOrEqual(
            lifecycles.indexOf(one.lifecycle),
          );
          for (const fact of ['tags', 'languages', 'insurances', 'locations'] as const)
            expect(person[fact]).toEqual(expect.arrayContaining(one[fact]));
          for (const fact of ['name', 'email', 'phone', 'owner'] as const)
            if (one[fact] !== undefined) expect(person[fact]).toBeDefined();
        }
        expect(all.map(({ lifecycle }) => lifecycle)).toContain(person.lifecycle);
      }),
    );
  });

  it('is named and owned as the survivor is, or else as the first of the others', () => {
    const none = { lifecycle: 'lead', tags: [], languages: [], insurances: [], locations: [] } as const;
    const family: Family<KnownOf> = [
      { ...none, name: 'Maria' },
      { ...none, name: 'Leo', owner: 'ben' },
      { ...none, name: 'Leonardo', owner: 'dev' },
    ];

    expect(personOf(family)).toMatchObject({
      name: 'Maria',
      owner: 'ben',
    });
  });
});
