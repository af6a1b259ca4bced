/** The hours in which nobody is written to who did not just write themselves. */
import { addDays, instantOf, localTime } from '../local-time.ts';

/** In 24-hour time; where it ends before it begins it goes past midnight. */
export interface QuietHours {
  readonly from: string;
  readonly to: string;
}

/** When the quiet hours of an instant end; undefined where it is not in any. */
export function quietUntil(now: Date, { from, to }: QuietHours, timeZone: string): Date | undefined {
  const today = localTime(now, timeZone);
  // Those that began yesterday may still last.
  for (const days of [-1, 0]) {
    const day = addDays(today, days);
    const begin = instantOf(day, from, timeZone);
    const end = instantOf(from < to ? day : addDays(day, 1), to, timeZone);
    if (begin <= now && now < end) return end;
  }
  return undefined;
}
