/**
 * What the practice's rules listen for after an inquiry's arrival. Read from the
 * rules as they are written: who only changes a state need not carry what runs them.
 */
import { addBusinessMinutes, type Opening } from './business-time.ts';
import type { Clock } from './escalation.ts';
import type { Inquiry, Listening, Silence } from './inquiry/state.ts';
import { findLocation, type Practice } from './practice.ts';
import type { Trigger } from './rules/facts.ts';
import { transitionsFor } from './service-lines.ts';

/**
 * The next time at which an inquiry will have been silent for as long as one of
 * the rules listens for; undefined where none of them listens for longer, or the
 * location is never open.
 *
 * @param since - when something happened last
 * @param passed - opening hours of silence that rules have looked at already
 */
export function nextSilence(
  { rules }: Pick<Practice, 'rules'>,
  location: Opening,
  since: string,
  passed = 0,
): Silence | undefined {
  const listened = rules
    .filter(({ enabled, on }) => enabled && on.includes('silence'))
    .flatMap(({ silentHours }) => (silentHours !== undefined && silentHours > passed ? [silentHours] : []));
  if (listened.length === 0) return undefined;
  const hours = Math.min(...listened);
  try {
    return { since, hours, at: addBusinessMinutes(new Date(since), hours * 60, location).toISOString() };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The clock of an inquiry, and the ladder on it. */
export const clockFor = (practice: Practice, { locationId }: Pick<Inquiry, 'locationId'>): Clock => ({
  location: findLocation(practice, locationId),
  escalation: practice.escalation,
});

/**
 * What a change of an inquiry has to know of its practice: its clock and its stages, and
 * what the rules listen for where something happens to an inquiry now.
 *
 * @param trigger - what happens; left out where it is nothing that rules could look at
 */
export function listeningFor(
  practice: Practice,
  inquiry: Pick<Inquiry, 'locationId' | 'serviceId'>,
  now: Date,
  trigger?: Trigger,
): Listening {
  const clock = clockFor(practice, inquiry);
  return {
    clock,
    transitions: transitionsFor(practice, inquiry.serviceId),
    awaitsRules:
      trigger !== undefined && practice.rules.some(({ enabled, on }) => enabled && on.includes(trigger)),
    silence: nextSilence(practice, clock.location, now.toISOString()),
    cadence: { steps: practice.followUp.cadence, location: findLocation(practice, inquiry.locationId) },
  };
}
