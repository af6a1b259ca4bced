/** Opening hours as a message says them. */
import { addBusinessMinutes, type Opening } from '../business-time.ts';
import { type Weekday, weekdays } from '../weekdays.ts';

/** When it opens next: now, where it is open; undefined where it never opens. */
export function nextOpening(now: Date, location: Opening): Date | undefined {
  try {
    return addBusinessMinutes(now, 0, location);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

export const isOpenAt = (now: Date, location: Opening): boolean =>
  nextOpening(now, location)?.getTime() === now.getTime();

/** Languages as the practice's country writes times in them. */
const localeOf = (language: string): string => {
  try {
    return language.includes('-') ? new Intl.Locale(language).toString() : `${new Intl.Locale(language)}-US`;
  } catch {
    return 'en-US';
  }
};

const links: Readonly<Record<string, { readonly to: string; readonly and: string }>> = {
  en: { to: 'to', and: 'and' },
  es: { to: 'a', and: 'y' },
};
const linksOf = (language: string) =>
  links[language.split('-', 1)[0] ?? ''] ?? (links['en'] as (typeof links)[string]);

const parts = {
  moment: { weekday: 'long', month: 'long', day: 'numeric', hour: 'numeric', minute: '2-digit' },
  time: { hour: 'numeric', minute: '2-digit' },
  day: { weekday: 'long' },
} as const;
/** Languages and zones are configuration, and making a format takes longer than a whole message: each is made once. */
const formats = new Map<string, Intl.DateTimeFormat>();
const mostKept = 500;

function formatIn(language: string, timeZone: string, part: keyof typeof parts): Intl.DateTimeFormat {
  const name = `${language} ${timeZone} ${part}`;
  const known = formats.get(name);
  if (known) return known;
  const format = new Intl.DateTimeFormat(localeOf(language), { timeZone, ...parts[part] });
  if (formats.size >= mostKept) formats.clear();
  formats.set(name, format);
  return format;
}

/** As `Monday, November 23, 8:00 AM`; empty where it never opens. */
export function opensAtText(now: Date, location: Opening, language: string): string {
  const at = nextOpening(now, location);
  return at ? formatIn(language, location.timeZone, 'moment').format(at) : '';
}

/** The week's hours, a line for each run of days that have the same: `Monday to Friday: 8:00 AM to 5:00 PM`. */
export function hoursText({ hours }: Opening, language: string): string {
  const { to = '', and = '' } = linksOf(language) ?? {};
  const time = formatIn(language, 'UTC', 'time');
  const dayName = formatIn(language, 'UTC', 'day');
  const clock = (text: string): string => {
    const [hour = 0, minute = 0] = text.split(':').map(Number);
    return time.format(Date.UTC(2026, 0, 5, hour, minute));
  };
  // The fifth of January 2026 is a Monday.
  const nameOf = (day: Weekday): string => dayName.format(Date.UTC(2026, 0, 5 + weekdays.indexOf(day)));
  const runs: { readonly days: Weekday[]; readonly blocks: string }[] = [];
  for (const day of weekdays) {
    const blocks = (hours[day] ?? [])
      .map(({ open, close }) => `${clock(open)} ${to} ${clock(close)}`)
      .join(` ${and} `);
    const last = runs.at(-1);
    if (last?.blocks === blocks) last.days.push(day);
    else runs.push({ days: [day], blocks });
  }
  return runs
    .filter(({ blocks }) => blocks !== '')
    .map(({ days: [first, ...others], blocks }) => {
      const last = others.at(-1);
      const named = first === undefined ? '' : nameOf(first);
      return `${last === undefined ? named : `${named} ${to} ${nameOf(last)}`}: ${blocks}`;
    })
    .join('\n');
}
