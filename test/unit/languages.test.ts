import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inLanguage } from '../../shared/domain/languages.ts';

const texts = { en: 'English', 'es-mx': 'Mexican Spanish', fr: 'French' };

it.each([
  [['es-MX'], 'Mexican Spanish'],
  [['es'], 'Mexican Spanish'],
  [['ES-419'], 'Mexican Spanish'],
  [['fr-CA'], 'French'],
  [['vi', 'FR'], 'French'],
  [['vi'], 'English'],
  [[], 'English'],
])('somebody who reads %j is told in %s', (languages, text) => {
  expect(inLanguage(texts, languages)).toBe(text);
});

it('the exact region goes before the language of another', () => {
  expect(inLanguage({ 'es-us': 'US', es: 'any', 'es-mx': 'Mexico' }, ['es-MX'])).toBe('Mexico');
  expect(inLanguage({ 'es-us': 'US', es: 'any', 'es-mx': 'Mexico' }, ['es-AR'])).toBe('any');
});

it('there is always a text, however somebody writes their language', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('constructor', '__proto__'))), (languages) => {
      expect(Object.values(texts)).toContain(inLanguage(texts, languages));
    }),
  );
});
