/**
 * Red flags: words that suggest an emergency. They put an inquiry in a lane of
 * its own, where a human is alerted at once. Screening by words is noisy, so the
 * lane blocks nothing, never touches the score, and its false alarms are counted.
 */
import * as z from 'zod';
import { describes } from './description.ts';
import { slugSchema } from './slug.ts';
import { findPhrases, phraseSchema } from './wording.ts';

export const redFlagSchema = z.strictObject({
  id: slugSchema.describe('Your id of the flag, as the alert names it.'),
  words: z
    .array(phraseSchema)
    .min(1)
    .max(200)
    .register(...describes('Whole words or phrases; case, accents and punctuation do not count.')),
});

export const redFlagsSchema = z.strictObject({
  flags: z
    .array(redFlagSchema)
    .max(50)
    .register(...describes('What is looked for in everything a person wrote.')),
  onDuty: z
    .array(slugSchema)
    .default([])
    .register(
      ...describes('Members on duty who are alerted beside the managers; without any, the managers alone.'),
    ),
  reply: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .register(
      ...describes("What whoever wrote such words is told at once; left out, the practice's emergency line."),
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
        'killing myself',
        'end my life',
        'take my own life',
        'hurt myself',
        'hurting myself',
        'harm myself',
        'want to die',
        "don't want to live",
        'suicidio',
        'suicidarme',
        'matarme',
        'quitarme la vida',
        'quiero morir',
      ],
    },
    {
      id: 'breathing',
      words: [
        "can't breathe",
        "can't breath",
        'cannot breathe',
        'can not breathe',
        'unable to breathe',
        'trouble breathing',
        'difficulty breathing',
        'hard to breathe',
        'struggling to breathe',
        'not breathing',
        'stopped breathing',
        'short of breath',
        'shortness of breath',
        'throat is closing',
        'throat closing',
        'no puedo respirar',
        'no puede respirar',
        'me cuesta respirar',
        'no respira',
      ],
    },
    {
      id: 'chest-pain',
      words: [
        'chest pain',
        'chest pains',
        'pain in my chest',
        'pain in chest',
        'pain in the chest',
        'pains in my chest',
        'chest hurts',
        'heart attack',
        'dolor de pecho',
        'dolor en el pecho',
        'me duele el pecho',
        'infarto',
      ],
    },
    {
      id: 'stroke',
      words: [
        'stroke',
        'face drooping',
        'face is drooping',
        'slurred speech',
        'slurring',
        'derrame cerebral',
      ],
    },
    {
      id: 'bleeding',
      words: [
        "won't stop bleeding",
        'will not stop bleeding',
        "can't stop bleeding",
        "can't stop the bleeding",
        'cannot stop the bleeding',
        "bleeding won't stop",
        "doesn't stop bleeding",
        'bleeding heavily',
        'heavy bleeding',
        'severe bleeding',
        'uncontrolled bleeding',
        'no para de sangrar',
      ],
    },
    { id: 'overdose', words: ['overdose', 'overdosed', 'overdosing', 'took too many pills', 'sobredosis'] },
    {
      id: 'unconscious',
      words: [
        'unconscious',
        'lost consciousness',
        'passed out',
        'unresponsive',
        'not responding',
        'inconsciente',
      ],
    },
  ],
  onDuty: [],
};

/** How far a raised flag has come: a human says whether it was one. */
export const redFlagStates = ['raised', 'confirmed', 'false_alarm'] as const;
export type RedFlagState = (typeof redFlagStates)[number];

/** Ids of the flags whose words stand in what a person wrote. */
export const findRedFlags = ({ flags }: RedFlags, text: string): string[] =>
  flags.filter(({ words }) => findPhrases(text, words).length > 0).map(({ id }) => id);

/** What whoever wrote of an emergency is told at once. */
export const emergencyNotice = (practice: {
  readonly redFlags: RedFlags;
  readonly emergencyLine: string;
}): string => practice.redFlags.reply ?? practice.emergencyLine;
