/**
 * Red flags: words that suggest an emergency. They put an inquiry in a lane of
 * its own, where a human is alerted at once. Screening by words is noisy, so the
 * lane blocks nothing, never touches the score, and its false alarms are counted.
 */
import * as z from 'zod';
import { says } from './says.ts';
import { slugSchema } from './slug.ts';
import { findPhrases, phraseSchema } from './wording.ts';

export const redFlagSchema = z.strictObject({
  id: slugSchema.describe('Your id of the flag, as the alert names it.'),
  words: z
    .array(phraseSchema)
    .min(1)
    .max(200)
    .register(...says('Whole words or phrases; case, accents and punctuation do not count.')),
});

export const redFlagsSchema = z.strictObject({
  flags: z
    .array(redFlagSchema)
    .max(50)
    .register(...says('What is looked for in everything a person wrote.')),
  onDuty: z
    .array(slugSchema)
    .default([])
    .register(
      ...says('Members on duty who are alerted beside the managers; without any, the managers alone.'),
    ),
  reply: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .register(
      ...says("What whoever wrote such words is told at once; left out, the practice's emergency line."),
    ),
});
export type RedFlags = z.infer<typeof redFlagsSchema>;

/** The list that holds where a practice names none of its own; noisy by design. */
export const commonRedFlags: RedFlags = {
  flags: [
    {
      id: 'self-harm',
      words: [
        'suicidal',
        'suicide',
        'kill myself',
        'end my life',
        'hurt myself',
        'want to die',
        'suicidio',
        'matarme',
      ],
    },
    {
      id: 'breathing',
      words: [
        "can't breathe",
        'cannot breathe',
        'trouble breathing',
        'throat is closing',
        'no puedo respirar',
      ],
    },
    { id: 'chest-pain', words: ['chest pain', 'pain in my chest', 'heart attack', 'dolor de pecho'] },
    { id: 'stroke', words: ['stroke', 'face drooping', 'slurred speech'] },
    { id: 'bleeding', words: ["won't stop bleeding", 'bleeding heavily', 'uncontrolled bleeding'] },
    { id: 'overdose', words: ['overdose', 'overdosed'] },
    { id: 'unconscious', words: ['unconscious', 'passed out', 'unresponsive'] },
  ],
  onDuty: [],
};

/** How far a raised flag has come: a human says whether it was one. */
export const redFlagStates = ['raised', 'confirmed', 'false_alarm'] as const;
export type RedFlagState = (typeof redFlagStates)[number];

/** Ids of the flags whose words stand in what a person wrote. */
export const findRedFlags = ({ flags }: RedFlags, text: string): string[] =>
  flags.filter(({ words }) => findPhrases(text, words).length > 0).map(({ id }) => id);
