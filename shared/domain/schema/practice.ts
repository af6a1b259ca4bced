/**
 * The practice file. Its kinds stand in files of their own beside this one; here
 * is the whole, with what only the whole can tell. Only what writes a
 * configuration validates: the functions that read one carry none of these schemas.
 *
 * The descriptions reach whoever edits such a file: the editor's schema is made from them.
 */
import * as z from 'zod';
import { weeklyMinutes } from '../clock-time.ts';
import { practiceDefaults } from '../defaults.ts';
import { subjectIssues } from '../messages/subjects.ts';
import { foldWording } from '../wording.ts';
import { urgencySchema } from './clinical-urgency.ts';
import { describes } from './description.ts';
import { escalationSchema } from './escalation.ts';
import { digestSchema, followUpSchema } from './follow-up.ts';
import { formSchema } from './form.ts';
import { localizedSchema } from './localized.ts';
import { locationSchema } from './location.ts';
import { memberSchema } from './member.ts';
import { messagesSchema } from './messages.ts';
import { nameSchema } from './names.ts';
import { poolSchema } from './pool.ts';
import { redFlagsSchema } from './red-flags.ts';
import { rulesSchema } from './rule.ts';
import { scoringModelSchema } from './scoring-model.ts';
import { serviceSchema } from './service.ts';
import { serviceLineSchema } from './service-line.ts';
import { sourceSchema } from './source.ts';

/** A first call is due within so many weeks, holidays aside. */
const mostWeeks = 4;

/** The parts of a practice, each with what can be told by itself; `practiceSchema` adds what only the whole can. */
export const practiceParts = {
  name: nameSchema,
  phoneCountry: z
    .string()
    .regex(/^[A-Z]{2}$/, 'use a two-letter country code such as US')
    .default(practiceDefaults.phoneCountry)
    .register(...describes('Country whose numbering plan reads phone numbers without a country code.')),
  emergencyLine: localizedSchema(300)
    .default(practiceDefaults.emergencyLine)
    .register(
      ...describes(
        'Shown on every form and reply to somebody in an emergency: one line, or one per language.',
      ),
    ),
  locations: z
    .array(locationSchema)
    .min(1)
    .register(...describes('Where patients come to; an inquiry that names none belongs to the first.')),
  services: z
    .array(serviceSchema)
    .min(1)
    .register(...describes('What patients ask for.')),
  serviceLines: z
    .array(serviceLineSchema)
    .max(100)
    .default(practiceDefaults.serviceLines)
    .register(...describes('Stages by service line; services of none can have all stages.')),
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
    .default(practiceDefaults.scoring)
    .register(
      ...describes('How a score is made, and how soon each tier is called; left out, the published model.'),
    ),
  urgency: urgencySchema
    .default(practiceDefaults.urgency)
    .register(...describes('Clinical urgency: sets clock and pool beside the score, and never the score.')),
  redFlags: redFlagsSchema
    .default(practiceDefaults.redFlags)
    .register(
      ...describes('Words that suggest an emergency: a human is alerted at once. Left out, a common list.'),
    ),
  escalation: escalationSchema
    .default(practiceDefaults.escalation)
    .register(...describes('What is done, and when, while nobody has called.')),
  messages: messagesSchema
    .default(practiceDefaults.messages)
    .register(...describes('Messages to people: acknowledgements, templates, who sends them and when.')),
  rules: rulesSchema
    .default(practiceDefaults.rules)
    .register(...describes('Triage rules, in the order in which they are looked at.')),
  followUp: followUpSchema
    .default(practiceDefaults.followUp)
    .register(...describes('What follows a call that reached nobody.')),
  digest: digestSchema
    .default(practiceDefaults.digest)
    .register(...describes('The mail that says, each working morning, what waits for a member.')),
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

  refuseRepeats(practice.serviceLines, 'serviceLines', issue);
  const lineOfService = new Map<string, string>();
  practice.serviceLines.forEach((line, i) => {
    line.services.forEach((service, j) => {
      const other = lineOfService.get(service);
      if (!services.has(service))
        issue(['serviceLines', i, 'services', j], `no service has the id ${service}`);
      else if (other !== undefined)
        issue(['serviceLines', i, 'services', j], `${service} is of the line ${other} already`);
      lineOfService.set(service, line.id);
    });
  });

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
  const locations = new Set(practice.locations.map((location) => location.id));
  practice.members.forEach((member, i) => {
    const known = (
      ids: readonly string[] | undefined,
      list: ReadonlySet<string>,
      what: string,
      path: string[],
    ) =>
      ids?.forEach((id, j) => {
        if (!list.has(id)) issue(['members', i, ...path, j], `no ${what} has the id ${id}`);
      });
    known(member.locations, locations, 'location', ['locations']);
    known(member.specialties, services, 'service', ['specialties']);
    known(member.provider?.specialties, services, 'service', ['provider', 'specialties']);
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

  // A call is promised in opening time: somewhere that seldom opens it would be due when nobody waits for it any more.
  const longest = Math.max(
    ...Object.values(practice.scoring.respondWithinMinutes),
    ...Object.values(practice.scoring.channelMinutes),
    ...Object.values(practice.urgency.respondWithinMinutes),
  );
  practice.locations.forEach((location, i) => {
    const weekly = weeklyMinutes(location.hours);
    if (weekly > 0 && mostWeeks * weekly < longest)
      issue(
        ['locations', i, 'hours'],
        `open for ${weekly} minutes a week: a first call within ${longest} minutes of opening time could be due more than ${mostWeeks} weeks later`,
      );
  });

  for (const { path, message } of subjectIssues(practice)) issue(['messages', ...path], message);

  const fallbacks = practice.pools.filter((pool) => pool.fallback).length;
  if (fallbacks !== 1) issue(['pools'], `exactly one pool must be the fallback; ${fallbacks} are`);
});
