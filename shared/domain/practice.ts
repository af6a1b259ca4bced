/**
 * The practice as its manager configures it: places, people, services, lead
 * sources and pools. One file describes all of it; each entity is stored on its
 * own, with a version, an author and a time.
 *
 * The descriptions reach whoever edits such a file: the editor's schema is made from them.
 */
import * as z from 'zod';
import { channels } from './channels.ts';
import { urgencySchema } from './clinical-urgency.ts';
import { describes } from './description.ts';
import { commonRedFlags, redFlagsSchema } from './red-flags.ts';
import { rulesSchema } from './rules/rule.ts';
import { slugSchema } from './slug.ts';
import { weekdays } from './weekdays.ts';
import { foldWording } from './wording.ts';

const clockTimeSchema = z
  .string()
  .regex(
    /^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/,
    'use 24-hour time such as 08:00 (24:00 is the end of the day)',
  );

const openBlockSchema = z
  .strictObject({
    open: clockTimeSchema.describe('When the block begins, in 24-hour time of the location.'),
    close: clockTimeSchema.describe('When the block ends; 24:00 is the end of the day.'),
  })
  .refine((block) => block.open < block.close, { path: ['close'], message: 'must be later than open' });

const dayBlocksSchema = z
  .array(openBlockSchema)
  .refine((blocks) => blocks.every((block, i) => i === 0 || (blocks[i - 1]?.close ?? '') <= block.open), {
    message: 'blocks of one day must be in order and must not overlap',
  });

export const businessHoursSchema = z
  .partialRecord(z.enum(weekdays), dayBlocksSchema)
  .refine((hours) => Object.values(hours).some((blocks) => blocks.length > 0), {
    message: 'must be open at least once a week',
  });
export type BusinessHours = z.infer<typeof businessHoursSchema>;

const timeZoneSchema = z.string().refine(
  (zone) => {
    try {
      new Intl.DateTimeFormat('en-US', { timeZone: zone });
      return zone.includes('/') || zone === 'UTC';
    } catch {
      return false;
    }
  },
  { message: 'use an IANA time zone such as America/Los_Angeles' },
);

const idOf = (what: string) =>
  slugSchema.describe(
    `Your id of the ${what}: lower-case letters, digits and single hyphens. Keep it; inquiries carry it.`,
  );
const nameSchema = z
  .string()
  .min(1)
  .max(100)
  .register(...describes('As people read it; may change at any time.'));

export const locationSchema = z.strictObject({
  id: idOf('location'),
  name: nameSchema,
  timeZone: timeZoneSchema.describe('IANA time zone in which its hours are meant, America/Los_Angeles say.'),
  hours: businessHoursSchema.describe(
    'Opening hours. A day may have several blocks, for a lunch break say; a day left out is closed.',
  ),
});
export type Location = z.infer<typeof locationSchema>;

/** What a member may do in the API; a provider is a routing target who seldom signs in. */
const roles = ['coordinator', 'provider', 'manager', 'marketer', 'admin'] as const;

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
    .default(true)
    .register(
      ...describes('false for somebody away for long, or gone: they keep their history and get nothing new.'),
    ),
});
export type Member = z.infer<typeof memberSchema>;

export const serviceSchema = z.strictObject({
  id: idOf('service'),
  name: nameSchema,
  aliases: z
    .array(z.string().min(1).max(200))
    .default([])
    .register(
      ...describes('Other words for it, as forms and ads write them; compared without case and accents.'),
    ),
  valueCents: z
    .int()
    .min(0)
    .max(100_000_000)
    .register(
      ...describes('Expected first-year collections of one new patient, in US cents: 45000 is $450.'),
    ),
});
export type Service = z.infer<typeof serviceSchema>;

export const sourceSchema = z.strictObject({
  id: idOf('lead source'),
  name: nameSchema,
  quality: z
    .int()
    .min(0)
    .max(100)
    .register(
      ...describes("How good leads from here have been: points of the score, at most the model's cap (40)."),
    ),
  match: z
    .strictObject({
      clickIds: z
        .array(z.enum(['gclid', 'gbraid', 'wbraid', 'msclkid', 'fbclid']))
        .default([])
        .register(...describes('Names of click ids whose presence means this source.')),
      utm: z
        .array(
          z.strictObject({
            source: z
              .string()
              .min(1)
              .max(100)
              .optional()
              .register(...describes('utm_source, where it counts.')),
            medium: z
              .string()
              .min(1)
              .max(100)
              .optional()
              .register(...describes('utm_medium, where it counts.')),
          }),
        )
        .default([])
        .register(...describes('Pairs of utm_source and utm_medium; what is left out may be anything.')),
      referrers: z
        .array(z.string().min(1).max(253))
        .default([])
        .register(...describes('Host names of referring sites; a host also stands for its subdomains.')),
    })
    .optional()
    .register(...describes('What in a request points at this source; the first source that matches wins.')),
});
export type Source = z.infer<typeof sourceSchema>;

export const formSchema = z.strictObject({
  id: idOf('form'),
  source: slugSchema.describe('The source where neither click id, utm nor referrer says better.'),
  origins: z
    .array(z.string().max(300))
    .default([])
    .register(...describes("Origins whose posts are this form's; a form without any takes all the others.")),
  maySetSource: z
    .boolean()
    .default(false)
    .register(
      ...describes('Whether this form may name its source in a `source` field. Let no public form do so.'),
    ),
  channel: z
    .enum(channels)
    .default('web_form')
    .register(
      ...describes('How inquiries come through it; one that the front desk fills in is a phone call, say.'),
    ),
  maySetChannel: z
    .boolean()
    .default(false)
    .register(
      ...describes('Whether this form may name the channel in a `channel` field. Let no public form do so.'),
    ),
});
export type Form = z.infer<typeof formSchema>;

export const poolSchema = z.strictObject({
  id: idOf('pool'),
  name: nameSchema,
  services: z
    .array(slugSchema)
    .default([])
    .register(...describes('Services whose inquiries come here; a service goes to one pool.')),
  fallback: z
    .boolean()
    .default(false)
    .register(
      ...describes('Takes what no other pool names, and what names no known service; exactly one pool does.'),
    ),
  members: z
    .array(
      z.strictObject({
        id: slugSchema.describe("The member's id."),
        weight: z
          .int()
          .min(1)
          .max(100)
          .default(1)
          .register(...describes('The share of turns: 2 gets twice as many as 1.')),
      }),
    )
    .min(1, 'a pool needs at least one member')
    .max(200)
    .register(...describes('Who takes turns.')),
});
export type Pool = z.infer<typeof poolSchema>;

/** Minutes of opening time, a week at the most. */
const minutesSchema = z.int().min(1).max(10_080);

const pointsSchema = z.int().min(0).max(100);

/** Points of each fact that makes a person reachable and the call short. */
const completenessSchema = z.strictObject({
  phone: pointsSchema.default(8).register(...describes('Points for a phone number that can be called.')),
  email: pointsSchema.default(4).register(...describes('Points for an e-mail address.')),
  name: pointsSchema.default(2).register(...describes('Points for a name.')),
  service: pointsSchema.default(2).register(...describes('Points for a known service.')),
  insurance: pointsSchema
    .default(2)
    .register(...describes('Points for an insurance, or for paying oneself.')),
  preferredTime: pointsSchema.default(2).register(...describes('Points for a preferred time.')),
});

export const scoringModelSchema = z
  .strictObject({
    version: z
      .string()
      .min(1)
      .max(20)
      .register(...describes('Names the model in every score it made; change it with the numbers.')),
    tiers: z
      .strictObject({
        A: z
          .int()
          .min(1)
          .max(100)
          .register(...describes('Lowest total of tier A.')),
        B: z
          .int()
          .min(1)
          .max(100)
          .register(...describes('Lowest total of tier B; everything below is C.')),
      })
      .refine((tiers) => tiers.B < tiers.A, { path: ['B'], message: 'must be lower than A' })
      .register(
        ...describes("Cut-offs. `npm run practice -- tiers` suggests some from the practice's own scores."),
      ),
    valueAnchorsCents: z
      .strictObject({
        low: z
          .int()
          .min(1)
          .register(...describes('At or below it a service is worth no points; in US cents.')),
        high: z
          .int()
          .min(2)
          .register(...describes('At or above it a service is worth all points; in US cents.')),
      })
      .refine((anchors) => anchors.low < anchors.high, {
        path: ['high'],
        message: 'must be higher than low',
      })
      .register(...describes('Anchors of the log scale on which the value of a service becomes points.')),
    caps: z
      .strictObject({
        source: pointsSchema.describe("Most points of a lead source's quality."),
        value: pointsSchema.describe("Most points of a service's value."),
      })
      .default({ source: 40, value: 40 })
      .register(...describes('With the points of completeness, they sum to 100.')),
    completeness: completenessSchema
      .default({ phone: 8, email: 4, name: 2, service: 2, insurance: 2, preferredTime: 2 })
      .register(...describes('Points of each fact that makes a person reachable and the call short.')),
    respondWithinMinutes: z
      .strictObject({
        A: minutesSchema.describe('Tier A.'),
        B: minutesSchema.describe('Tier B.'),
        C: minutesSchema.describe('Tier C.'),
      })
      .register(...describes('Minutes of opening time to the first call, by tier.')),
    channelMinutes: z
      .partialRecord(z.enum(channels), minutesSchema)
      .default({ missed_call: 5, chat: 5, ad_form: 5, referral: 60 })
      .register(
        ...describes('Channels with a clock of their own, whatever the tier; minutes of opening time.'),
      ),
  })
  .refine(
    ({ caps, completeness }) =>
      caps.source + caps.value + Object.values(completeness).reduce((sum, points) => sum + points, 0) === 100,
    { path: ['caps'], message: 'the caps and the points of completeness must sum to 100' },
  );
export type ScoringModel = z.infer<typeof scoringModelSchema>;

/** The published model, in force where a practice file names none. */
export const publishedScoringModel: ScoringModel = scoringModelSchema.parse({
  version: '2026-1',
  tiers: { A: 70, B: 40 },
  valueAnchorsCents: { low: 15_000, high: 1_000_000 },
  respondWithinMinutes: { A: 5, B: 60, C: 240 },
});

/** The parts of a practice, each with what can be told by itself; `practiceSchema` adds what only the whole can. */
export const practiceParts = {
  name: nameSchema,
  phoneCountry: z
    .string()
    .regex(/^[A-Z]{2}$/, 'use a two-letter country code such as US')
    .default('US')
    .register(...describes('Country whose numbering plan reads phone numbers without a country code.')),
  emergencyLine: z
    .string()
    .min(1)
    .max(300)
    .default('If this is an emergency, call 911 now. Do not use this form.')
    .register(...describes('Line shown on every form and reply to somebody in an emergency.')),
  locations: z
    .array(locationSchema)
    .min(1)
    .register(...describes('Where patients come to; an inquiry that names none belongs to the first.')),
  services: z
    .array(serviceSchema)
    .min(1)
    .register(...describes('What patients ask for.')),
  sources: z
    .array(sourceSchema)
    .min(1)
    .register(...describes('Where inquiries come from, in the order of matching.')),
  forms: z
    .array(formSchema)
    .min(1)
    .register(...describes('The forms that post inquiries, told apart by the origin they post from.')),
  members: z
    .array(memberSchema)
    .min(1)
    .register(...describes('Who works here.')),
  pools: z
    .array(poolSchema)
    .min(1)
    .register(...describes('Who takes what: inquiries rotate among the members of a pool.')),
  scoring: scoringModelSchema
    .default(publishedScoringModel)
    .register(
      ...describes('How a score is made, and how soon each tier is called; left out, the published model.'),
    ),
  urgency: urgencySchema
    .default({ respondWithinMinutes: { same_day: 15, soon: 60 }, criteria: [] })
    .register(...describes('Clinical urgency: sets clock and pool beside the score, and never the score.')),
  redFlags: redFlagsSchema
    .default(commonRedFlags)
    .register(
      ...describes('Words that suggest an emergency: a human is alerted at once. Left out, a common list.'),
    ),
  rules: rulesSchema
    .default([])
    .register(...describes('Triage rules, in the order in which they are looked at.')),
} as const;

type Issue = (path: (string | number)[], message: string) => void;

function refuseRepeats(list: readonly { id: string }[], name: string, issue: Issue): void {
  const seen = new Set<string>();
  list.forEach((entity, i) => {
    if (seen.has(entity.id)) issue([name, i, 'id'], `${entity.id} is there twice`);
    seen.add(entity.id);
  });
}

/**
 * A whole practice. Beyond each field it checks what only the whole can tell:
 * ids are unique, every reference leads somewhere, each service has one pool,
 * and exactly one pool takes what no other does.
 */
export const practiceSchema = z.strictObject(practiceParts).superRefine((practice, context) => {
  const issue: Issue = (path, message) => context.addIssue({ code: 'custom', path, message });
  for (const name of ['locations', 'services', 'sources', 'forms', 'members', 'pools'] as const) {
    refuseRepeats(practice[name], name, issue);
  }
  const services = new Set(practice.services.map((service) => service.id));
  const sources = new Set(practice.sources.map((source) => source.id));
  const members = new Set(practice.members.map((member) => member.id));

  const wordings = new Map<string, string>();
  practice.services.forEach((service, i) => {
    for (const [j, wording] of [service.id, service.name, ...service.aliases].entries()) {
      const key = foldWording(wording);
      const other = wordings.get(key);
      if (other !== undefined && other !== service.id) {
        const path = j < 2 ? ['services', i, j === 0 ? 'id' : 'name'] : ['services', i, 'aliases', j - 2];
        issue(path, `"${wording}" already stands for ${other}`);
      }
      wordings.set(key, service.id);
    }
  });

  const places = new Map<string, string>();
  practice.locations.forEach(({ id, name }, i) => {
    for (const [key, wording] of Object.entries({ id, name })) {
      const other = places.get(foldWording(wording));
      if (other !== undefined && other !== id)
        issue(['locations', i, key], `"${wording}" already stands for ${other}`);
      places.set(foldWording(wording), id);
    }
  });

  practice.forms.forEach((form, i) => {
    if (!sources.has(form.source)) issue(['forms', i, 'source'], `no source has the id ${form.source}`);
  });
  if (!practice.forms.some((form) => form.origins.length === 0)) {
    issue(['forms'], 'one form must have no origins, to take what no other form does');
  }

  const poolOfService = new Map<string, string>();
  practice.pools.forEach((pool, i) => {
    pool.services.forEach((service, j) => {
      const other = poolOfService.get(service);
      if (!services.has(service)) issue(['pools', i, 'services', j], `no service has the id ${service}`);
      else if (other !== undefined) issue(['pools', i, 'services', j], `${service} already goes to ${other}`);
      poolOfService.set(service, pool.id);
    });
    refuseRepeats(pool.members, `pools.${i}.members`, (_, message) =>
      issue(['pools', i, 'members'], message),
    );
    pool.members.forEach((member, j) => {
      if (!members.has(member.id))
        issue(['pools', i, 'members', j, 'id'], `no member has the id ${member.id}`);
    });
  });
  practice.sources.forEach((source, i) => {
    const most = practice.scoring.caps.source;
    if (source.quality > most)
      issue(['sources', i, 'quality'], `must be at most ${most}, the cap of sources`);
  });

  refuseRepeats(practice.urgency.criteria, 'urgency.criteria', (_, message) =>
    issue(['urgency', 'criteria'], message),
  );
  practice.urgency.criteria.forEach((criterion, i) => {
    criterion.services.forEach((service, j) => {
      if (!services.has(service))
        issue(['urgency', 'criteria', i, 'services', j], `no service has the id ${service}`);
    });
    if (criterion.pool !== undefined && !practice.pools.some(({ id }) => id === criterion.pool))
      issue(['urgency', 'criteria', i, 'pool'], `no pool has the id ${criterion.pool}`);
  });
  refuseRepeats(practice.redFlags.flags, 'redFlags.flags', (_, message) =>
    issue(['redFlags', 'flags'], message),
  );
  practice.redFlags.onDuty.forEach((member, i) => {
    if (!members.has(member)) issue(['redFlags', 'onDuty', i], `no member has the id ${member}`);
  });

  const fallbacks = practice.pools.filter((pool) => pool.fallback).length;
  if (fallbacks !== 1) issue(['pools'], `exactly one pool must be the fallback; ${fallbacks} are`);
});
/** A validated practice, defaults filled in. */
export type Practice = z.infer<typeof practiceSchema> & {
  /** Number of the published rules, where it was read from the table and any were ever published. */
  readonly rulesVersion?: number;
};

/** The service that a posted wording means: by id, name or alias; undefined where none fits. */
export function findService(practice: Practice, wording: string | undefined): Service | undefined {
  if (wording === undefined) return undefined;
  const wanted = foldWording(wording);
  if (wanted === '') return undefined;
  return practice.services.find((service) =>
    [service.id, service.name, ...service.aliases].some((name) => foldWording(name) === wanted),
  );
}

/** The location of an id, else the one that a posted wording means, or the practice's first. */
export function findLocation(practice: Practice, wording: string | undefined): Location {
  const wanted = foldWording(wording ?? '');
  const ofId = practice.locations.find(({ id }) => id === wording);
  const found = practice.locations.find((location) =>
    [location.id, location.name].some((name) => foldWording(name) === wanted),
  );
  const location = ofId ?? found ?? practice.locations[0];
  if (location === undefined) throw new Error('a practice has at least one location');
  return location;
}

/** The pool of a service, or the fallback pool. */
export function findPool(practice: Practice, serviceId: string | undefined): Pool {
  const own = serviceId && practice.pools.find((pool) => pool.services.includes(serviceId));
  const pool = own || practice.pools.find((candidate) => candidate.fallback);
  if (pool === undefined) throw new Error('a practice has a fallback pool');
  return pool;
}

/** The member behind a sign-in name; undefined where nobody has it. */
export function findMemberBySignIn(practice: Practice, signIn: string): Member | undefined {
  return practice.members.find((member) => (member.signIn ?? member.id) === signIn);
}
