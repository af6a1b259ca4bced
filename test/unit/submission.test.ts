import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clickIds, submissionSchema, utmParameters } from '../../shared/domain/submission.ts';
import { limits } from '../../shared/domain/text-fields.ts';

const parse = (fields: unknown) => submissionSchema.safeParse(fields);
/** Faults as `field: message`. */
const faults = (fields: unknown): string[] =>
  (parse(fields).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

const lines: readonly (readonly [string, number])[] = [
  ['name', limits.name],
  ['email', limits.email],
  ['phone', limits.phone],
  ...['service', 'preferredTime', 'insurance', 'location', 'source', 'campaign', 'idempotencyKey'].map(
    (name) => [name, limits.short] as const,
  ),
];
/** What a link carries and nobody typed, with the longest it is kept. */
const tracking: readonly (readonly [string, number])[] = [
  ...utmParameters.map((name) => [name, limits.short] as const),
  ...clickIds.map((name) => [name, limits.clickId] as const),
];

describe('a submission', () => {
  it.each([...lines, ['message', limits.message] as const])('%s has at most %i characters', (name, max) => {
    expect(parse({ [name]: 'x'.repeat(max) }).success).toBe(true);
    expect(faults({ [name]: 'x'.repeat(max + 1) })).toEqual([`${name}: is longer than ${max} characters`]);
  });

  it.each(tracking)('%s is cut to %i characters and cleaned, never refused', (name, max) => {
    expect(parse({ [name]: 'x'.repeat(max + 1) }).data).toEqual({ [name]: 'x'.repeat(max) });
    expect(parse({ [name]: ' a\r\nb\u0000c\u202E ' }).data).toEqual({ [name]: 'a b c' });
    expect(faults({ [name]: 1 })).toEqual([`${name}: must be text`]);
  });

  it.each(lines.map(([name]) => name))('%s is one line', (name) => {
    for (const bad of ['a\r\nBcc: b', 'a\nb', 'a\tb']) {
      expect(faults({ [name]: bad })).toEqual([`${name}: must be on one line`]);
    }
  });

  it.each(['name', 'message', 'service'])(
    '%s has no control character, lone surrogate or foreign type',
    (name) => {
      for (const bad of ['a\u0000b', 'a\u001B[31mb', 'a\u007Fb', 'a\u0085b', 'a\u2028b']) {
        expect(faults({ [name]: bad })).toEqual([`${name}: has a control character`]);
      }
      expect(faults({ [name]: 'a\uD800b' })).toEqual([`${name}: has a character that is not valid Unicode`]);
      for (const bad of [1, true, null, [], {}]) {
        expect(faults({ [name]: bad })).toEqual([`${name}: must be text`]);
      }
    },
  );

  it('loses what reorders or hides text, and keeps what names and emoji need', () => {
    expect(parse({ name: '\uFEFFMaria\u202E zepoL\u2069\u200B' }).data).toEqual({ name: 'Maria zepoL' });
    expect(parse({ name: 'نامه\u200Cای 👩\u200D⚕️' }).data).toEqual({ name: 'نامه\u200Cای 👩\u200D⚕️' });
  });

  it('keeps the lines of a message, in one spelling', () => {
    expect(parse({ message: ' one\r\ntwo\rthree\n\n\tfour ' }).data).toEqual({
      message: 'one\ntwo\nthree\n\n\tfour',
    });
  });

  it('takes an empty field as left out', () => {
    for (const name of [
      ...lines.map(([line]) => line),
      ...tracking.map(([name]) => name),
      'message',
      'language',
      'website',
    ]) {
      expect(parse({ [name]: ' \u200B' }).data?.[name as 'name']).toBeUndefined();
    }
  });

  it.each([
    [true, ['yes', 'Yes', ' TRUE ', 'on', '1', true]],
    [false, ['no', 'false', 'OFF', '0', '', false]],
  ])('reads consent %s in every spelling that forms send', (expected, spellings) => {
    for (const consentEmail of spellings) {
      expect(parse({ consentEmail }).data).toEqual({ consentEmail: expected });
    }
  });

  it('takes the time zone of a browser, and leaves out what is none', () => {
    expect(parse({ timeZone: 'America/Denver' }).data).toEqual({ timeZone: 'America/Denver' });
    for (const timeZone of ['', 'Denver', '+07:00', 'x'.repeat(300), 'Mars/Olympus'])
      expect(parse({ timeZone }).data?.timeZone).toBeUndefined();
  });

  it('does not guess at consent', () => {
    for (const consentEmail of ['maybe', 'yes please', 1, null, ['yes']]) {
      expect(faults({ consentEmail })).toEqual(['consentEmail: must be yes or no']);
    }
    expect(parse({}).data).toEqual({});
  });

  it.each(['es', 'en-US', 'zh-Hant-TW', 'sr-Latn'])('takes the language %s', (language) => {
    expect(parse({ language }).data).toEqual({ language });
  });

  it.each(['español', 'e', 'en_US', '-', 'en-', `en${'-aa'.repeat(20)}`])(
    'refuses the language %s',
    (language) => {
      expect(faults({ language })[0]).toMatch(/^language: (?:must be a language tag|is longer than 35)/);
    },
  );

  it.each(['status', 'assignee', 'score', 'stage', 'id', '__proto__', 'constructor', 'toString'])(
    'refuses the field %s',
    (name) => {
      const fields = JSON.parse(`{"email":"a@example.com","${name}":"x"}`) as unknown;

      expect(parse(fields).error?.issues).toMatchObject([{ code: 'unrecognized_keys', keys: [name] }]);
    },
  );

  it.each([null, 'text', 7, [], undefined])('is an object, not %j', (fields) => {
    expect(faults(fields)).toEqual([': must be an object of fields']);
  });

  it('cleaned, is clean: a second reading changes nothing', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.string({ unit: 'binary', maxLength: 60 }),
        (name, message) => {
          const first = parse({ name, message });
          fc.pre(first.success);
          expect(parse(first.data).data).toEqual(first.data);
        },
      ),
    );
  });
});
