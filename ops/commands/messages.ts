/** `messages`: the templates of messages to people, and each as somebody would get it. */
import { parseArgs } from 'node:util';
import { createInquiries } from '../../shared/data/inquiries.ts';
import type { Table } from '../../shared/data/table.ts';
import { idSchema } from '../../shared/domain/ids.ts';
import { compose } from '../../shared/domain/messages/compose.ts';
import { formConsentTexts } from '../../shared/domain/messages/consent.ts';
import { lawful } from '../../shared/domain/messages/lawful.ts';
import { findTemplate, senderOf, templatesOf } from '../../shared/domain/messages/sender.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { openPractice } from '../files.ts';
import { onPractice } from '../system.ts';
import { layOut, Refusal } from '../terminal.ts';

const at = new Date('2026-01-01T00:00:00Z').toISOString();

function list(practice: Practice): void {
  const rows = templatesOf(practice).map(({ id, class: is, purpose, versions }) => [
    id,
    is,
    purpose,
    Object.keys(versions).join(', '),
  ]);
  console.log(layOut(['template', 'class', 'purpose', 'languages'], rows));
}

/** Shows a template as somebody who agreed to everything would get it now, at noon. */
function preview(practice: Practice, id: string, language: string, asHtml: boolean): void {
  const template = findTemplate(practice, id);
  if (!template) throw new Refusal(`There is no template ${id}. See: npm run practice -- messages`);
  const now = new Date();
  const sender = senderOf(practice, practice.locations[0]?.id ?? '', now);
  const decision = lawful(template, {
    recipient: {
      contactId: 'con_example',
      email: 'maria@example.com',
      firstName: 'Maria',
      languages: [language],
      timeZone: 'UTC',
      isMinor: false,
    },
    consents: [
      {
        purpose: template.purpose,
        given: true,
        at,
        source: 'form',
        textVersion: formConsentTexts.inquiry,
        version: 1,
        authorisation: {
          signedAt: at,
          expiresAt: '2999-01-01T00:00:00.000Z',
          remuneration: template.paid?.remuneration ?? 'none',
        },
      },
    ],
    mailbox: { version: 0, optedOut: {}, sentThatDay: 0 },
    inquiry: { quarantined: false },
    // Whatever the hour is: this only shows it.
    sender: { ...sender, quietHours: { from: '00:00', to: '00:01' } },
    now: new Date(Math.max(now.getTime(), Date.parse(at)) - (now.getTime() % 86_400_000) + 12 * 3_600_000),
  });
  if (!('sendable' in decision)) {
    const why = 'refused' in decision ? decision.refused : 'not at this hour';
    throw new Refusal(`${id} could not be sent to anybody: ${why}.`);
  }
  const link = 'https://example.com/v1/unsubscribe/example';
  const { subject, preview: line, text, html } = compose(decision.sendable, () => link);
  console.log(asHtml ? html : `Subject: ${subject}\nPreview: ${line}\n\n${text}`);
}

/** The language that an inquiry asked for; nothing else of it is read. @throws Refusal */
async function languageOf(table: Table, inquiryId: string): Promise<string> {
  const found = idSchema('inquiry').safeParse(inquiryId).success
    ? await createInquiries(table).find(inquiryId)
    : undefined;
  if (!found?.body) throw new Refusal(`There is no inquiry ${inquiryId}.`);
  const { language } = found.body.fields;
  return typeof language === 'string' ? language : 'en';
}

export async function messages(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      practice: { type: 'string' },
      language: { type: 'string', default: 'en' },
      inquiry: { type: 'string' },
      html: { type: 'boolean', default: false },
    },
  });
  const [id] = positionals;
  const { practice: file, inquiry, html } = values;
  const show = (practice: Practice, language: string): void =>
    id === undefined ? list(practice) : preview(practice, id, language, html);
  if (file !== undefined && inquiry !== undefined)
    throw new Refusal('Give either --practice, or --inquiry of the practice in force.');
  if (file !== undefined) return show(openPractice(file).practice, values.language);
  await onPractice(async (table, practice) =>
    show(practice, inquiry === undefined ? values.language : await languageOf(table, inquiry)),
  );
}
