/** The route by which staff record what they did with a person. */
import * as z from 'zod';
import { idSchema } from '../../shared/domain/ids.ts';
import { consentPurposes } from '../../shared/domain/messages/template.ts';
import { dispositions } from '../../shared/domain/rules/facts.ts';
import { slugSchema } from '../../shared/domain/slug.ts';
import { correctCall } from './correct-call.ts';
import {
  checkReferences,
  instant,
  optionalLine,
  optionalText,
  requiredLine,
  requiredText,
} from './fields.ts';
import { type RecordDependencies, recordEntry, stateOf } from './record-entry.ts';
import { identityOf } from './repetition.ts';
import { type Answer, forPeople, jsonOf, pathId, type Request, type StaffRoutes } from './staff-route.ts';
import { timelineItem } from './views.ts';
import type { WantedEntry } from './wanted-entry.ts';

const choice = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, `must be one of ${values.join(', ')}`);
const inquiryId = idSchema('inquiry').optional();
const at = instant.optional();

const entrySchema = z.lazy(() =>
  z.discriminatedUnion(
    'kind',
    [
      z.strictObject({
        kind: z.literal('call'),
        disposition: choice(dispositions),
        inquiryId,
        note: optionalText,
        at,
      }),
      z.strictObject({ kind: z.literal('note'), text: requiredText, at }),
      z.strictObject({
        kind: z.literal('email'),
        direction: choice(['sent', 'received']),
        subject: optionalLine,
        text: optionalText,
        inquiryId,
        at,
      }),
      z.strictObject({
        kind: z.literal('appointment'),
        /** When the person is to come, or was; the entry itself stands at the time of its recording. */
        at: instant,
        location: slugSchema.optional(),
        service: slugSchema.optional(),
        status: choice(['booked', 'kept', 'missed', 'cancelled']),
      }),
      z.strictObject({
        kind: z.literal('consent'),
        channel: choice(['email', 'phone', 'text']),
        class: slugSchema.optional(),
        given: z.boolean('must be true or false'),
        source: requiredLine,
        /** Left out, what is given is about their inquiry, and all is taken back. */
        purpose: choice(consentPurposes).optional(),
        textVersion: slugSchema.optional(),
        authorisation: z
          .strictObject({ signedAt: instant, expiresAt: instant, remuneration: requiredLine })
          .optional(),
        at,
      }),
    ],
    'must be one of call, note, email, appointment, consent',
  ),
);

const correctionSchema = z.lazy(() =>
  z.strictObject({ disposition: choice(dispositions), note: optionalText }),
);

/** Without what was not given. */
const given = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;

function wantedOf(sent: z.output<typeof entrySchema>): WantedEntry {
  if (sent.kind === 'appointment') {
    const { kind, ...details } = sent;
    return { kind, details: given(details) };
  }
  if (sent.kind === 'call' || sent.kind === 'email') {
    const { kind, at: when, inquiryId: about, ...details } = sent;
    return { kind, at: when, inquiryId: about, details: given(details) } as WantedEntry;
  }
  const { kind, at: when, ...details } = sent;
  return { kind, at: when, details: given(details) } as WantedEntry;
}

export function entryRoutes(api: RecordDependencies): StaffRoutes {
  async function record(request: Request): Promise<Answer> {
    const { event, caller, practice, audit } = request;
    const id = pathId(event, 'contact');
    const sent = jsonOf(entrySchema, event);
    if (sent.kind === 'appointment') {
      checkReferences(practice, [
        ['location', 'locations', sent.location],
        ['service', 'services', sent.service],
      ]);
    }
    const identity = identityOf(request, sent);
    await audit({ action: 'change', resource: `contact ${id} ${sent.kind}` });
    const { entry, inquiry } = await recordEntry(
      api,
      id,
      wantedOf(sent),
      { memberId: caller.member.id, practice },
      identity,
    );
    return { status: 201, body: { entry: timelineItem(entry), ...(inquiry && { inquiry }) } };
  }

  async function correct({ event, caller, practice, audit }: Request): Promise<Answer> {
    const [id, entryId] = [pathId(event, 'contact'), pathId(event, 'entry', 'entryId')];
    const wanted = jsonOf(correctionSchema, event);
    await audit({ action: 'change', resource: `contact ${id} call ${entryId}` });
    const by = { memberId: caller.member.id, practice };
    const { entry, inquiry } = await correctCall(api, id, entryId, wanted, by);
    return { body: { entry: timelineItem(entry), ...(inquiry && { inquiry: stateOf(inquiry) }) } };
  }

  return {
    'POST /v1/contacts/{id}/entries': forPeople(record),
    'POST /v1/contacts/{id}/entries/{entryId}/correction': forPeople(correct),
  };
}
