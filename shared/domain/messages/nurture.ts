/**
 * Sequences of messages to somebody who asked and has not booked: which there
 * are, and how far one inquiry has come in one of them.
 */
import * as z from 'zod';
import { after, hour } from '../inquiry/state.ts';

export interface SequenceStep {
  readonly template: string;
  /** Hours after the step before, or after the sequence began. */
  readonly afterHours: number;
}

export interface Sequence {
  readonly id: string;
  readonly steps: readonly SequenceStep[];
}

/** The two that there are; an editor for more comes later. */
export const sequences: readonly Sequence[] = [
  {
    id: 'not-reached',
    steps: [
      { template: 'not-reached-1', afterHours: 24 },
      { template: 'not-reached-2', afterHours: 96 },
    ],
  },
  {
    id: 'still-deciding',
    steps: [
      { template: 'still-deciding-1', afterHours: 48 },
      { template: 'still-deciding-2', afterHours: 168 },
    ],
  },
];

export const findSequence = (id: string): Sequence | undefined => sequences.find((each) => each.id === id);

/** Why a sequence ended before its last step. */
export const stopReasons = ['booked', 'closed', 'answered', 'refused', 'unknown'] as const;
export type StopReason = (typeof stopReasons)[number];

const instantSchema = z.iso.datetime();

export const enrolmentSchema = z.lazy(() =>
  z.object({
    inquiryId: z.string(),
    contactId: z.string(),
    sequence: z.string(),
    version: z.int().min(1),
    /** Who began it: a rule. */
    by: z.string(),
    startedAt: instantSchema,
    /** The step that comes next; the first is 0. */
    step: z.int().min(0),
    state: z.enum(['active', 'done', 'stopped']),
    stopped: z.enum(stopReasons).optional(),
    /** When the sweep asks for the next step; absent once it has ended. */
    nextAt: instantSchema.optional(),
    /** How often the sweep has asked for this step; spaces out the repeats. */
    repeats: z.int().min(0),
  }),
);
/** One inquiry in one sequence. */
export type Enrolment = z.infer<typeof enrolmentSchema>;

/** An inquiry that begins a sequence; undefined where there is no such one. */
export function enrolled(
  { inquiryId, contactId, sequence, by }: Pick<Enrolment, 'inquiryId' | 'contactId' | 'sequence' | 'by'>,
  now: Date,
): Enrolment | undefined {
  const first = findSequence(sequence)?.steps[0];
  return (
    first && {
      inquiryId,
      contactId,
      sequence,
      by,
      version: 1,
      startedAt: now.toISOString(),
      step: 0,
      state: 'active',
      nextAt: after(now, first.afterHours * hour),
      repeats: 0,
    }
  );
}

export const sequenceRunSchema = z.lazy(() =>
  z.object({
    sequence: z.string(),
    version: z.int().min(1),
    /** Steps that they have got. */
    steps: z.int().min(1),
    /** The inquiry that brought the last of them. */
    inquiryId: z.string(),
    /** What begins by then belongs to the same run. */
    openUntil: instantSchema,
  }),
);
/** One person in one sequence, whichever of their inquiries are in it: each step comes once. */
export type SequenceRun = z.infer<typeof sequenceRunSchema>;

/** How much later than planned a step may be: nights, and what was not at work. */
const lateMs = 7 * 24 * hour;

const isOpenFor = ({ openUntil }: SequenceRun, { startedAt }: Enrolment): boolean => startedAt <= openUntil;

/**
 * Whether a person has got the step of an inquiry that comes next by another one of theirs. What this
 * one itself claimed and perhaps never sent it may send again.
 */
export function hasStep(run: SequenceRun, enrolment: Enrolment): boolean {
  const { step, inquiryId } = enrolment;
  const isOwn = run.inquiryId === inquiryId && run.steps === step + 1;
  return isOpenFor(run, enrolment) && run.steps > step && !isOwn;
}

/** The run once a person gets the step of an inquiry that comes next. */
export function withStep(run: SequenceRun | undefined, enrolment: Enrolment, now: Date): SequenceRun {
  const { sequence, inquiryId, step } = enrolment;
  const next = findSequence(sequence)?.steps[step + 1];
  return {
    sequence,
    version: (run?.version ?? 0) + 1,
    steps: step + 1,
    inquiryId,
    openUntil: after(now, next ? next.afterHours * hour + lateMs : 0),
  };
}

const firstPauseMs = 5 * 60_000;
const longestPauseMs = 6 * hour;

/** The state once the sweep has asked for the step that is due; undefined where none is. */
export function takeDueEnrolment(enrolment: Enrolment, now: Date): Enrolment | undefined {
  if (enrolment.nextAt === undefined || enrolment.nextAt > now.toISOString()) return undefined;
  const pause = Math.min(firstPauseMs * 2 ** enrolment.repeats, longestPauseMs);
  return {
    ...enrolment,
    version: enrolment.version + 1,
    nextAt: after(now, pause),
    repeats: enrolment.repeats + 1,
  };
}

/** The state once its step is settled, sent that is: waiting for the next one, or done. */
export function stepTaken(enrolment: Enrolment, now: Date): Enrolment {
  const { nextAt: _taken, ...rest } = enrolment;
  const step = enrolment.step + 1;
  const next = findSequence(enrolment.sequence)?.steps[step];
  const settled = { ...rest, version: enrolment.version + 1, step, repeats: 0 };
  return next
    ? { ...settled, nextAt: after(now, next.afterHours * hour) }
    : { ...settled, state: 'done' as const };
}

/** The state once it has ended for another reason. */
export function stopped(enrolment: Enrolment, reason: StopReason): Enrolment {
  const { nextAt: _never, ...rest } = enrolment;
  return { ...rest, version: enrolment.version + 1, state: 'stopped', stopped: reason };
}
