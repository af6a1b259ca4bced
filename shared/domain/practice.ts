/**
 * The practice as its manager configures it: places, people, services, lead
 * sources and pools. One file describes all of it; each entity is stored on its
 * own, with a version, an author and a time.
 */
import * as z from 'zod';
import { urgencySchema } from './clinical-urgency.ts';
import { commonRedFlags, redFlagsSchema } from './red-flags.ts';
import { rulesSchema } from './rules/rule.ts';
import { slugSchema } from './slug.ts';
import { foldWording } from './wording.ts';

const clockTimeSchema = z
  .string()
  .regex(
    /^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/,
    'use 24-hour time such as 08:00 (24:00 is the end of the day)',
  );

const openBlockSchema = z
  .strictObject({ open: clockTimeSchema, close: clockTimeSchema })
  .refine((block) => block.open < block.close, { path: ['close'], message: 'must be later than open' });

/** The days in ISO order; the index plus one is the ISO weekday. */
export const weekdays = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;

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

export const locationSchema = z.strictObject({
  id: slugSchema,
  name: z.string().min(1).max(100),
  timeZone: timeZoneSchema,
  hours: businessHoursSchema,
});
export type Location = z.infer<typeof locationSchema>;

/** What a member may do in the API; a provider is a routing target who seldom signs in. */
const roles = ['coordinator', 'provider', 'manager', 'marketer', 'admin'] as const;

export const memberSchema = z.strictObject({
  id: slugSchema,
  name: z.string().min(1).max(100),
  email: z.email('use an e-mail address such as ana@example.com').max(254),
  role: z.enum(roles),
  /** The user name at the sign-in service; the id where it is left out. */
  signIn: z.string().min(1).max(128).optional(),
  enabled: z.boolean().default(true),
});
export type Member = z.infer<typeof memberSchema>;

export const serviceSchema = z.strictObject({
  id: slugSchema,
  name: z.string().min(1).max(100),
  /** Other words for it, as forms and ads write them; compared without case and accents. */
  aliases: z.array(z.string().min(1).max(200)).default([]),
  /** Expected first-year collections of one new patient, in US cents. */
  valueCents: z.int().min(0).max(100_000_000),
});
export type Service = z.infer<typeof serviceSchema>;

export const channels = [
  'web_form',
  'chat',
  'phone_call',
  'missed_call',
  'referral',
  'directory',
  'ad_form',
  'walk_in',
  'email',
  'import',
] as const;
export type Channel = (typeof channels)[number];

export const sourceSchema = z.strictObject({
  id: slugSchema,
  name: z.string().min(1).max(100),
  /** How good leads from here have been: the points of the score's first group, at most the model's cap. */
  quality: z.int().min(0).max(100),
  /** What in a request's attribution points at this source; the first source that matches wins. */
  match: z
    .strictObject({
      /** Names of click ids (`gclid`, `msclkid`, …) whose presence means this source. */
      clickIds: z.array(z.enum(['gclid', 'gbraid', 'wbraid', 'msclkid', 'fbclid'])).default([]),
      utm: z
        .array(
          z.strictObject({
            source: z.string().min(1).max(100).optional(),
            medium: z.string().min(1).max(100).optional(),
          }),
        )
        .default([]),
      /** Host names of referring sites; a host also stands for its subdomains. */
      referrers: z.array(z.string().min(1).max(253)).default([]),
    })
    .optional(),
});
export type Source = z.infer<typeof sourceSchema>;

export const formSchema = z.strictObject({
  id: slugSchema,
  /** The source where neither click id, utm nor referrer says better. */
  source: slugSchema,
  /** Origins whose posts are this form's; a form without any takes all the others. */
  origins: z.array(z.string().max(300)).default([]),
  /** Whether this form may name its source in a `source` field. */
  maySetSource: z.boolean().default(false),
  /** How inquiries reach the practice through it; one that the front desk fills in is a phone call, say. */
  channel: z.enum(channels).default('web_form'),
  /** Whether this form may name the channel in a `channel` field. */
  maySetChannel: z.boolean().default(false),
});
export type Form = z.infer<typeof formSchema>;

export const poolSchema = z.strictObject({
  id: slugSchema,
  name: z.string().min(1).max(100),
  /** Services whose inquiries come here. */
  services: z.array(slugSchema).default([]),
  /** Takes what no other pool names, and what names no known service. */
  fallback: z.boolean().default(false),
  members: z
    .array(z.strictObject({ id: slugSchema, weight: z.int().min(1).max(100).default(1) }))
    .min(1, 'a pool needs at least one member')
    .max(200),
});
export type Pool = z.infer<typeof poolSchema>;

/** Minutes of opening time, a week at the most. */
const minutesSchema = z.int().min(1).max(10_080);

/** Points of each fact that makes a person reachable and the call short. */
const completenessSchema = z.strictObject({
  phone: z.int().min(0).max(100).default(8),
  email: z.int().min(0).max(100).default(4),
  name: z.int().min(0).max(100).default(2),
  service: z.int().min(0).max(100).default(2),
  insurance: z.int().min(0).max(100).default(2),
  preferredTime: z.int().min(0).max(100).default(2),
});

export const scoringModelSchema = z
  .strictObject({
    /** Names the model in every score it made; change it with the numbers. */
    version: z.string().min(1).max(20),
    /** Lowest totals of tiers A and B; below B is C. */
    tiers: z
      .strictObject({ A: z.int().min(1).max(100), B: z.int().min(1).max(100) })
      .refine((tiers) => tiers.B < tiers.A, { path: ['B'], message: 'must be lower than A' }),
    /** Anchors of the value scale, in US cents: at or below `low` 0 points, at or above `high` all of them. */
    valueAnchorsCents: z
      .strictObject({ low: z.int().min(1), high: z.int().min(2) })
      .refine((anchors) => anchors.low < anchors.high, {
        path: ['high'],
        message: 'must be higher than low',
      }),
    /** The most points that a lead source's quality and a service's value can be worth. */
    caps: z
      .strictObject({ source: z.int().min(0).max(100), value: z.int().min(0).max(100) })
      .default({ source: 40, value: 40 }),
    completeness: completenessSchema.default(completenessSchema.parse({})),
    /** Minutes of opening time to the first call, by tier. */
    respondWithinMinutes: z.strictObject({ A: minutesSchema, B: minutesSchema, C: minutesSchema }),
    /**
     * Channels with a clock of their own, whatever the tier: a missed call is worth calling back
     * in minutes or not at all. Minutes of opening time.
     */
    channelMinutes: z
      .partialRecord(z.enum(channels), minutesSchema)
      .default({ missed_call: 5, chat: 5, ad_form: 5, referral: 60 }),
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

const practiceShape = z.strictObject({
  name: z.string().min(1).max(100),
  /** Country whose numbering plan reads phone numbers without a country code. */
  phoneCountry: z
    .string()
    .regex(/^[A-Z]{2}$/, 'use a two-letter country code such as US')
    .default('US'),
  /** Line shown on every form and reply to somebody in an emergency. */
  emergencyLine: z
    .string()
    .min(1)
    .max(300)
    .default('If this is an emergency, call 911 now. Do not use this form.'),
  locations: z.array(locationSchema).min(1),
  services: z.array(serviceSchema).min(1),
  sources: z.array(sourceSchema).min(1),
  forms: z.array(formSchema).min(1),
  members: z.array(memberSchema).min(1),
  pools: z.array(poolSchema).min(1),
  scoring: scoringModelSchema.default(publishedScoringModel),
  urgency: urgencySchema.default(urgencySchema.parse({})),
  redFlags: redFlagsSchema.default(commonRedFlags),
  /** Triage rules, in the order in which they are looked at. */
  rules: rulesSchema.default([]),
});

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
export const practiceSchema = practiceShape.superRefine((practice, context) => {
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
export type Practice = z.infer<typeof practiceSchema>;

/** The service that a posted wording means: by id, name or alias; undefined where none fits. */
export function findService(practice: Practice, wording: string | undefined): Service | undefined {
  if (wording === undefined) return undefined;
  const wanted = foldWording(wording);
  if (wanted === '') return undefined;
  return practice.services.find((service) =>
    [service.id, service.name, ...service.aliases].some((name) => foldWording(name) === wanted),
  );
}

/** The location that a posted wording means, or the practice's first. */
export function findLocation(practice: Practice, wording: string | undefined): Location {
  const wanted = foldWording(wording ?? '');
  const found = practice.locations.find((location) =>
    [location.id, location.name].some((name) => foldWording(name) === wanted),
  );
  const location = found ?? practice.locations[0];
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
