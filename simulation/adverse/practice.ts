/** The practice of a run: that of the file, with as much room, haste and watchfulness as its seed has. */
import { readFileSync } from 'node:fs';
import { readPracticeFile } from '../../ops/practice-file.ts';
import { channels } from '../../shared/domain/channels.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { Rule } from '../../shared/domain/rules/rule.ts';
import { tiers } from '../../shared/domain/stages.ts';
import type { Draw } from './draw.ts';
import type { Habits } from './people.ts';

export interface Mood {
  /** Everybody is busy: short times, and most of what comes is worked on at once. */
  readonly isBusy: boolean;
  /** There is room and time for all that comes: nobody waits, and hardly anybody is reminded. */
  readonly isEasy: boolean;
  /** It goes on for two days. */
  readonly isLong: boolean;
  readonly habits: Habits;
  /** Rules look at what happens later, too. */
  readonly later: readonly Rule[];
}

/** In one run of eight everybody is busy. */
const busyShare = 0.12;
/** Of the others every second one is easy; large ones are. */
const easyShare = 0.5;
/** In one of four there are rules for what happens after the arrival. */
const laterShare = 0.25;
/** One of twenty lasts for two days. */
const longShare = 0.05;
/** In one of five members see to records, too. */
const recordsShare = 0.2;
/** In one of five many people want no more e-mails once they got one. */
const touchyShare = 0.2;
/** Where nobody is busy there is so many times as long to call, and where it is easy so many. */
const calmTimes = 20;
const easyTimes = 40;

const rule = (id: string, more: Partial<Rule> & Pick<Rule, 'on' | 'actions'>): Rule => ({
  id,
  name: id,
  enabled: true,
  ...more,
});

/** What rules may do about calls, stages, replies and silence. */
const laterRules: readonly Rule[] = [
  rule('not-reached', {
    on: ['disposition'],
    when: { field: 'disposition', operator: 'in', value: ['voicemail', 'no_answer'] },
    actions: [{ do: 'send_to_pool', pool: 'cosmetic' }],
  }),
  rule('reached', {
    on: ['disposition'],
    when: { field: 'disposition', operator: 'is', value: 'reached' },
    actions: [
      { do: 'set_stage', stage: 'consult' },
      { do: 'make_task', title: 'Send the forms', dueInMinutes: 30 },
    ],
  }),
  rule('turned-down', {
    on: ['disposition', 'stage_change'],
    when: { field: 'disposition', operator: 'is', value: 'not_interested' },
    actions: [{ do: 'set_stage', stage: 'closed', closeReason: 'not_interested' }, { do: 'stop' }],
  }),
  rule('moved-on', { on: ['stage_change'], actions: [{ do: 'send_to_member', member: 'tom' }] }),
  rule('told', {
    on: ['stage_change', 'reply'],
    actions: [
      { do: 'tag', tag: 'seen' },
      { do: 'notify', whom: 'managers' },
    ],
  }),
  rule('answered', {
    on: ['reply'],
    actions: [{ do: 'raise_tier' }, { do: 'start_nurture', sequence: 'still-deciding' }],
  }),
  rule('quiet', {
    on: ['silence'],
    silentHours: 1,
    actions: [{ do: 'send_to_specialty', specialty: 'mohs' }],
  }),
];

export function moodOf(draw: Draw, isLarge: boolean): Mood {
  // In a large run thousands would wait, and little else be seen.
  const isBusy = draw.chance(busyShare) && !isLarge;
  const isEasy = isLarge || (draw.beside().chance(easyShare) && !isBusy);
  const later = draw.chance(laterShare) ? laterRules.filter(() => draw.chance(0.5)) : [];
  const recordKeeping = draw.chance(recordsShare) ? 0.7 : 0;
  const isLong = draw.chance(longShare) && !isLarge;
  const unsubscribing = draw.chance(touchyShare) ? 0.5 : 0;
  const habits = { diligence: isBusy ? 0.65 : 0.2, recordKeeping, unsubscribing };
  return { isBusy, isEasy, isLong, habits, later };
}

const file = new URL('../../practices/dermatology.yaml', import.meta.url);
let read: Practice | undefined;

export function practiceFor(inquiries: number, { isBusy, isEasy, later }: Mood): Practice {
  read ??= readPracticeFile(readFileSync(file, 'utf8')).practice as Practice;
  const practice = structuredClone(read);
  practice.rules.push(...later);
  // Else some caps are reached.
  const times = isEasy ? Math.max(5, inquiries / 100) : 1;
  for (const member of practice.members) {
    const { open, perDay } = member.caps ?? {};
    member.caps = {
      ...(open !== undefined && { open: Math.ceil(open * times) }),
      ...(perDay !== undefined && { perDay: Math.ceil(perDay * times) }),
    };
  }
  if (isBusy) return practice;
  const longer = isEasy ? easyTimes : calmTimes;
  const { respondWithinMinutes: byTier, channelMinutes: byChannel } = practice.scoring;
  for (const tier of tiers) byTier[tier] *= longer;
  for (const channel of channels) if (byChannel[channel] !== undefined) byChannel[channel] *= longer;
  const { respondWithinMinutes: byUrgency } = practice.urgency;
  byUrgency.same_day *= longer;
  byUrgency.soon *= longer;
  return practice;
}
