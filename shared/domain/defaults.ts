/**
 * What holds where a practice file leaves something out: one constant per kind.
 * The schemas take their defaults from here, and so does whoever reads an entity
 * that was stored before a field was there (`entities.ts`). Both import this file, so
 * it imports plain words alone, nothing that knows a practice.
 */

import { commonRedFlags } from './common-red-flags.ts';
import type { CadenceStep } from './parts-of-day.ts';
import type { EscalationAction } from './rungs.ts';

export const serviceDefaults = { aliases: [] as string[] };

export const sourceMatchDefaults = { clickIds: [], utm: [], referrers: [] as string[] };

export const formDefaults = {
  origins: [] as string[],
  maySetSource: false,
  channel: 'web_form' as const,
  maySetChannel: false,
};

export const memberDefaults = { enabled: true };

export const poolDefaults = { services: [] as string[], fallback: false };
export const poolMemberDefaults = { weight: 1 };

export const completenessDefaults = {
  phone: 8,
  email: 4,
  name: 2,
  service: 2,
  insurance: 2,
  preferredTime: 2,
};
export const scoringDefaults = {
  caps: { source: 40, value: 40 },
  completeness: completenessDefaults,
  channelMinutes: { missed_call: 5, chat: 5, ad_form: 5, referral: 60 },
};
/** The published model, in force where a practice file names none. */
export const publishedScoringModel = {
  version: '2026-1',
  tiers: { A: 70, B: 40 },
  valueAnchorsCents: { low: 15_000, high: 1_000_000 },
  caps: scoringDefaults.caps,
  completeness: scoringDefaults.completeness,
  respondWithinMinutes: { A: 5, B: 60, C: 240 },
  channelMinutes: scoringDefaults.channelMinutes,
};

export const criterionDefaults = { services: [] as string[], words: [] as string[] };
export const urgencyMinutesDefaults = { same_day: 15, soon: 60 };
export const urgencyDefaults = { respondWithinMinutes: urgencyMinutesDefaults, criteria: [] };

export const redFlagsDefaults = { onDuty: [] as string[] };

export const ruleDefaults = { enabled: true, on: ['arrival' as const] };

/** Reminded at half time, warned at three quarters; at the deadline the managers hear of it, and somebody else gets it. */
export const escalationDefaults = {
  steps: [
    { atPercent: 50, do: ['remind'] },
    { atPercent: 75, do: ['warn'] },
    { atPercent: 100, do: ['notify_manager', 'reassign'] },
  ] as { atPercent: number; do: EscalationAction[] }[],
  thenEveryMinutes: 120,
};

/** Who could not be reached is called again the same day, the next, on day 3 and on day 7. */
export const followUpDefaults = {
  cadence: [
    { afterDays: 0, partOfDay: 'afternoon' },
    { afterDays: 1, partOfDay: 'morning' },
    { afterDays: 3, partOfDay: 'midday' },
    { afterDays: 7, partOfDay: 'afternoon' },
  ] as CadenceStep[],
};
export const digestDefaults = { at: '07:30' };

export const messagesDefaults = {
  /** What SES takes from a new account. */
  sendPerSecond: 1,
  quietHours: { from: '20:00', to: '08:00' },
  trackOpenings: false,
  templates: [],
};

/** Of the file's own fields and its single sections. */
export const practiceDefaults = {
  phoneCountry: 'US',
  emergencyLine: {
    en: 'If this is an emergency, call 911 now. Do not wait for our answer.',
    es: 'Si es una emergencia, llame al 911 ahora mismo. No espere nuestra respuesta.',
  },
  scoring: publishedScoringModel,
  urgency: urgencyDefaults,
  redFlags: commonRedFlags,
  escalation: escalationDefaults,
  serviceLines: [],
  messages: messagesDefaults,
  rules: [],
  followUp: followUpDefaults,
  digest: digestDefaults,
};
