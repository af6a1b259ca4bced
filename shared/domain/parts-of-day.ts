/** Parts of a day, in its order. */
export const partsOfDay = ['morning', 'midday', 'afternoon', 'evening'] as const;
export type PartOfDay = (typeof partsOfDay)[number];

/** When another attempt to call is to be made. */
export interface CadenceStep {
  /** Days after the first attempt, by the location's calendar. */
  readonly afterDays: number;
  /** Another part is taken where the last attempt was in this one, or the location is closed then. */
  readonly partOfDay: PartOfDay;
}
