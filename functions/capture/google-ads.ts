/**
 * Google Ads lead forms, as their webhook documentation describes them: JSON,
 * a shared key in the body, the lead's id, and the answers by column.
 */
import * as z from 'zod';
import { attribute, findForm } from '../../shared/domain/attribution.ts';
import { normalizeEmail, normalizePhone } from '../../shared/domain/contact-point.ts';
import { findLocation, findService, type Practice } from '../../shared/domain/practice.ts';
import { findRedFlags } from '../../shared/domain/red-flags.ts';
import { writtenText } from '../../shared/domain/rules/gather.ts';
import { type Submission, submissionSchema } from '../../shared/domain/submission.ts';
import { limits } from '../../shared/domain/text-fields.ts';
import { checkFields } from '../../shared/http/body.ts';
import { Problem } from '../../shared/http/problem.ts';
import { equalsInConstantTime } from '../../shared/secrets/digest.ts';
import type { IncomingInquiry, RequestIdentity } from './capture-inquiry.ts';

/**
 * A lead was paid for, so trifles do not have it refused: a text may be a number,
 * null or missing, and one that is too long is cut.
 */
const text = z.lazy(() =>
  z
    .union([z.string(), z.number(), z.null()], 'must be text')
    .optional()
    .transform((value) => (value === null || value === undefined ? undefined : String(value))),
);

/** Unknown fields are ignored, as the publisher asks: it adds some now and then. */
const leadSchema = z.lazy(() =>
  z.object({
    lead_id: z.string('must be text').min(1, 'must not be empty').max(limits.clickId, 'is too long'),
    user_column_data: z
      .array(z.object({ column_id: text, column_name: text, string_value: text }), 'must be a list')
      .max(100, 'has more than 100 entries'),
    campaign_id: text,
    form_id: text,
    gcl_id: text,
    lead_submit_time: text,
    is_test: z
      .unknown()
      .optional()
      .transform((value) => value === true),
  }),
);

const keySchema = z.lazy(() => z.object({ google_key: z.string().min(1) }));

/** Columns that Google defines and a field of ours stands for. */
const knownColumns: Readonly<Record<string, keyof Submission>> = {
  FULL_NAME: 'name',
  EMAIL: 'email',
  WORK_EMAIL: 'email',
  PHONE_NUMBER: 'phone',
  WORK_PHONE: 'phone',
  SERVICE: 'service',
  PREFERRED_CONTACT_TIME: 'preferredTime',
  POSTAL_CODE: 'postalCode',
};

/** Refuses a lead whose key is not the practice's; nothing else of it is looked at before. */
export function checkKey(payload: unknown, googleAdsKey: string): void {
  const given = keySchema.safeParse(payload);
  if (!given.success || !equalsInConstantTime(given.data.google_key, googleAdsKey)) {
    throw new Problem('unauthorized', 'google_key is missing or is not the one configured.', [
      { field: 'google_key', reason: 'is missing or is not the one configured' },
    ]);
  }
}

/** How long a field's text may be; the others are short. */
const fieldLimits: Partial<Record<keyof Submission, number>> = {
  name: limits.name,
  email: limits.email,
  phone: limits.phone,
  message: limits.message,
  gclid: limits.clickId,
};

/** One value, cleaned and cut to what the field takes; undefined where nothing is left of it. */
function cleaned(field: keyof Submission, value: string | undefined): string | undefined {
  const printable = (value ?? '').toWellFormed().replace(/\p{Cc}+/gu, ' ');
  const cut = printable.slice(0, fieldLimits[field] ?? limits.short).toWellFormed();
  const parsed = submissionSchema.safeParse({ [field]: cut });
  const kept = parsed.success ? parsed.data[field] : undefined;
  return typeof kept === 'string' ? kept : undefined;
}

/**
 * Makes an inquiry of a lead. A contact point that cannot be one is kept as it
 * came and marked: the lead was paid for, and somebody may still read it.
 *
 * @throws Problem `invalid_fields` where the payload is not a lead
 */
export function readLead(
  practice: Practice,
  payload: unknown,
): { incoming: IncomingInquiry; identity: RequestIdentity } {
  const lead = checkFields(leadSchema, payload);
  const fields: Partial<Record<keyof Submission, string>> = {};
  const answers: { question: string; answer: string }[] = [];
  const named = new Map(lead.user_column_data.map((entry) => [entry.column_id, entry.string_value]));

  for (const {
    column_id: id = '',
    column_name: question,
    string_value: answer = '',
  } of lead.user_column_data) {
    if (id === 'FIRST_NAME' || id === 'LAST_NAME' || answer.trim() === '') continue;
    // A practice's own question has an id of its own: what it asks for shows in its answer.
    const meant =
      knownColumns[id] ??
      (findService(practice, answer) && fields.service === undefined ? 'service' : undefined);
    const value = meant && cleaned(meant, answer);
    const isNew = meant !== undefined && value !== undefined && fields[meant] === undefined;
    if (isNew) fields[meant] = value;
    // For rules it is a field; whoever reads a lead's answers finds it there, as before it was one.
    if (!isNew || meant === 'postalCode')
      answers.push({
        question: cleaned('source', question ?? id) ?? '',
        answer: cleaned('message', answer) ?? '',
      });
  }
  const parts = [named.get('FIRST_NAME'), named.get('LAST_NAME')].filter((part) => part?.trim());
  const name = fields.name ?? cleaned('name', parts.join(' '));
  const clickId = cleaned('gclid', lead.gcl_id);

  const email = fields.email === undefined ? undefined : normalizeEmail(fields.email);
  const phone = fields.phone === undefined ? undefined : normalizePhone(fields.phone, practice.phoneCountry);
  const invalidPoints = [
    ...(fields.email !== undefined && email === undefined ? (['email'] as const) : []),
    ...(fields.phone !== undefined && phone === undefined ? (['phone'] as const) : []),
  ];

  const campaign = cleaned('campaign', lead.campaign_id);
  const formId = cleaned('source', lead.form_id);
  const submittedAt = cleaned('source', lead.lead_submit_time);

  // The lead form is Google's: with or without a click id it came from a search ad.
  const posted = {
    ...(clickId !== undefined && { gclid: clickId }),
    utm_source: 'google',
    utm_medium: 'cpc',
    ...(campaign !== undefined && { campaign }),
  } as Submission;
  const attribution = attribute(practice, findForm(practice, undefined), posted, undefined);

  const kept = {
    ...(fields as Record<string, string>),
    ...(name !== undefined && { name }),
    ...(clickId !== undefined && { gclid: clickId }),
    ...(campaign !== undefined && { campaign }),
    ...(formId !== undefined && { formId }),
    ...(submittedAt !== undefined && { submittedAt }),
  };
  return {
    incoming: {
      channel: 'ad_form',
      name,
      email,
      phone,
      language: undefined,
      locationId: findLocation(practice, undefined).id,
      serviceId: findService(practice, fields.service)?.id,
      sourceId: attribution.sourceId,
      attributedBy: attribution.by,
      campaign: attribution.campaign,
      fields: kept,
      ...(answers.length > 0 && { answers }),
      invalidPoints,
      quarantine: lead.is_test ? ['test_lead'] : [],
      redFlags: findRedFlags(practice.redFlags, writtenText({ fields: kept, answers })),
    },
    identity: { key: `google-ads ${lead.lead_id}`, content: JSON.stringify(payload) },
  };
}
