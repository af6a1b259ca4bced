/** Messages to people: who sends them, when, and in which words. */
import * as z from 'zod';
import { messagesDefaults } from '../defaults.ts';
import { builtInTemplates } from '../messages/built-in.ts';
import { mistakesOf } from '../messages/liquid.ts';
import { isPromotional, messageClasses, purposes, purposesOf } from '../messages/template.ts';
import { slugSchema } from '../slug.ts';
import { describes } from './description.ts';
import { languageSchema } from './localized.ts';

const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'use 24-hour time such as 20:00');
const oneLine = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\r\n]*$/, 'must be on one line');

const versionSchema = z
  .strictObject({
    subject: oneLine(120).describe(
      'Subject; {{ practiceName }} is all that can be filled in, and no service or condition may be named.',
    ),
    preview: oneLine(150)
      .optional()
      .describe('What mailboxes show beside the subject; under the same rules as the subject.'),
    text: z
      .string()
      .min(1)
      .max(10_000)
      .describe(
        'The text, in Liquid: practiceName, firstName, locationName, phone, hours, opensAt, emergencyLine.',
      ),
    html: z.string().min(1).max(30_000).optional().describe('The same as HTML; left out, made of the text.'),
  })
  .superRefine((version, context) => {
    for (const { part, reason } of mistakesOf(version)) {
      context.addIssue({ code: 'custom', path: [part], message: reason });
    }
  });

const templateSchema = z
  .strictObject({
    id: slugSchema.describe('Your id of the template; that of a built-in one takes its place.'),
    class: z
      .enum(messageClasses)
      .describe(
        'What it is to the law: an answer to what was asked (transactional), about their care, about your own services, or about those of others.',
      ),
    purpose: z
      .enum(purposes)
      .describe('What a person agrees to, or takes back: answers to their inquiry, care, offers, partners.'),
    paid: z
      .strictObject({
        remuneration: oneLine(200).describe("What is paid, in the words of the person's authorisation."),
      })
      .optional()
      .describe('Set where somebody else pays for it: it then needs an authorisation that names this.'),
    versions: z
      .record(languageSchema, versionSchema)
      .refine((versions) => Object.keys(versions).length > 0, 'needs at least one language')
      .describe('By language.'),
  })
  .superRefine(({ class: is, purpose }, context) => {
    if (purposesOf[is].includes(purpose)) return;
    context.addIssue({
      code: 'custom',
      path: ['purpose'],
      message: `must be one of ${purposesOf[is].join(', ')} for the class ${is}`,
    });
  });

export const messagesSchema = z
  .strictObject({
    postalAddress: oneLine(200)
      .optional()
      .register(...describes('Where the practice is reached by post; whatever advertises carries it.')),
    replyTo: z
      .email()
      .optional()
      .register(...describes('Where answers to e-mails go; left out, nobody reads them.')),
    phone: oneLine(40)
      .optional()
      .register(...describes('The number that messages name, as people read it.')),
    sendPerSecond: z
      .number()
      .positive()
      .max(1_000)
      .default(messagesDefaults.sendPerSecond)
      .register(
        ...describes('E-mails a second that SES takes from the account; messages to people stay under it.'),
      ),
    quietHours: z
      .strictObject({
        from: clockTime.describe('From then on nobody is written to, but in answer.'),
        to: clockTime.describe('Until then.'),
      })
      .refine(({ from, to }) => from !== to, { path: ['to'], message: 'must not be the same as from' })
      .default(messagesDefaults.quietHours)
      .register(...describes('In the zone of the person, else of the location they wrote to.')),
    trackOpenings: z
      .boolean()
      .default(messagesDefaults.trackOpenings)
      .register(
        ...describes(
          'Shows whether a message was opened, of those who agreed to it; answers never. The form then asks.',
        ),
      ),
    acknowledgement: z
      .strictObject({
        open: slugSchema.describe('The template while the location is open: acknowledgement-open, say.'),
        closed: slugSchema.describe('The template while it is closed: after-hours, say.'),
      })
      .optional()
      .register(
        ...describes(
          'Answers whoever wrote and agreed to be e-mailed, at once; left out, nobody is answered.',
        ),
      ),
    templates: z
      .array(templateSchema)
      .max(100)
      .default(messagesDefaults.templates)
      .register(...describes('Templates of your own, beside the built-in ones.')),
  })
  .superRefine(({ templates, acknowledgement, postalAddress }, context) => {
    const issue = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    const all = new Map([...builtInTemplates, ...templates].map((template) => [template.id, template]));
    for (const when of ['open', 'closed'] as const) {
      const id = acknowledgement?.[when];
      const template = id === undefined ? undefined : all.get(id);
      if (id !== undefined && !template) issue(['acknowledgement', when], `no template has the id ${id}`);
      else if (template && template.class !== 'transactional')
        issue(['acknowledgement', when], `${id} is ${template.class}: an answer is transactional`);
    }
    const seen = new Set<string>();
    templates.forEach((template, i) => {
      if (seen.has(template.id)) issue(['templates', i, 'id'], `${template.id} is there twice`);
      seen.add(template.id);
      if (isPromotional(template) && postalAddress === undefined)
        issue(['templates', i, 'class'], 'whatever advertises needs a postalAddress of the practice');
    });
  });
