/** The searcher of canaries finds each of them in every encoding: what it does not find is not there. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Canaries, findCanaries } from '../support/canaries.ts';

const canaries: Canaries = {
  name: 'Zéphyrine O’Quixwhistle',
  email: 'zephyr.quix+mail@example.com',
  phone: '(650) 555-0142',
  message: 'Grüne Flecken "seit" <Mai> & länger',
};

const utf8 = (text: string) => Buffer.from(text, 'utf8');
const swapped = (text: string) => Buffer.from(text, 'utf16le').swap16();
const lines = (text: string, width: number, end: string) =>
  text.replace(new RegExp(`(.{${width}})`, 'g'), `$1${end}`);
const each = (text: string, escaped: (character: string) => string) => [...text].map(escaped).join('');
const hexOf = (text: string) => utf8(text).toString('hex');
const quotedPrintable = (text: string) =>
  lines(
    each(text, (c) => (/[ -<>-~]/.test(c) ? c : hexOf(c).replace(/../g, (byte) => `=${byte.toUpperCase()}`))),
    9,
    '=\r\n',
  );
const jsonEscaped = (text: string) =>
  each(text, (c) => (/[ -~]/.test(c) ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`));

const encodings: Readonly<Record<string, (value: string) => string | Buffer>> = {
  plain: (value) => value,
  'lower case': (value) => value.toLowerCase(),
  'upper case': (value) => value.toUpperCase(),
  'without accents': (value) => value.normalize('NFKD').replace(/\p{M}/gu, ''),
  decomposed: (value) => value.normalize('NFD'),
  JSON: (value) => JSON.stringify({ value }),
  'JSON in JSON': (value) => JSON.stringify({ body: JSON.stringify({ value }) }),
  'JSON in ASCII': (value) => JSON.stringify({ body: jsonEscaped(value) }),
  'a JavaScript string': (value) => each(value, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`),
  'bytes of a JavaScript string': (value) => hexOf(value).replace(/../g, '\\x$&'),
  URL: (value) => encodeURIComponent(value),
  'URL in lower case': (value) => encodeURIComponent(value).replace(/%../g, (hex) => hex.toLowerCase()),
  'URL in a URL': (value) => encodeURIComponent(encodeURIComponent(value)),
  form: (value) => new URLSearchParams({ value }).toString(),
  'quoted-printable': quotedPrintable,
  'an encoded word of a header': (value) => `=?UTF-8?Q?${quotedPrintable(value).replaceAll(' ', '_')}?=`,
  base64: (value) => utf8(value).toString('base64'),
  'base64, second alignment': (value) => utf8(`x${value}`).toString('base64'),
  'base64, third alignment': (value) => utf8(`xy${value}`).toString('base64'),
  'base64 for URLs': (value) => utf8(value).toString('base64url'),
  'base64 in lines': (value) => lines(utf8(`x${value}`).toString('base64'), 12, '\r\n'),
  'base64 of JSON': (value) => utf8(JSON.stringify({ value })).toString('base64'),
  'base64 of base64': (value) => utf8(`a ${utf8(value).toString('base64')}`).toString('base64'),
  'base64 of UTF-16': (value) => Buffer.from(value, 'utf16le').toString('base64'),
  'base64 in a form': (value) => encodeURIComponent(utf8(value).toString('base64')),
  hex: hexOf,
  'hex in upper case': (value) => hexOf(value).toUpperCase(),
  'hex with spaces': (value) => hexOf(value).replace(/../g, '$& '),
  HTML: (value) => each(value, (c) => (/[\w ]/.test(c) ? c : `&#${c.codePointAt(0)};`)),
  'HTML in hex': (value) => each(value, (c) => `&#x${c.codePointAt(0)?.toString(16)};`),
  'HTML by names': (value) =>
    value
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('"', '&quot;')
      .replaceAll('é', '&eacute;')
      .replaceAll('ü', '&uuml;')
      .replaceAll('ä', '&auml;'),
  'UTF-16': (value) => Buffer.from(value, 'utf16le'),
  'UTF-16, high byte first': swapped,
};

describe('each canary is found', () => {
  it.each(Object.entries(encodings))('as %s', (_, encode) => {
    for (const [name, value] of Object.entries(canaries)) {
      expect([name, findCanaries(canaries, encode(value))]).toEqual([name, [name]]);
    }
  });

  it('wherever it stands in a log', () => {
    const surroundings = fc.string({ unit: 'grapheme', maxLength: 40 });
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(canaries)),
        fc.constantFrom(...Object.keys(encodings)),
        surroundings,
        surroundings,
        (name, encoding, before, after) => {
          const encoded = Buffer.from(encodings[encoding]?.(canaries[name] ?? '') ?? '');
          // A line of its own: what is glued to base64 or hex is part of it.
          const text = Buffer.concat([utf8(`${before}\n "`), encoded, utf8(`" ${after}`)]);
          expect(findCanaries(canaries, text)).toContain(name);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('in base64 that is glued to other characters', () => {
    for (const glue of ['a', 'ab', 'abc', 'abcd', 'token_', 'x-']) {
      const text = `${glue}${utf8(canaries['email'] ?? '').toString('base64url')}`;
      expect([glue, findCanaries(canaries, text)]).toEqual([glue, ['email']]);
    }
  });
});

it('a phone number is found however it is punctuated', () => {
  for (const written of ['6505550142', '+16505550142', '650.555.0142', '1 (650) 555 01 42', '650-555-0142']) {
    expect([written, findCanaries(canaries, `"to": "${written}"`)]).toEqual([written, ['phone']]);
  }
});

it('finds nothing where nothing is', () => {
  const log = JSON.stringify({
    level: 'INFO',
    message: 'message handled',
    inquiryId: 'inq_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    frames: ['at handle (file:///var/task/index.mjs:1:650555)', 'at 0142'],
    digest: utf8('something else altogether').toString('base64'),
  });
  expect(findCanaries(canaries, log.repeat(50))).toEqual([]);
});

it('refuses what would be found by chance', () => {
  expect(() => findCanaries({ postalCode: '94043' }, '')).toThrow('too short');
});
