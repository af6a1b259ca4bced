/** Errors as callers see them: RFC 9457 problem details. */

/** One field that is wrong, and why; never what it held. */
export interface FieldError {
  readonly field: string;
  readonly reason: string;
}

export type ProblemCode =
  | 'malformed_body'
  | 'invalid_fields'
  | 'unsupported_media_type'
  | 'body_too_large'
  | 'idempotency_conflict'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'precondition_required'
  | 'precondition_failed'
  | 'transition_not_allowed'
  | 'merge_not_allowed'
  | 'conflict'
  | 'unavailable'
  | 'internal_error';

const statuses: Readonly<Record<ProblemCode, readonly [status: number, title: string]>> = {
  malformed_body: [400, 'The body cannot be read'],
  invalid_fields: [422, 'Some fields are not valid'],
  unsupported_media_type: [415, 'The content type is not supported'],
  body_too_large: [413, 'The body is too large'],
  idempotency_conflict: [409, 'The idempotency key was used for something else'],
  unauthorized: [401, 'The request is not authorized'],
  forbidden: [403, 'The role does not allow this'],
  not_found: [404, 'There is nothing here'],
  precondition_required: [428, 'The request must say which version it changes'],
  precondition_failed: [412, 'The version is not the current one'],
  transition_not_allowed: [409, 'The stage cannot be set from here'],
  merge_not_allowed: [409, 'These two contacts cannot be merged'],
  conflict: [409, 'It is not as the request takes it to be'],
  unavailable: [503, 'The service is busy'],
  internal_error: [500, 'Something went wrong on our side'],
};

/** A refusal with its code; the message is shown to the caller and must hold nothing personal. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[];

  constructor(code: ProblemCode, detail: string, errors: readonly FieldError[] = []) {
    super(detail);
    this.code = code;
    this.errors = errors;
  }

  get status(): number {
    return statuses[this.code][0];
  }

  get title(): string {
    return statuses[this.code][1];
  }

  /**
   * The problem as a response body.
   *
   * @param notice - what to show whoever wrote, beside it
   */
  toBody(notice?: string): string {
    return JSON.stringify({
      type: `urn:firstcall:problem:${this.code.replaceAll('_', '-')}`,
      title: this.title,
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(this.errors.length > 0 && { errors: this.errors }),
      ...(notice !== undefined && { notice }),
    });
  }
}

/** The problem behind whatever was thrown; what is not meant for a caller stays opaque. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Error && error.name === 'ConfigurationMissing') {
    return new Problem('unavailable', error.message);
  }
  return new Problem('internal_error', 'Nothing was acknowledged. Try again in a moment.');
}

export const problemHeaders = {
  'content-type': 'application/problem+json',
  'cache-control': 'no-store',
} as const;
