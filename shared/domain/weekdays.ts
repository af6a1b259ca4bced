/** Weekdays by name, as practice files and rules write them. */

/** The days in ISO order; the index plus one is the ISO weekday. */
export const weekdays = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;
export type Weekday = (typeof weekdays)[number];
