/**
 * Red flags: words that suggest an emergency. They put an inquiry in a lane of
 * its own, where a human is alerted at once. Screening by words is noisy, so the
 * lane blocks nothing, never touches the score, and its false alarms are counted.
 */
import type { Localized } from './languages.ts';
import type { RedFlags } from './schema/red-flags.ts';
import { findPhrases } from './wording.ts';

export type { RedFlags } from './schema/red-flags.ts';

/** How far a raised flag has come: a human says whether it was one. */
export const redFlagStates = ['raised', 'confirmed', 'false_alarm'] as const;
export type RedFlagState = (typeof redFlagStates)[number];

/** Ids of the flags whose words stand in what a person wrote. */
export const findRedFlags = ({ flags }: RedFlags, text: string): string[] =>
  flags.filter(({ words }) => findPhrases(text, words).length > 0).map(({ id }) => id);

/** What whoever wrote of an emergency is told at once. */
export const emergencyNotice = (practice: {
  readonly redFlags: RedFlags;
  readonly emergencyLine: Localized;
}): Localized => practice.redFlags.reply ?? practice.emergencyLine;
