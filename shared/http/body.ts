/**
 * Request bodies, from raw bytes to fields. Strict on purpose: what two parsers
 * could read differently is refused, not guessed at.
 */
import { createScanner } from 'jsonc-parser';
import type * as z from 'zod';
import { type FieldError, Problem } from './problem.ts';

/** The scanner's token kinds, which its types declare in a form that cannot be imported one file at a time. */
const SyntaxKind = {
  OpenBraceToken: 1,
  CloseBraceToken: 2,
  OpenBracketToken: 3,
  CloseBracketToken: 4,
  ColonToken: 6,
  StringLiteral: 10,
  EOF: 17,
} as const;

/** The most bytes a body may have. */
export const mostBodyBytes = 32 * 1024;
/** How deep JSON may nest; the deepest that any sender documents is 4. */
const mostDepth = 16;

/** The parts of a proxy event that carry a body. */
export interface BodyEvent {
  readonly body: string | null;
  readonly isBase64Encoded: boolean;
}

/** A header by its lower-case name, whatever case it came in. */
export function headerOf(
  headers: Readonly<Record<string, string | undefined>> | null,
  name: string,
): string | undefined {
  const found = Object.entries(headers ?? {}).find(([key]) => key.toLowerCase() === name);
  return found?.[1];
}

/** The media type of a content-type header, without its parameters. */
export const mediaType = (contentType: string | undefined): string =>
  (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

/**
 * The text of a body.
 *
 * @throws Problem `body_too_large`, or `malformed_body` where it is empty or not UTF-8
 */
export function bodyText(event: BodyEvent): string {
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.byteLength > mostBodyBytes) {
    throw new Problem('body_too_large', `The body may have at most ${mostBodyBytes} bytes.`);
  }
  if (bytes.byteLength === 0) throw new Problem('malformed_body', 'The body is empty.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Problem('malformed_body', 'The body is not valid UTF-8.');
  }
}

/** Names that would reach into an object's prototype. */
const prototypeNames = new Set(['__proto__', 'constructor', 'prototype']);

/** Refuses what `JSON.parse` would let through: repeated names, prototype names, depth. */
function checkJson(text: string): void {
  const scanner = createScanner(text, true);
  const open: (Set<string> | undefined)[] = [];
  let candidate: string | undefined;
  for (let token: number = scanner.scan(); token !== SyntaxKind.EOF; token = scanner.scan()) {
    if (token === SyntaxKind.OpenBraceToken || token === SyntaxKind.OpenBracketToken) {
      open.push(token === SyntaxKind.OpenBraceToken ? new Set() : undefined);
      if (open.length > mostDepth)
        throw new Problem('malformed_body', `JSON may nest at most ${mostDepth} deep.`);
    } else if (token === SyntaxKind.CloseBraceToken || token === SyntaxKind.CloseBracketToken) {
      open.pop();
    } else if (token === SyntaxKind.ColonToken && candidate !== undefined) {
      const names = open.at(-1);
      if (prototypeNames.has(candidate)) {
        throw new Problem('malformed_body', 'The JSON has a name that is not allowed.', [
          { field: candidate, reason: 'is not allowed as a name' },
        ]);
      }
      if (names?.has(candidate)) {
        throw new Problem('malformed_body', 'The JSON has a name twice.', [
          { field: shownName(candidate), reason: 'is there twice' },
        ]);
      }
      names?.add(candidate);
    }
    candidate = token === SyntaxKind.StringLiteral ? scanner.getTokenValue() : undefined;
  }
}

/**
 * Parses JSON.
 *
 * @throws Problem `malformed_body`
 */
export function parseJson(text: string): unknown {
  checkJson(text);
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem('malformed_body', 'The body is not valid JSON.');
  }
}

/**
 * Parses a url-encoded form.
 *
 * @throws Problem `malformed_body` where a field is there twice or is not valid UTF-8
 */
export function parseForm(text: string): Record<string, string> {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const [name, value] = pair.split(/=(.*)/su, 2).map((part) => decodeFormPart(part));
    if (name === undefined) continue;
    if (name in fields) {
      throw new Problem('malformed_body', 'The form has a field twice.', [
        { field: shownName(name), reason: 'is there twice' },
      ]);
    }
    fields[name] = value ?? '';
  }
  return { ...fields };
}

function decodeFormPart(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '));
  } catch {
    throw new Problem('malformed_body', 'The form is not valid url-encoded UTF-8.');
  }
}

/** A field's name as an error may show it: what does not look like a name is not repeated. */
export const shownName = (name: string): string =>
  /^[A-Za-z_][\w.-]{0,39}$/.test(name) ? name : '(unnamed field)';

/** What zod found, as field errors; only names and reasons, never values. */
export function fieldErrors(error: z.ZodError): FieldError[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: shownName(key), reason: 'is not a field of this form' }));
    }
    const field = issue.path.map(String).join('.');
    return [{ field: field === '' ? '(body)' : field, reason: issue.message }];
  });
}

/**
 * Checks fields against a schema.
 *
 * @throws Problem `invalid_fields` naming each field and its reason
 */
export function checkFields<Schema extends z.ZodType>(schema: Schema, fields: unknown): z.output<Schema> {
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  throw new Problem('invalid_fields', 'Correct the fields named in errors.', fieldErrors(parsed.error));
}
