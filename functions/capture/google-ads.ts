/**
 * Google Ads lead forms, as their webhook documentation describes them: JSON,
 * a shared key in the body, the lead's id, and the answers by column.
 */
import * as z from 'zod';
import { attribute, findForm } from '../../shared/domain/attribution.ts';
import { normalizeEmail, normalizePhone } from '../../shared/domain/contact-point.ts';
import { findLocation, findService, type Practice } from '../../shared/domain/practice.ts';
import { limits, type Submission, submissionSchema } from '../../shared/domain/submission.ts';
import { checkFields } from '../../shared/http/body.ts';
import { Problem } from '../../shared/http/problem.ts';
import { equalsInConstantTime } from '../../shared/secrets/digest.ts';
import type { IncomingInquiry, RequestIdentity } from './capture-inquiry.ts';

const column = z.object({
  column_id: z.string('must be text').max(200, 'is longer than 200 characters'),
  column_name: z.string('must be text').max(500, 'is longer than 500 characters').optional(),
  string_value: z
    .string('must be text')
    .max(limits.message, `is longer than ${limits.message} characters`)
    .default(''),
});

/** Ids come as numbers or as text. */
const idLike = z.union([z.string(), z.number()], 'must be text or a number').transform(String).optional();

/** Unknown fields are ignored, as the publisher asks: it adds some now and then. */
const leadSchema = z.object({
  lead_id: z.string('must be text').min(1, 'must not be empty').max(limits.clickId, 'is too long'),
  user_column_data: z.array(column, 'must be a list').max(100, 'has more than 100 entries'),
  campaign_id: idLike,
  form_id: idLike,
  gcl_id: idLike,
  lead_submit_time: z.string('must be text').optional(),
  is_test: z.boolean('must be true or false').default(false),
});

const keySchema = z.object({ google_key: z.string().min(1) });

/** Columns that Google defines and a field of ours stands for. */
const knownColumns: Readonly<Record<string, keyof Submission>> = {
  FULL_NAME: 'name',
  EMAIL: 'email',
  WORK_EMAIL: 'email',
  PHONE_NUMBER: 'phone',
  WORK_PHONE: 'phone',
  SERVICE: 'service',
  PREFERRED_CONTACT_TIME: 'preferredTime',
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

/** One value, cleaned as a form's would be; where that is impossible it is left out, not refused. */
function cleaned(field: keyof Submission, text: string): string | undefined {
  const parsed = submissionSchema.safeParse({ [field]: text.replace(/[\r\n\t]+/g, ' ') });
  const value = parsed.success ? parsed.data[field] : undefined;
  return typeof value === 'string' ? value : undefined;
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

  for (const { column_id: id, column_name: question, string_value: answer } of lead.user_column_data) {
    if (id === 'FIRST_NAME' || id === 'LAST_NAME') continue;
    const field = knownColumns[id];
    // A practice's own question has an id of its own: what it asks for shows in its answer.
    const meant =
      field ?? (findService(practice, answer) && fields.service === undefined ? 'service' : undefined);
    const value = meant && cleaned(meant, answer);
    if (meant !== undefined && value !== undefined && fields[meant] === undefined) fields[meant] = value;
    else if (answer.trim() !== '') {
      answers.push({
        question: cleaned('message', question ?? id) ?? id,
        answer: cleaned('message', answer) ?? '',
      });
    }
  }
  const parts = [named.get('FIRST_NAME'), named.get('LAST_NAME')].filter((part) => part?.trim());
  const name = fields.name ?? cleaned('name', parts.join(' '));
  const clickId = lead.gcl_id === undefined ? undefined : cleaned('gclid', lead.gcl_id);

  const email = fields.email === undefined ? undefined : normalizeEmail(fields.email);
  const phone = fields.phone === undefined ? undefined : normalizePhone(fields.phone, practice.phoneCountry);
  const invalidPoints = [
    ...(fields.email !== undefined && email === undefined ? (['email'] as const) : []),
    ...(fields.phone !== undefined && phone === undefined ? (['phone'] as const) : []),
  ];

  // Short texts all: what is longer than a field may be is none of Google's, and left out.
  const [campaign, formId, submittedAt] = [lead.campaign_id, lead.form_id, lead.lead_submit_time].map(
    (text) => (text === undefined ? undefined : cleaned('campaign', text)),
  );

  // The lead form is Google's: with or without a click id it came from a search ad.
  const posted = {
    ...(clickId !== undefined && { gclid: clickId }),
    utm_source: 'google',
    utm_medium: 'cpc',
    ...(campaign !== undefined && { campaign }),
  } as Submission;
  const attribution = attribute(practice, findForm(practice, undefined), posted, undefined);

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
      fields: {
        ...(fields as Record<string, string>),
        ...(name !== undefined && { name }),
        ...(clickId !== undefined && { gclid: clickId }),
        ...(formId !== undefined && { formId }),
        ...(submittedAt !== undefined && { submittedAt }),
      },
      ...(answers.length > 0 && { answers }),
      invalidPoints,
      quarantine: lead.is_test ? ['test_lead'] : [],
    },
    identity: { key: `google-ads ${lead.lead_id}`, content: JSON.stringify(payload) },
  };
}
