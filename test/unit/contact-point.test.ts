import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { type CountryCode, getCountries, parsePhoneNumberFromString } from 'libphonenumber-js/min';
import { describe, expect, it } from 'vitest';
import { phoneMetadataText } from '../../ops/phone-metadata.ts';
import { normalizeEmail, normalizeName, normalizePhone } from '../../shared/domain/contact-point.ts';

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
);

describe('an e-mail address', () => {
  it.each([
    ['Maria.Lopez@Example.COM', 'maria.lopez@example.com'],
    ['  maria+acne@example.com\n', 'maria+acne@example.com'],
    ['ｍａｒｉａ＠ｅｘａｍｐｌｅ．ｃｏｍ', 'maria@example.com'],
    ['maria@bücher.example', 'maria@xn--bcher-kva.example'],
    ['josé@example.com', 'josé@example.com'],
    ["o'hara_1@sub.example.co.uk", "o'hara_1@sub.example.co.uk"],
  ])('%j is %s', (typed, normal) => {
    expect(normalizeEmail(typed)).toBe(normal);
  });

  it.each([
    '',
    '@',
    'maria',
    'maria@',
    '@example.com',
    'maria@localhost',
    'maria@@example.com',
    'maria@example..com',
    'maria@-example.com',
    'maria@127.0.0.1',
    'maria@[127.0.0.1]',
    'maria lopez@example.com',
    '.maria@example.com',
    'maria.@example.com',
    'ma..ria@example.com',
    'Maria <maria@example.com>',
    'maria@example.com, bob@example.com',
    'maria@example.com\r\nBcc: all@example.com',
    'maria@example.com/path',
    'maria@example.com?',
    'maria@example.com#',
    'maria@example.com:80',
    'maria@example.com\\',
    'maria@ex%61mple.com',
    'maria@example.com/',
    `${'m'.repeat(65)}@example.com`,
    `maria@${'e'.repeat(64)}.com`,
    `maria@${'e.'.repeat(127)}com`,
  ])('%j is none', (typed) => {
    expect(normalizeEmail(typed)).toBeUndefined();
  });

  it('is the same however often it is normalised, and holds nothing that ends a header', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.emailAddress(),
          fc.tuple(text, fc.constantFrom('example.com', 'BÜCHER.example')).map((parts) => parts.join('@')),
        ),
        (typed) => {
          const normal = normalizeEmail(typed);
          fc.pre(normal !== undefined);
          expect(normalizeEmail(String(normal))).toBe(normal);
          expect(normal).not.toMatch(/[\s<>,;"]/);
        },
      ),
    );
  });
});

describe('a phone number', () => {
  it.each([
    ['(650) 555-0188', '+16505550188'],
    ['650.555.0188', '+16505550188'],
    ['+1 650 555 0188', '+16505550188'],
    ['1-650-555-0188', '+16505550188'],
    ['６５０５５５０１８８', '+16505550188'],
    ['tel:+1-650-555-0188', '+16505550188'],
    ['650-555-0188 x12', '+16505550188;ext=12'],
    ['650-555-0188 ext. 0012', '+16505550188;ext=0012'],
    ['+16505550188;ext=12', '+16505550188;ext=12'],
    ['+52 55 1234 5678', '+525512345678'],
  ])('%j is %s', (typed, normal) => {
    expect(normalizePhone(typed, 'US')).toBe(normal);
  });

  it.each(['', '12', '650-555', 'call me', '+', '+999 123', '650-555-0188-0199-0200-0201'])(
    '%j is none',
    (typed) => {
      expect(normalizePhone(typed, 'US')).toBeUndefined();
    },
  );

  it("is read by the practice's own country", () => {
    expect(normalizePhone('020 7946 0958', 'GB')).toBe('+442079460958');
    expect(normalizePhone('+16505550188', 'GB')).toBe('+16505550188');
  });

  it('without a country code is none where the country is no country', () => {
    expect(normalizePhone('650 555 0188', 'XX')).toBeUndefined();
    expect(normalizePhone('+16505550188', 'XX')).toBe('+16505550188');
  });

  it('is the same however often it is normalised', () => {
    const typedNumber = fc.stringMatching(
      /^(\+?1[ .-])?\(?[2-9]\d\d\)?[ .-]?[2-9]\d\d[ .-]?\d{4}( (x|ext\.? ?)\d{1,5})?$/,
    );
    fc.assert(
      fc.property(typedNumber, (typed) => {
        const normal = String(normalizePhone(typed, 'US'));
        expect(normal).toMatch(/^\+1\d{10}(;ext=\d+)?$/);
        expect(normalizePhone(normal, 'US')).toBe(normal);
      }),
    );
  });

  it('is read by what the installed library knows', () => {
    // Where this fails: node ops/phone-metadata.ts > shared/domain/phone-metadata.ts
    expect(readFileSync('shared/domain/phone-metadata.ts', 'utf8')).toBe(phoneMetadataText());
  });

  it("is read as the library's whole metadata reads it, in every country", () => {
    const asTheLibrary = (typed: string, country: CountryCode): string | undefined => {
      const number = parsePhoneNumberFromString(typed, country);
      if (!number?.isPossible()) return undefined;
      return number.ext ? `${number.number};ext=${number.ext}` : number.number;
    };
    fc.assert(
      fc.property(
        fc.constantFrom(...getCountries()),
        fc.stringMatching(/^(\+|00|011|0|1)?[0-9]{4,14}( x[0-9]{1,4})?$/),
        (country, typed) => {
          expect(normalizePhone(typed, country)).toBe(asTheLibrary(typed, country));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('a name', () => {
  it.each([
    ['María López', 'lopez maria'],
    ['LÓPEZ, María', 'lopez maria'],
    ['  maria   lopez ', 'lopez maria'],
    ['Mari\u0301a Lo\u0301pez', 'lopez maria'],
    ['ＭＡＲＩＡ Lopez', 'lopez maria'],
    ["Siobhán O'Brien-Smith", 'brien o siobhan smith'],
    ['Nguyễn Văn Đức', 'nguyen van đuc'],
    ['王小明', '王小明'],
    ['محمد علي', 'علي محمد'],
    ['John Smith 3', '3 john smith'],
    ['🙂 …', ''],
    ['', ''],
  ])('%j is %j', (typed, normal) => {
    expect(normalizeName(typed)).toBe(normal);
  });

  it('is the same however often it is normalised, in any case and in any order of its parts', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), (parts) => {
        const normal = normalizeName(parts.join(' '));
        expect(normalizeName(normal)).toBe(normal);
        expect(normalizeName(parts.toReversed().join(' '))).toBe(normal);
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-zÀ-ÖØ-öø-ÿ ]{0,20}$/), (typed) => {
        fc.pre(!typed.includes('ß'));
        expect(normalizeName(typed.toUpperCase())).toBe(normalizeName(typed));
      }),
    );
  });
});
