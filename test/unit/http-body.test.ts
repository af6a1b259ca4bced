import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  bodyText,
  checkFields,
  headerOf,
  mediaType,
  mostBodyBytes,
  parseForm,
  parseJson,
} from '../../shared/http/body.ts';
import { Problem, toProblem } from '../../shared/http/problem.ts';

const base64 = (bytes: Uint8Array | string) => ({
  body: Buffer.from(bytes as string).toString('base64'),
  isBase64Encoded: true,
});
/** The problem that a piece of work ends in, as its body says it. */
function problemOf(work: () => unknown): Record<string, unknown> {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return JSON.parse(error.toBody()) as Record<string, unknown>;
    throw error;
  }
  throw new Error('no problem');
}

describe('the text of a body', () => {
  it('is read from base64 and from text alike', () => {
    expect(bodyText(base64('María'))).toBe('María');
    expect(bodyText({ body: 'María', isBase64Encoded: false })).toBe('María');
  });

  it.each([
    ['empty', base64('')],
    ['missing', { body: null, isBase64Encoded: false }],
    ['invalid UTF-8', base64(Uint8Array.of(0x61, 0xff, 0xfe))],
    ['a surrogate in UTF-8', base64(Uint8Array.of(0xed, 0xa0, 0x80))],
    ['an overlong NUL', base64(Uint8Array.of(0xc0, 0x80))],
  ])('is refused where it is %s', (_, event) => {
    expect(problemOf(() => bodyText(event))).toMatchObject({ status: 400, code: 'malformed_body' });
  });

  it('has at most 32 KB, in bytes', () => {
    expect(bodyText(base64('x'.repeat(mostBodyBytes)))).toHaveLength(32_768);
    for (const text of ['x'.repeat(mostBodyBytes + 1), 'é'.repeat(mostBodyBytes / 2 + 1)]) {
      for (const event of [base64(text), { body: text, isBase64Encoded: false }]) {
        expect(problemOf(() => bodyText(event))).toMatchObject({ status: 413, code: 'body_too_large' });
      }
    }
  });
});

describe('JSON', () => {
  it('is read', () => {
    const text = '{"a":{"a":[{"b":1},{"b":"a"}]},"b":"\\u00e9\\"","c":[true,null,-1.5e3]}';

    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ['a name twice', '{"email":"a","email":"b"}', 'email'],
    ['a name twice, once escaped', '{"email":"a","\\u0065mail":"b"}', 'email'],
    ['a name twice, deep inside', '{"a":[{"b":1},{"c":2,"c":3}]}', 'c'],
    ['__proto__', '{"__proto__":{"admin":true}}', '__proto__'],
    ['__proto__, escaped', '{"\\u005f_proto__":1}', '__proto__'],
    ['constructor', '{"a":{"constructor":{"prototype":1}}}', 'constructor'],
  ])('with %s is refused, and the name is told', (_, text, field) => {
    expect(problemOf(() => parseJson(text))).toMatchObject({ code: 'malformed_body', errors: [{ field }] });
  });

  it('does not repeat a name that is no name', () => {
    const problem = problemOf(() => parseJson('{"<b>maria@example.com":1,"<b>maria@example.com":2}'));

    expect(JSON.stringify(problem)).not.toContain('maria');
  });

  it.each([
    '',
    ' ',
    '{',
    '{"a":1',
    '{"a":1}}',
    '{"a":1}{"a":2}',
    "{'a':1}",
    '{a:1}',
    '{"a":1,}',
    '// c\n{"a":1}',
    '{"a":/* c */1}',
    'NaN',
    '{"a":01}',
    '{"a":"\u0000"}',
    '{"a":"\n"}',
    '\u0000',
  ])('%j is none', (text) => {
    expect(problemOf(() => parseJson(text))).toMatchObject({ status: 400, code: 'malformed_body' });
  });

  it.each([
    ['lists', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['objects', `${'{"a":'.repeat(6_000)}1${'}'.repeat(6_000)}`],
    ['lists that never close', '['.repeat(32_000)],
  ])('of many thousand nested %s is refused', (_, text) => {
    expect(problemOf(() => parseJson(text))).toMatchObject({ status: 400, code: 'malformed_body' });
  });

  it('may nest sixteen deep', () => {
    expect(parseJson('['.repeat(16) + ']'.repeat(16))).toBeDefined();
    expect(problemOf(() => parseJson('['.repeat(17) + ']'.repeat(17))).code).toBe('malformed_body');
  });
});

describe('a form', () => {
  it('is read as browsers write it', () => {
    expect(parseForm('name=Mar%C3%ADa+L%C3%B3pez&message=a%3Db=c%0D%0A&empty=&bare&')).toEqual({
      name: 'María López',
      message: 'a=b=c\r\n',
      empty: '',
      bare: '',
    });
  });

  it.each([
    ['a field twice', 'email=a&email=b'],
    ['a field twice, once encoded', 'email=a&%65mail=b'],
    ['__proto__ twice', '__proto__=a&__proto__=b'],
    ['invalid UTF-8', 'name=%FF%FE'],
    ['a lone surrogate', 'name=%ED%A0%80'],
    ['a half escape', 'name=100%'],
  ])('with %s is refused', (_, text) => {
    expect(problemOf(() => parseForm(text))).toMatchObject({ status: 400, code: 'malformed_body' });
  });

  it('keeps a prototype name as a field like any other, for the schema to refuse', () => {
    const fields = parseForm('__proto__=x&constructor=y&toString=z');

    expect(Object.keys(fields)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
    expect(
      problemOf(() => checkFields(z.strictObject({ email: z.string().optional() }), fields)),
    ).toMatchObject({
      status: 422,
      errors: [{ field: '__proto__' }, { field: 'constructor' }, { field: 'toString' }],
    });
  });
});

describe('field errors', () => {
  const schema = z.strictObject({ email: z.string(), list: z.array(z.object({ n: z.number() })).optional() });

  it('name the fields and the reasons, never a value', () => {
    const problem = problemOf(() =>
      checkFields(schema, {
        email: 7,
        list: [{ n: 'secret' }],
        'maria@example.com': 'secret',
        ok_name: 'secret',
      }),
    );

    expect(problem).toMatchObject({ status: 422, code: 'invalid_fields' });
    expect((problem['errors'] as { field: string }[]).map(({ field }) => field).toSorted()).toEqual([
      '(unnamed field)',
      'email',
      'list.0.n',
      'ok_name',
    ]);
    expect(JSON.stringify(problem)).not.toMatch(/secret|maria/);
  });

  it('name the body where it is no object', () => {
    expect(problemOf(() => checkFields(schema, 'text'))).toMatchObject({ errors: [{ field: '(body)' }] });
  });
});

describe('headers', () => {
  it('are found whatever their case', () => {
    expect(headerOf({ 'Content-TYPE': 'text/plain' }, 'content-type')).toBe('text/plain');
    expect(headerOf(null, 'content-type')).toBeUndefined();
  });

  it.each([
    ['Application/JSON; charset=utf-8', 'application/json'],
    [' application/json ', 'application/json'],
    ['', ''],
    [undefined, ''],
  ])('%j is the media type %j', (header, expected) => {
    expect(mediaType(header)).toBe(expected);
  });
});

it('a fault that is not ours stays opaque', () => {
  const problem = toProblem(new Error('maria@example.com at /var/task/index.mjs'));

  expect(problem).toMatchObject({ code: 'internal_error', status: 500 });
  expect(problem.toBody()).not.toMatch(/maria|task/);
});
