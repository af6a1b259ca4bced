/** Routes of messages to people: the templates, what was sent about an inquiry, what a person agreed to. */
import * as z from 'zod';
import { createConsents } from '../../shared/data/consents.ts';
import type { Contacts } from '../../shared/data/contacts.ts';
import type { Inquiries } from '../../shared/data/inquiries.ts';
import { createMailboxes } from '../../shared/data/mailboxes.ts';
import { createMessages } from '../../shared/data/messages.ts';
import type { Table } from '../../shared/data/table.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { type Consent, latestConsents, suppressionReasons } from '../../shared/domain/messages/consent.ts';
import { templatesOf } from '../../shared/domain/messages/sender.ts';
import { limits, line } from '../../shared/domain/text-fields.ts';
import { Problem } from '../../shared/http/problem.ts';
import type { Digest } from '../../shared/secrets/digest.ts';
import { requiredLine } from './fields.ts';
import { liftSuppression } from './lift-suppression.ts';
import { wholeOf } from './read-people.ts';
import {
  type Answer,
  forPeople,
  jsonOf,
  manages,
  pathId,
  type Request,
  type StaffRoutes,
  seesReports,
} from './staff-route.ts';

export interface MessageRoutesDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly contacts: Contacts;
  readonly environment: Environment;
  readonly openDigest: () => Promise<Digest>;
}

// What is answered, so that no stored field shows unless it was meant to.
const messageViewSchema = z.lazy(() =>
  z.object({
    key: z.string(),
    kind: z.string(),
    template: z.string(),
    state: z.string(),
    askedAt: z.string(),
    stateAt: z.string(),
    by: z.string(),
    refused: z.string().optional(),
    recipientId: z.string().optional(),
    class: z.string().optional(),
    purpose: z.string().optional(),
    language: z.string().optional(),
    feedback: z.string().optional(),
    openedAt: z.string().optional(),
  }),
);
const sequenceViewSchema = z.lazy(() =>
  z.object({
    sequence: z.string(),
    state: z.string(),
    startedAt: z.string(),
    by: z.string(),
    /** Steps that are taken. */
    step: z.int(),
    nextAt: z.string().optional(),
    stopped: z.string().optional(),
  }),
);

const liftSchema = z.lazy(() =>
  z.strictObject({
    /** Which of their mailboxes; left out where only one is suppressed. */
    email: line(limits.email),
    /** What it is suppressed for. */
    confirm: z.enum(suppressionReasons, `must be what it is for: ${suppressionReasons.join(' or ')}`),
    reason: requiredLine,
  }),
);

const consentView = ({ version: _version, ...consent }: Consent) => consent;

export function messageRoutes(api: MessageRoutesDependencies): StaffRoutes {
  const { table, inquiries, contacts } = api;
  const messages = createMessages(table);
  const consents = createConsents(table);
  const mailboxes = createMailboxes(table);

  async function ofInquiry({ event }: Request): Promise<Answer> {
    const id = pathId(event, 'inquiry');
    const head = await inquiries.findHead(id);
    if (!head) throw new Problem('not_found', 'There is no such inquiry.');
    const [records, enrolments] = await Promise.all([messages.ofInquiry(id), messages.enrolmentsOf(id)]);
    return {
      body: {
        items: records.map((record) => messageViewSchema.parse({ ...record, template: record.templateId })),
        sequences: enrolments.map((enrolment) => sequenceViewSchema.parse(enrolment)),
      },
      audit: { action: 'read', resource: `inquiry ${id} messages ${head.contactId}` },
    };
  }

  async function consentsOf(id: string): Promise<Answer> {
    const { survivor, family } = await wholeOf(contacts, id, { consistent: true });
    const digests = family.flatMap(({ pointDigests }) => pointDigests).filter(({ kind }) => kind === 'email');
    const [agreed, boxes] = await Promise.all([
      consents.of(family.map(({ id }) => id)),
      Promise.all([...new Set(digests.map(({ digest }) => digest))].map(mailboxes.find)),
    ]);
    return {
      body: {
        contactId: survivor.id,
        consents: [...latestConsents(agreed).values()].map(consentView),
        /** Of each mailbox of theirs, whoever else reads it. */
        mailboxes: boxes.map(({ suppressed, optedOut }) => ({ ...(suppressed && { suppressed }), optedOut })),
      },
      audit: { action: 'read', resource: `contact ${survivor.id} consents` },
    };
  }

  async function lift({ event, caller, audit }: Request): Promise<Answer> {
    const id = pathId(event, 'contact');
    const { email, confirm, reason } = jsonOf(liftSchema, event);
    // The numbering plans come with it, and few ever lift anything.
    const { normalizeEmail } = await import('../../shared/domain/contact-point.ts');
    const address = email === undefined ? undefined : normalizeEmail(email);
    if (email !== undefined && address === undefined) {
      throw new Problem('invalid_fields', 'Correct the fields named in errors.', [
        { field: 'email', reason: 'cannot be an e-mail address' },
      ]);
    }
    const digest = address === undefined ? undefined : (await api.openDigest())('email', address);
    await audit({ action: 'change', resource: `contact ${id} suppression`, reason });
    await liftSuppression(api, id, { digest, confirm, because: reason }, caller.member.id);
    return await consentsOf(id);
  }

  const templates = async ({ practice }: Request): Promise<Answer> => ({
    body: {
      items: templatesOf(practice).map((template) => ({
        ...template,
        builtIn: !practice.messages.templates.some(({ id }) => id === template.id),
      })),
    },
  });

  return {
    'GET /v1/inquiries/{id}/messages': forPeople(ofInquiry),
    'GET /v1/contacts/{id}/consents': forPeople(({ event }) => consentsOf(pathId(event, 'contact'))),
    'POST /v1/contacts/{id}/lift-suppression': { allowed: manages, work: lift },
    // They say nothing of anybody.
    'GET /v1/templates': { allowed: seesReports, work: templates },
  };
}
