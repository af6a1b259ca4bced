/**
 * A practice as entities, each of which is stored by itself: its own fields and
 * single sections are one each, and so is every entry of its lists.
 *
 * A configuration is validated where it is written (`schema/`); what is read is
 * trusted, and filled with the defaults of fields that were added after it was
 * stored. So a new section or field has its place in three files:
 *
 * 1. `schema/<section>.ts`, and `practiceParts` in `schema/practice.ts`;
 * 2. `defaults.ts`: what holds where it is left out;
 * 3. here: its kind, how its defaults are filled in, and both directions below.
 *
 * The compiler and `test/unit/entities.test.ts` tell what was forgotten.
 */
import { isDeepStrictEqual } from 'node:util';
import type * as z from 'zod';
import {
  completenessDefaults,
  criterionDefaults,
  digestDefaults,
  escalationDefaults,
  followUpDefaults,
  formDefaults,
  memberDefaults,
  messagesDefaults,
  poolDefaults,
  poolMemberDefaults,
  practiceDefaults,
  redFlagsDefaults,
  ruleDefaults,
  scoringDefaults,
  serviceDefaults,
  sourceMatchDefaults,
  urgencyDefaults,
  urgencyMinutesDefaults,
} from './defaults.ts';
import type { Practice } from './practice.ts';
import type { practiceSchema } from './schema/practice.ts';

/** The practice file's lists; each of their entries is an entity. */
export const listKinds = [
  'locations',
  'services',
  'serviceLines',
  'sources',
  'forms',
  'members',
  'pools',
] as const;
type ListKind = (typeof listKinds)[number];
/** The file's single parts; `practice` is its own fields. */
export const singleKinds = [
  'practice',
  'scoring',
  'urgency',
  'redFlags',
  'escalation',
  'messages',
  'rules',
  'followUp',
  'digest',
] as const;
type SingleKind = (typeof singleKinds)[number];
export const kinds = [...singleKinds, ...listKinds] as const;
export type ConfigurationKind = ListKind | SingleKind;

export interface Entity {
  readonly kind: ConfigurationKind;
  readonly id: string;
  /** Order within its kind; not contiguous, so that an insertion moves no other entity. */
  readonly position: number;
  readonly data: unknown;
}

/** Types of what is stored: whatever has a default may be absent, but nothing is undefined. */
type Stored<T> = T extends readonly (infer Item)[]
  ? Stored<Item>[]
  : T extends object
    ? { [Key in keyof T]: Stored<Exclude<T[Key], undefined>> }
    : T;
type StoredPractice = Stored<z.input<typeof practiceSchema>>;
type ItemOf<List> = List extends readonly (infer Item)[] ? Item : never;

/** What an entity of each kind holds, of a practice that is whole or as it was stored. */
type DataOf<P extends Practice | StoredPractice> = { [Kind in ListKind]: ItemOf<P[Kind]> } & {
  [Kind in Exclude<SingleKind, 'practice' | 'rules'>]: Exclude<P[Kind], undefined>;
} & {
  practice: Pick<P, 'name' | 'phoneCountry' | 'emergencyLine'>;
  rules: { rules: Exclude<P['rules'], undefined> };
};

/** Fills in what an entity may lack. Where a default is forgotten, the types do not fit. */
const fillers: {
  readonly [Kind in ConfigurationKind]: (stored: DataOf<StoredPractice>[Kind]) => DataOf<Practice>[Kind];
} = {
  practice: (own) => {
    const { phoneCountry, emergencyLine } = practiceDefaults;
    return { phoneCountry, emergencyLine, ...own };
  },
  scoring: (stored) => {
    const model = { ...scoringDefaults, ...stored };
    return { ...model, completeness: { ...completenessDefaults, ...model.completeness } };
  },
  urgency: (stored) => {
    const { respondWithinMinutes, criteria } = { ...urgencyDefaults, ...stored };
    return {
      ...stored,
      respondWithinMinutes: { ...urgencyMinutesDefaults, ...respondWithinMinutes },
      criteria: criteria.map((criterion) => ({ ...criterionDefaults, ...criterion })),
    };
  },
  redFlags: (redFlags) => ({ ...redFlagsDefaults, ...redFlags }),
  escalation: (escalation) => ({ ...escalationDefaults, ...escalation }),
  messages: (messages) => ({ ...messagesDefaults, ...messages }),
  followUp: (followUp) => ({ ...followUpDefaults, ...followUp }),
  digest: (digest) => ({ ...digestDefaults, ...digest }),
  rules: ({ rules }) => ({ rules: rules.map((rule) => ({ ...ruleDefaults, ...rule })) }),
  locations: (location) => location,
  serviceLines: (line) => line,
  services: (service) => ({ ...serviceDefaults, ...service }),
  sources: ({ match, ...source }) => ({
    ...source,
    ...(match && { match: { ...sourceMatchDefaults, ...match } }),
  }),
  forms: (form) => ({ ...formDefaults, ...form }),
  members: (member) => ({ ...memberDefaults, ...member }),
  pools: (pool) => ({
    ...poolDefaults,
    ...pool,
    members: pool.members.map((member) => ({ ...poolMemberDefaults, ...member })),
  }),
};

/** What an entity holds, as today has it: with the defaults of fields that it was stored without. */
export function fillIn<Kind extends ConfigurationKind>(kind: Kind, data: unknown): DataOf<Practice>[Kind] {
  return fillers[kind](data as DataOf<StoredPractice>[Kind]);
}

/** The entities of a practice, in the order of its file. Sections that are as by default have none, and follow the default. */
export function toEntities(practice: Practice): Entity[] {
  const {
    name,
    phoneCountry,
    emergencyLine,
    scoring,
    urgency,
    redFlags,
    escalation,
    messages,
    rules,
    followUp,
    digest,
  } = practice;
  const single = <Kind extends SingleKind>(kind: Kind, data: DataOf<Practice>[Kind]): Entity[] => [
    { kind, id: kind, position: 1, data },
  ];
  const unlessDefault = <
    Kind extends 'urgency' | 'redFlags' | 'escalation' | 'messages' | 'followUp' | 'digest',
  >(
    kind: Kind,
    data: DataOf<Practice>[Kind],
  ): Entity[] => (isDeepStrictEqual(data, practiceDefaults[kind]) ? [] : single(kind, data));
  return [
    ...single('practice', { name, phoneCountry, emergencyLine }),
    ...single('scoring', scoring),
    ...unlessDefault('urgency', urgency),
    ...unlessDefault('redFlags', redFlags),
    ...unlessDefault('escalation', escalation),
    ...unlessDefault('messages', messages),
    ...unlessDefault('followUp', followUp),
    ...unlessDefault('digest', digest),
    ...(rules.length > 0 ? single('rules', { rules }) : []),
    ...listKinds.flatMap((kind) =>
      practice[kind].map((data, i): Entity => ({ kind, id: data.id, position: i + 1, data })),
    ),
  ];
}

/** The practice of which these are the entities, defaults filled in. */
export function fromEntities(entities: readonly (Entity & { readonly version: number })[]): Practice {
  const ofKind = <Kind extends ConfigurationKind>(kind: Kind): DataOf<Practice>[Kind][] =>
    entities
      .filter((entity) => entity.kind === kind)
      .sort((a, b) => a.position - b.position)
      .map(({ data }) => fillIn(kind, data));
  const [own] = ofKind('practice');
  if (own === undefined) throw new Error('a practice has fields of its own');
  const rules = entities.find(({ kind }) => kind === 'rules');
  return {
    ...own,
    scoring: ofKind('scoring')[0] ?? practiceDefaults.scoring,
    urgency: ofKind('urgency')[0] ?? practiceDefaults.urgency,
    redFlags: ofKind('redFlags')[0] ?? practiceDefaults.redFlags,
    escalation: ofKind('escalation')[0] ?? practiceDefaults.escalation,
    messages: ofKind('messages')[0] ?? practiceDefaults.messages,
    rules: ofKind('rules')[0]?.rules ?? practiceDefaults.rules,
    followUp: ofKind('followUp')[0] ?? practiceDefaults.followUp,
    digest: ofKind('digest')[0] ?? practiceDefaults.digest,
    locations: ofKind('locations'),
    services: ofKind('services'),
    serviceLines: ofKind('serviceLines'),
    sources: ofKind('sources'),
    forms: ofKind('forms'),
    members: ofKind('members'),
    pools: ofKind('pools'),
    ...(rules && { rulesVersion: rules.version }),
  };
}
