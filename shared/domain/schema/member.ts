/** Who works at the practice. */
import * as z from 'zod';
import { memberDefaults } from '../defaults.ts';
import { slugSchema } from '../slug.ts';
import { weekdays } from '../weekdays.ts';
import { describes } from './description.ts';
import { dayBlocksSchema, timeZoneSchema } from './location.ts';
import { idOf, nameSchema } from './names.ts';

/** What a member may do in the API; a provider is a routing target who seldom signs in. */
const roles = ['coordinator', 'provider', 'manager', 'marketer', 'admin'] as const;

const leaveTime = (what: string) =>
  z
    .string()
    .regex(
      /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:T(?:[01]\d|2[0-3]):[0-5]\d)?$/,
      'use a date such as 2026-12-24, or with a time: 2026-12-24T12:00',
    )
    .describe(what);

const leaveSchema = z
  .strictObject({
    from: leaveTime('The first day, or the minute at which it begins; in the zone of the member.'),
    to: leaveTime('The last day, which is part of it, or the minute at which it ends.'),
  })
  // A date stands for its whole day, and so ends after every minute of it.
  .refine(({ from, to }) => from < (to.length > 10 ? to : `${to}~`), {
    path: ['to'],
    message: 'must be later than from',
  });

const insurancesSchema = z.array(z.string().min(1).max(100)).max(100);
const cap = () => z.int().min(1).max(10_000);
const age = () => z.int().min(0).max(120);

const providerSchema = z.strictObject({
  specialties: z
    .array(slugSchema)
    .min(1)
    .max(100)
    .register(...describes('Services that they provide, by id.')),
  insurances: insurancesSchema
    .optional()
    .describe('Plans that they take, in the words that people use; left out, all.'),
  ages: z
    .strictObject({
      from: age().optional().describe('The youngest, in years.'),
      to: age().optional().describe('The oldest, in years.'),
    })
    .refine(({ from = 0, to = 120 }) => from <= to, { path: ['to'], message: 'must not be less than from' })
    .optional()
    .register(...describes('Of whom they take; left out, everybody.')),
  openPanel: z
    .boolean()
    .optional()
    .register(...describes('false where they take no new patients.')),
});

export const memberSchema = z.strictObject({
  id: idOf('member'),
  name: nameSchema,
  email: z
    .email('use an e-mail address such as ana@example.com')
    .max(254)
    .register(...describes('Where mail about inquiries goes; it never holds anything about a patient.')),
  role: z
    .enum(roles)
    .register(...describes('What the member may do. A provider is a routing target who seldom signs in.')),
  signIn: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .register(...describes('User name at the sign-in service; the id where it is left out.')),
  enabled: z
    .boolean()
    .default(memberDefaults.enabled)
    .register(
      ...describes('false for somebody away for long, or gone: they keep their history and get nothing new.'),
    ),
  timeZone: timeZoneSchema
    .optional()
    .describe('The zone of shifts and leave; left out, that of the first location that they serve.'),
  shifts: z
    .partialRecord(z.enum(weekdays), dayBlocksSchema)
    .optional()
    .register(
      ...describes(
        'When they can be given inquiries: a day may have several blocks, a day left out has none. Left out, always.',
      ),
    ),
  leave: z
    .array(leaveSchema)
    .max(100)
    .optional()
    .register(...describes('Time away, whole days or parts of them.')),
  caps: z
    .strictObject({
      open: cap().optional().describe('The most open inquiries that routing lets them have.'),
      perDay: cap().optional().describe('The most that routing gives them in a day of theirs.'),
    })
    .optional()
    .register(...describes('How much work routing gives them; left out, without a limit.')),
  languages: z
    .array(z.string().regex(/^[a-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/, 'use a language tag such as es'))
    .min(1)
    .max(30)
    .optional()
    .register(...describes('Languages that they speak, as tags; left out, whatever is asked for.')),
  insurances: insurancesSchema
    .optional()
    .describe('Plans with which they deal, in the words that people use; left out, all.'),
  locations: z
    .array(slugSchema)
    .min(1)
    .max(100)
    .optional()
    .register(...describes('Locations that they serve, by id; left out, all.')),
  specialties: z
    .array(slugSchema)
    .max(100)
    .optional()
    .register(
      ...describes('Services that they know best, by id: for rules and pools that ask for a specialty.'),
    ),
  provider: providerSchema
    .optional()
    .register(...describes('Whom they treat, where they are recommended beside the coordinator.')),
});
export type Member = z.infer<typeof memberSchema>;
