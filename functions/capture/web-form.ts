/** The practice's own web form, and integrations that post the same fields as JSON. */

import { attribute, findForm } from '../../shared/domain/attribution.ts';
import { normalizeEmail, normalizePhone } from '../../shared/domain/contact-point.ts';
import type { QuarantineReason } from '../../shared/domain/inquiry/state.ts';
import { findLocation, findService, type Location, type Practice } from '../../shared/domain/practice.ts';
import { findRedFlags } from '../../shared/domain/red-flags.ts';
import { writtenText } from '../../shared/domain/rules/gather.ts';
import { isUnknownUtm, type Submission, submissionSchema } from '../../shared/domain/submission.ts';
import { limits } from '../../shared/domain/text-fields.ts';
import { foldWording } from '../../shared/domain/wording.ts';
import { checkFields } from '../../shared/http/body.ts';
import { type FieldError, Problem } from '../../shared/http/problem.ts';
import type { Digest } from '../../shared/secrets/digest.ts';
import type { IncomingInquiry, RequestIdentity } from './capture-inquiry.ts';

/** What the request says beside its fields. */
export interface FormRequest {
  readonly origin: string | undefined;
  /** The site whose page sent the post, where that is not the hosted form's own. */
  readonly referrer: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** Whether the origin may post: its own site, a listed one, or none named. */
  readonly originListed: boolean;
  /** Whether the firewall marked the request. */
  readonly suspected: boolean;
}

/** The submission's fields as they are kept: what was given, without the form's own machinery. */
function keptFields({
  website: _trap,
  idempotencyKey: _key,
  ...given
}: Submission): IncomingInquiry['fields'] {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Record<
    string,
    string | boolean
  >;
}

/** Whether a wording means the location: where it means none, the practice's first takes its place. */
const isNamed = ({ id, name }: Location, wording = ''): boolean =>
  [id, name].some((own) => foldWording(own) === foldWording(wording));

/** The fields without those campaign parameters that nothing here knows. */
const withoutUnknownUtm = (fields: unknown): unknown =>
  typeof fields !== 'object' || fields === null || Array.isArray(fields)
    ? fields
    : Object.fromEntries(Object.entries(fields).filter(([name]) => !isUnknownUtm(name)));

/**
 * Checks a submission and makes an inquiry of it.
 *
 * @throws Problem `invalid_fields`
 */
export function readSubmission(
  practice: Practice,
  fields: unknown,
  request: FormRequest,
): { incoming: IncomingInquiry; submission: Submission } {
  const submission = checkFields(submissionSchema, withoutUnknownUtm(fields));
  const errors: FieldError[] = [];
  const email = submission.email === undefined ? undefined : normalizeEmail(submission.email);
  const phone =
    submission.phone === undefined ? undefined : normalizePhone(submission.phone, practice.phoneCountry);
  if (submission.email !== undefined && email === undefined) {
    errors.push({ field: 'email', reason: 'must be an e-mail address such as name@example.com' });
  }
  if (submission.phone !== undefined && phone === undefined) {
    errors.push({ field: 'phone', reason: 'must be a phone number such as (650) 555-0100 or +16505550100' });
  }
  if (submission.email === undefined && submission.phone === undefined) {
    errors.push({ field: 'phone', reason: 'give a phone number or an e-mail address' });
    errors.push({ field: 'email', reason: 'give a phone number or an e-mail address' });
  }
  if (errors.length > 0) throw new Problem('invalid_fields', 'Correct the fields named in errors.', errors);

  const quarantine: QuarantineReason[] = [];
  if (submission.website !== undefined) quarantine.push('honeypot');
  if (request.suspected) quarantine.push('firewall');
  if (!request.originListed) quarantine.push('origin');

  const form = findForm(practice, request.origin);
  // What the form's page says of its visitor is nearer the truth than where that page is.
  const referrer = submission.referrer ?? request.referrer;
  const attribution = attribute(practice, form, submission, referrer);
  const location = findLocation(practice, submission.location);
  const kept = keptFields({ ...submission, referrer });
  return {
    submission,
    incoming: {
      channel: (form.maySetChannel ? submission.channel : undefined) ?? form.channel,
      name: submission.name,
      patientName: submission.patientName,
      email,
      phone,
      language: submission.language,
      insurance: submission.insurance,
      wantedLocationId: isNamed(location, submission.location) ? location.id : undefined,
      locationId: location.id,
      serviceId: findService(practice, submission.service)?.id,
      sourceId: attribution.sourceId,
      attributedBy: attribution.by,
      campaign: attribution.campaign,
      fields: kept,
      quarantine,
      redFlags: findRedFlags(practice.redFlags, writtenText({ fields: kept })),
    },
  };
}

/**
 * What names a post: the key that came with it, else its content, so that an
 * impatient second click is the same inquiry.
 *
 * @throws Problem `invalid_fields` where the key is not one
 */
export function identify(
  submission: Submission,
  headerKey: string | undefined,
  digest: Digest,
): RequestIdentity {
  const { idempotencyKey: fieldKey, ...fields } = submission;
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  const content = JSON.stringify(given.sort(([a], [b]) => (a < b ? -1 : 1)));
  const key = headerKey?.trim() || fieldKey;
  if (key !== undefined && !(key.length <= limits.short && /^[\x20-\x7E]+$/.test(key))) {
    throw new Problem('invalid_fields', 'Correct the fields named in errors.', [
      { field: 'Idempotency-Key', reason: `must be at most ${limits.short} printable ASCII characters` },
    ]);
  }
  return { key: key === undefined ? `content ${digest('body', content)}` : `form ${key}`, content };
}
