import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MatchReason, matchKind, reasonsToMatch, slips } from '../../shared/domain/matching.ts';

const names = (a: string | undefined, b: string | undefined): MatchReason[] =>
  reasonsToMatch({ name: a }, { name: b }, []);

describe('two names behind one point', () => {
  it.each([
    ['María López', 'lopez maria'],
    ['López, María', 'Maria Lopez'],
  ])('%s and %s are the same', (a, b) => {
    expect(names(a, b)).toEqual(['same_name']);
  });

  it.each([
    ['a slip', 'Maria Lopez', 'Maria Lopes'],
    ['two letters swapped', 'Michael Stone', 'Micheal Stone'],
    ['a part of the other', 'Maria', 'Maria Lopez'],
    ['one last name of two', 'Maria Lopez', 'Maria Lopez Garcia'],
    ['an initial', 'M. Lopez', 'Maria Lopez'],
    ['a short form that is its beginning', 'Dan Whitfield', 'Daniel Whitfield'],
    ['a short form that is not', 'Bob Stone', 'Robert Stone'],
    ['a short form in Spanish', 'Paco Reyes', 'Francisco Reyes'],
    ['two short forms of one name, one of them listed', 'Tony Diaz', 'Antonio Diaz'],
  ])('%s is similar: %s and %s', (_, a, b) => {
    expect(names(a, b)).toContain('similar_name');
    expect(matchKind(names(a, b))).toBe('likely_same');
  });

  it.each([
    ['Maria Lopez', 'Pedro Lopez', 'same_last_name'],
    ['Lopez, Maria', 'Pedro Lopez', 'same_last_name'],
    ['Ana Lopez', 'Ava Lopez', 'same_last_name'],
    ['Maria Lopez', 'Pedro Reyes', 'different_name'],
    // Each part is like one of the other, none is it.
    ['Marta Lopes', 'Maria Lopez', 'different_name'],
    ['Ann Lee', 'Lee Chan', 'different_name'],
  ])('%s and %s may be of one family', (a, b, reason) => {
    expect(names(a, b)).toEqual([reason]);
    expect(matchKind(names(a, b))).toBe('may_be_family');
  });

  it('of which one is missing say so', () => {
    expect(names(undefined, 'Maria Lopez')).toEqual(['no_name']);
    expect(names('…', 'Maria Lopez')).toEqual(['no_name']);
  });

  it('name what both are behind first', () => {
    expect(reasonsToMatch({ name: 'Maria' }, { name: 'Pedro' }, ['email', 'phone'])).toEqual([
      'same_phone',
      'same_email',
      'different_name',
    ]);
  });

  const word = fc.constantFrom(
    'maria',
    'mario',
    'lopez',
    'lopes',
    'm',
    'dan',
    'daniel',
    'bob',
    'robert',
    'ana',
  );
  const name = fc.array(word, { maxLength: 4 }).map((parts) => parts.join(' '));

  it('are compared alike in either order', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(names(a, b)).toEqual(names(b, a));
      }),
    );
  });

  it('of very many parts are compared in no time', () => {
    const many = Array.from({ length: 60 }, (_, i) => `${'abcdefghij'[i % 10]}${i}`).join(' ');

    expect(names(`${many} x`, `${many.replaceAll(/[a-j]/g, 'k')} x`)).toEqual(['same_last_name']);
  });

  it('always give a reason of the name', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(names(a, b)).not.toEqual([]);
      }),
    );
  });
});

describe('slips', () => {
  it.each([
    ['', '', 0],
    ['lopez', 'lopez', 0],
    ['lopez', '', 5],
    ['lopez', 'lopes', 1],
    ['lopez', 'lopezz', 1],
    ['michael', 'micheal', 1],
    ['kitten', 'sitting', 3],
  ])('between %s and %s: %i', (a, b, n) => {
    expect(slips(a, b)).toBe(n);
  });

  it('are none just between equals, alike in either order, and never more than the letters', () => {
    const text = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', 'c', 'é') });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const n = slips(a, b);
        expect(n === 0).toBe(a === b);
        expect(slips(b, a)).toBe(n);
        expect(n).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(n).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});
