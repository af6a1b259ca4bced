/** Times as clocks show them, in minutes. */

/** Of a time such as `16:30`; `24:00` is the end of the day. */
export function minuteOfDay(time: string): number {
  return 60 * Number(time.slice(0, 2)) + Number(time.slice(3, 5));
}

type Blocks = readonly { readonly open: string; readonly close: string }[];

/** Minutes that the clocks of a week show as open. */
export const weeklyMinutes = (hours: Readonly<Record<string, Blocks | undefined>>): number =>
  Object.values(hours)
    .flatMap((blocks) => blocks ?? [])
    .reduce((sum, { open, close }) => sum + minuteOfDay(close) - minuteOfDay(open), 0);
