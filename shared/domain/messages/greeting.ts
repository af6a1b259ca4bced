/** What an inquiry is answered with as it arrives. */
import type { Channel } from '../channels.ts';
import type { Location, Practice } from '../practice.ts';
import type { Action } from '../rules/rule.ts';
import { isOpenAt } from './opening.ts';

/** Channels by which people write themselves, and so may be answered in writing. */
const writtenChannels: readonly string[] = [
  'web_form',
  'chat',
  'ad_form',
  'directory',
  'email',
] satisfies Channel[];

/** Whoever writes an e-mail agrees to get one back. */
export const wroteByEmail = (channel: string): boolean => channel === 'email';

/** The template of the answer now; undefined where the practice, or the channel, has none. */
export function answersOf(
  { messages }: Pick<Practice, 'messages'>,
  location: Location,
  { channel, now }: { readonly channel: string; readonly now: Date },
): string | undefined {
  const { acknowledgement } = messages;
  if (!acknowledgement || !writtenChannels.includes(channel)) return undefined;
  return isOpenAt(now, location) ? acknowledgement.open : acknowledgement.closed;
}

/** Templates that rules reply with, each once. */
export const repliesOf = (actions: readonly Action[]): string[] => [
  ...new Set(actions.flatMap((action) => (action.do === 'auto_reply' ? [action.template] : []))),
];

/** Sequences that rules begin, each once. */
export const sequencesOf = (actions: readonly Action[]): string[] => [
  ...new Set(actions.flatMap((action) => (action.do === 'start_nurture' ? [action.sequence] : []))),
];

/** What of an inquiry says whether it may be answered. */
export interface Arrived {
  readonly channel: string;
  /** Whoever wrote agreed to something. */
  readonly agreed: boolean;
  /** The patient, or whoever wrote for them, may have agreed before. */
  readonly known: boolean;
  readonly isMinor: boolean;
  /** What rules did on its arrival. */
  readonly actions: readonly Action[];
}

/**
 * Whether anything may be to be said, or noted, as an inquiry arrives: a message for notify is worth its
 * call. Nobody writes to a newcomer who agreed to nothing; for a minor a guardian may have to be found.
 */
export function asksForAnswer(
  { messages }: Pick<Practice, 'messages'>,
  { channel, agreed, known, isMinor, actions }: Arrived,
): boolean {
  const answers =
    messages.acknowledgement !== undefined &&
    writtenChannels.includes(channel) &&
    (agreed || known || isMinor);
  const byRules = repliesOf(actions).length > 0 || sequencesOf(actions).length > 0;
  return agreed || wroteByEmail(channel) || answers || byRules;
}
