/**
 * Rules to start from: each a common rule with slots for what differs between
 * practices. Filling one gives a rule like any other, to be tried, changed and
 * published.
 */
import type { Practice } from '../practice.ts';
import { ruleSchema } from '../schema/rule.ts';
import { slugSchema } from '../slug.ts';
import { foldWording } from '../wording.ts';
import type { Action, Rule } from './rule.ts';

/** What a slot takes; those of the practice by their ids. */
export type SlotKind =
  | 'pool'
  | 'sources'
  | 'services'
  | 'words'
  | 'languages'
  | 'tag'
  | 'template'
  | 'minutes'
  | 'hours'
  | 'cents';

export type SlotValue = string | number | readonly string[];

export interface Slot {
  readonly name: string;
  readonly kind: SlotKind;
  readonly description: string;
  /** What stands where it is left empty, by what the practice has. */
  readonly default?: (practice: Practice) => SlotValue | undefined;
  /** Whether it may stay empty where it has no default. */
  readonly optional?: true;
}

export interface SlotIssue {
  readonly slot: string;
  readonly message: string;
}

/** The values of a template's slots, each as its kind reads it. */
interface Filled {
  text(name: string): string;
  list(name: string): string[];
  number(name: string): number;
  has(name: string): boolean;
}

export interface RuleTemplate {
  /** The id of the rule, too, unless another is given. */
  readonly id: string;
  readonly title: string;
  /** What it is for. */
  readonly purpose: string;
  readonly slots: readonly Slot[];
  readonly make: (
    filled: Filled,
  ) => Pick<Rule, 'actions'> & Partial<Pick<Rule, 'when' | 'on' | 'silentHours'>>;
}

const always = (value: SlotValue) => (): SlotValue => value;

/** Ids of entities in whose id, name or other names one of the words stands. */
const named = (
  list: readonly { readonly id: string; readonly name: string; readonly aliases?: readonly string[] }[],
  words: readonly string[],
): string[] | undefined => {
  const found = list.filter((entity) => {
    const names = foldWording([entity.id, entity.name, ...(entity.aliases ?? [])].join(' '));
    return words.some((word) => names.includes(word));
  });
  return found.length === 0 ? undefined : found.map(({ id }) => id);
};
const referralSources = (practice: Practice): string[] | undefined =>
  named(practice.sources, ['physician', 'doctor', 'provider referral', 'dentist referral']);

const toPool = (filled: Filled): Action[] =>
  filled.has('pool') ? [{ do: 'send_to_pool', pool: filled.text('pool') }] : [];

const optionalPool: Slot = {
  name: 'pool',
  kind: 'pool',
  description: 'where they go; left out, to the pool of their service',
  optional: true,
};

/** Opening hours of two working days at the practice's first location. */
function twoWorkingDays({ locations }: Practice): number {
  const minutesOf = (clock: string): number => {
    const [hours = 0, minutes = 0] = clock.split(':').map(Number);
    return hours * 60 + minutes;
  };
  const days = Object.values(locations[0]?.hours ?? {})
    .map((blocks) => blocks.reduce((sum, { open, close }) => sum + minutesOf(close) - minutesOf(open), 0))
    .filter((minutes) => minutes > 0);
  const mean = days.reduce((sum, minutes) => sum + minutes, 0) / Math.max(1, days.length);
  return Math.max(1, Math.round((2 * mean) / 60));
}

export const ruleTemplates: readonly RuleTemplate[] = [
  {
    id: 'referral-first',
    title: 'Referrals first',
    purpose:
      'What a physician refers gets the top tier and is called within a business hour; the same day is sooner.',
    slots: [
      {
        name: 'sources',
        kind: 'sources',
        description: 'lead sources that stand for referrals, beside the channel',
        default: referralSources,
        optional: true,
      },
      {
        name: 'minutes',
        kind: 'minutes',
        description: 'minutes of opening time until the first call',
        default: ({ scoring }) => scoring.channelMinutes.referral ?? 60,
      },
      optionalPool,
    ],
    make: (filled) => ({
      when: {
        all: [
          // What should be seen the same day keeps its shorter clock.
          { field: 'urgency', operator: 'is_not', value: 'same_day' },
          {
            any: [
              { field: 'channel', operator: 'is', value: 'referral' },
              ...(filled.has('sources')
                ? [{ field: 'source', operator: 'in' as const, value: filled.list('sources') }]
                : []),
            ],
          },
        ],
      },
      actions: [
        { do: 'set_tier', tier: 'A' },
        { do: 'respond_within', minutes: filled.number('minutes') },
        ...toPool(filled),
      ],
    }),
  },
  {
    id: 'same-day',
    title: 'Seen the same day',
    purpose: 'Services or words by which somebody should be seen the same day set the urgency.',
    slots: [
      {
        name: 'services',
        kind: 'services',
        description: 'services that cannot wait',
        default: ({ services }) => named(services, ['emergency', 'changing mole', 'urgent']),
        optional: true,
      },
      {
        name: 'words',
        kind: 'words',
        description: 'words in the message that mean the same',
        default: always(['swelling', 'swollen', 'bleeding', 'knocked out', 'changing mole', 'getting worse']),
      },
      optionalPool,
    ],
    make: (filled) => ({
      when: {
        any: [
          ...(filled.has('services')
            ? [{ field: 'service', operator: 'in' as const, value: filled.list('services') }]
            : []),
          { field: 'message', operator: 'has_words', value: filled.list('words') },
        ],
      },
      actions: [{ do: 'set_urgency', urgency: 'same_day' }, ...toPool(filled)],
    }),
  },
  {
    id: 'out-of-network-parked',
    title: 'Out of network parked',
    purpose:
      'A private HMO without its referral waits, with a task to ask for it. Public insurance is left alone: ' +
      "whoever is lowered by that needs a manager's word.",
    slots: [
      {
        name: 'words',
        kind: 'words',
        description: 'words in the insurance by which it is out of network without a referral',
        default: always(['HMO']),
      },
      {
        name: 'sources',
        kind: 'sources',
        description: 'lead sources that bring a referral with them',
        default: referralSources,
        optional: true,
      },
      {
        name: 'minutes',
        kind: 'minutes',
        description: 'minutes of opening time until the task is due',
        default: always(480),
      },
    ],
    make: (filled) => ({
      when: {
        all: [
          { field: 'insurance', operator: 'has_words', value: filled.list('words') },
          { field: 'insuranceKind', operator: 'is', value: 'private' },
          { field: 'channel', operator: 'is_not', value: 'referral' },
          ...(filled.has('sources')
            ? [{ field: 'source', operator: 'not_in' as const, value: filled.list('sources') }]
            : []),
        ],
      },
      actions: [
        { do: 'set_tier', tier: 'C' },
        { do: 'tag', tag: 'needs-referral' },
        { do: 'make_task', title: 'Ask for the referral', dueInMinutes: filled.number('minutes') },
      ],
    }),
  },
  {
    id: 'spanish-pool',
    title: 'Spanish speakers to their pool',
    purpose: 'Whoever asks in another language goes to those who speak it.',
    slots: [
      { name: 'pool', kind: 'pool', description: 'the pool whose members speak it' },
      {
        name: 'languages',
        kind: 'languages',
        description: 'language tags; es stands for every Spanish',
        default: always(['es']),
      },
    ],
    make: (filled) => ({
      when: { field: 'language', operator: 'in', value: filled.list('languages') },
      actions: toPool(filled),
    }),
  },
  {
    id: 'after-hours-reply',
    title: 'Reply after hours',
    purpose: 'What comes in while the location is closed is answered at once, and says when somebody calls.',
    slots: [
      {
        name: 'template',
        kind: 'template',
        description: 'the reply that is sent',
        default: always('after-hours'),
      },
    ],
    make: (filled) => ({
      when: { field: 'arrivalOpen', operator: 'is', value: false },
      actions: [{ do: 'auto_reply', template: filled.text('template') }],
    }),
  },
  {
    id: 'missed-call-first',
    title: 'Missed calls first',
    purpose: 'A missed call is called back in minutes, whatever it scores: nothing perishes faster.',
    slots: [
      {
        name: 'minutes',
        kind: 'minutes',
        description: 'minutes of opening time until the call',
        default: ({ scoring }) => scoring.channelMinutes.missed_call ?? 5,
      },
      optionalPool,
    ],
    make: (filled) => ({
      when: { field: 'channel', operator: 'is', value: 'missed_call' },
      actions: [
        { do: 'set_tier', tier: 'A' },
        { do: 'respond_within', minutes: filled.number('minutes') },
        ...toPool(filled),
      ],
    }),
  },
  {
    id: 'high-value-service',
    title: 'High-value services',
    purpose: 'Services worth at least so much in the first year move up a tier.',
    slots: [
      {
        name: 'cents',
        kind: 'cents',
        description: 'expected first-year value from which on it counts, in US cents',
        default: always(300_000),
      },
      optionalPool,
    ],
    make: (filled) => ({
      when: { field: 'serviceValueCents', operator: 'at_least', value: filled.number('cents') },
      actions: [{ do: 'raise_tier' }, ...toPool(filled)],
    }),
  },
  {
    id: 'unknown-service',
    title: 'Unknown service to a human',
    purpose: 'What names no service that is known goes to people who find out which is meant.',
    slots: [
      {
        name: 'pool',
        kind: 'pool',
        description: 'who finds out',
        default: ({ pools }) => pools.find(({ fallback }) => fallback)?.id,
      },
      {
        name: 'minutes',
        kind: 'minutes',
        description: 'minutes of opening time until the task is due',
        default: always(60),
      },
    ],
    make: (filled) => ({
      when: { field: 'service', operator: 'absent' },
      actions: [
        ...toPool(filled),
        {
          do: 'make_task',
          title: 'Find out which service is meant',
          dueInMinutes: filled.number('minutes'),
        },
      ],
    }),
  },
  {
    id: 'returning-to-coordinator',
    title: 'Returning patients to their coordinator',
    purpose: 'Whoever is known goes to the coordinator who knows them, as long as they can take it.',
    slots: [],
    make: () => ({
      when: { field: 'returning', operator: 'is', value: true },
      actions: [{ do: 'send_to_owner' }],
    }),
  },
  {
    id: 'minor-needs-guardian',
    title: 'A minor needs a guardian',
    purpose: 'Where somebody under age wrote alone, the guardian is asked for before anything is booked.',
    slots: [
      { name: 'tag', kind: 'tag', description: 'the tag put on', default: always('needs-guardian') },
      {
        name: 'minutes',
        kind: 'minutes',
        description: 'minutes of opening time until the task is due',
        default: always(240),
      },
    ],
    make: (filled) => ({
      when: {
        all: [
          { field: 'ageBand', operator: 'is', value: 'minor' },
          { field: 'writtenForPatient', operator: 'is', value: false },
        ],
      },
      actions: [
        { do: 'tag', tag: filled.text('tag') },
        { do: 'make_task', title: 'Speak with the guardian', dueInMinutes: filled.number('minutes') },
      ],
    }),
  },
  {
    id: 'suspected-spam',
    title: 'Suspected spam',
    purpose:
      'Offers to the practice, without a phone number and from nobody known, are set aside for review.',
    slots: [
      {
        name: 'words',
        kind: 'words',
        description: 'words of such offers',
        default: always([
          'seo',
          'backlinks',
          'guest post',
          'rank higher',
          'first page of google',
          'website traffic',
          'web design services',
          'crypto',
          'business loan',
        ]),
      },
    ],
    make: (filled) => ({
      when: {
        all: [
          { field: 'message', operator: 'has_words', value: filled.list('words') },
          { field: 'hasPhone', operator: 'is', value: false },
          { field: 'returning', operator: 'is', value: false },
        ],
      },
      actions: [{ do: 'mark_spam' }, { do: 'stop' }],
    }),
  },
  {
    id: 'silent-two-days',
    title: 'Silent for two days',
    purpose: 'Whoever was reached and has not been heard of for two working days is called again.',
    slots: [
      {
        name: 'hours',
        kind: 'hours',
        description: 'opening hours without anything happening',
        default: twoWorkingDays,
      },
      {
        name: 'minutes',
        kind: 'minutes',
        description: 'minutes of opening time until the task is due',
        default: always(240),
      },
    ],
    make: (filled) => ({
      on: ['silence'],
      silentHours: filled.number('hours'),
      when: { field: 'stage', operator: 'in', value: ['contacted', 'consult'] },
      actions: [
        { do: 'tag', tag: 'gone-quiet' },
        { do: 'make_task', title: 'Call again', dueInMinutes: filled.number('minutes') },
      ],
    }),
  },
];

/** A slot's value as its kind reads it, or what is wrong with it. */
function readSlot(
  { kind }: Slot,
  value: SlotValue,
  practice: Practice,
): { value: string | number | string[] } | { wrong: string } {
  const list = (typeof value === 'object' ? [...value] : String(value).split(','))
    .map((each) => each.trim())
    .filter((each) => each !== '');
  const text = String(value).trim();
  const unknown = (known: 'pools' | 'sources' | 'services', ids: readonly string[]): string | undefined => {
    const missing = ids.find((id) => !practice[known].some((each) => each.id === id));
    return missing === undefined
      ? undefined
      : `no ${known.slice(0, -1)} has the id ${missing}; there are ${practice[known].map(({ id }) => id).join(', ')}`;
  };
  const whole = (most: number): { value: number } | { wrong: string } => {
    const number = typeof value === 'number' ? value : /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return Number.isInteger(number) && number >= 1 && number <= most
      ? { value: number }
      : { wrong: `must be a whole number from 1 to ${most}` };
  };
  const those = (known: 'sources' | 'services') => {
    const wrong = list.length === 0 ? 'must name at least one' : unknown(known, list);
    return wrong === undefined ? { value: list } : { wrong };
  };
  switch (kind) {
    case 'pool': {
      const wrong = unknown('pools', [text]);
      return wrong === undefined ? { value: text } : { wrong };
    }
    case 'sources':
    case 'services':
      return those(kind);
    case 'words':
      return list.length > 0 && list.every((word) => foldWording(word) !== '')
        ? { value: list }
        : { wrong: 'must be words with a letter or a digit each' };
    case 'languages':
      return list.length > 0 && list.every((tag) => /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/.test(tag))
        ? { value: list }
        : { wrong: 'must be language tags such as es or zh-Hant' };
    case 'tag':
    case 'template':
      return slugSchema.safeParse(text).success
        ? { value: text }
        : { wrong: 'must be lower-case letters, digits and single hyphens' };
    case 'minutes':
      return whole(10_080);
    case 'hours':
      return whole(1_000);
    case 'cents':
      return whole(100_000_000);
  }
}

export type FilledTemplate =
  | { readonly rule: Rule; readonly issues: readonly [] }
  | { readonly rule?: undefined; readonly issues: readonly SlotIssue[] };

/**
 * Makes a rule of a template.
 *
 * @param slots - values by the slots' names; lists also as text with commas, numbers also as text
 * @param as - another id and name for the rule than the template's
 */
export function fillTemplate(
  template: RuleTemplate,
  slots: Readonly<Record<string, SlotValue>>,
  practice: Practice,
  as: { readonly id?: string; readonly name?: string } = {},
): FilledTemplate {
  const issues: SlotIssue[] = [];
  const values = new Map<string, string | number | string[]>();
  const names = template.slots.map(({ name }) => name);
  for (const name of Object.keys(slots)) {
    if (names.includes(name)) continue;
    const has = names.length === 0 ? 'none' : names.join(', ');
    issues.push({ slot: name, message: `${template.id} has no slot ${name}; it has ${has}` });
  }
  if (as.id !== undefined && !slugSchema.safeParse(as.id).success)
    issues.push({ slot: 'id', message: 'must be lower-case letters, digits and single hyphens' });
  for (const slot of template.slots) {
    const given = Object.hasOwn(slots, slot.name) ? slots[slot.name] : undefined;
    const value = given ?? slot.default?.(practice);
    if (value === undefined) {
      if (slot.optional !== true)
        issues.push({ slot: slot.name, message: `needs a value: ${slot.description}` });
      continue;
    }
    const read = readSlot(slot, value, practice);
    if ('wrong' in read) issues.push({ slot: slot.name, message: read.wrong });
    else values.set(slot.name, read.value);
  }
  if (issues.length > 0) return { issues };
  const of = (name: string): unknown => values.get(name);
  const made = template.make({
    text: (name) => String(of(name)),
    list: (name) => of(name) as string[],
    number: (name) => Number(of(name)),
    has: (name) => values.has(name),
  });
  const rule = ruleSchema.parse({ id: as.id ?? template.id, name: as.name ?? template.title, ...made });
  return { rule, issues: [] };
}
