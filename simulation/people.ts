/**
 * People who write to a practice: invented, and drawn from a seed. Names are of nobody, addresses end in
 * example.com, numbers are of those that are kept for stories (555-0100 to 555-0199).
 */
import { addBusinessMinutes } from '../shared/domain/business-time.ts';
import { localTime } from '../shared/domain/local-time.ts';
import type { Location, Practice } from '../shared/domain/practice.ts';
import { minuteMs } from './minutes.ts';
import type { Random } from './random.ts';

/** One inquiry as somebody sends it. */
export interface Arrival {
  readonly atMs: number;
  /** Who it is from, by their number; some write twice. */
  readonly person: number;
  readonly by: 'web_form' | 'front_desk' | 'google_ads';
  readonly fields: Readonly<Record<string, string>>;
}

/** Whether it lets them be e-mailed, whatever they said before: who writes by e-mail may be answered by e-mail. */
export const allowsMail = ({ fields }: Arrival): boolean =>
  fields['consentEmail'] === 'yes' || fields['channel'] === 'email';

/** Everything of a person that no staff mail may hold. */
export interface Person {
  readonly name: string;
  readonly email: string | undefined;
  readonly phone: string;
  /** What becomes of an e-mail to them, if not just read. */
  readonly habit: 'unsubscribes' | 'bounces' | undefined;
}

export interface People {
  readonly people: readonly Person[];
  /** In order of time. */
  readonly arrivals: readonly Arrival[];
}

const firstNames = [
  'Adaline Amara Anselm Beatrix Bram Calista Cedric Cosima Dario Delphine Elio Emeline Farid Fenna Gideon',
  'Greta Hadley Halima Ines Isandro Jarek Jovana Kasimir Keziah Lenora Linus Marisol Matthias Nadia Niall',
  'Octavia Orson Perla Quillan Rafaela Renzo Saoirse Silas Tamsin Thaddeus Umberto Ursula Vashti Viggo',
  'Wilhelmina Xiomara Yannick Yesenia Zelda Zoltan',
].flatMap((line) => line.split(' '));
const lastNames = [
  'Abernathy Almqvist Bellweather Birdsong Calloway Castellane Dunmore Drakensberg Eastlake Escamilla',
  'Fairbrook Fontanelli Goldcrest Grimaldo Hawthorne Holmquist Inverness Izquierdo Jandreau Kaldwell',
  'Kestrel Langstrom Lovelace Marchetti Merriweather Nightingale Norwood Oakhurst Ostrander Pemberton',
  'Quintero Ravenscroft Rosenthorn Salcedo Sandoval Thistlewood Tremaine Underhill Valcourt Vandermeer',
  'Whitlock Winterbourne Yarborough Zamorano',
].flatMap((line) => line.split(' '));
const areaCodes = [312, 773, 303, 720, 415, 650, 206, 503, 602, 702, 801, 505, 214, 512, 713, 404, 305, 212];

/** Out of a hundred inquiries, so many come by each channel. */
const channelWeights = {
  web_form: 46,
  phone_call: 12,
  missed_call: 7,
  referral: 12,
  ad_form: 8,
  chat: 4,
  directory: 4,
  email: 4,
  walk_in: 3,
};
type Channel = keyof typeof channelWeights;

const insurances = [
  'Blue Shield PPO',
  'Aetna HMO',
  'Cigna PPO',
  'UnitedHealthcare PPO',
  'Kaiser HMO',
  'Medicare',
  'Medicaid',
  'Self-pay',
];
const messages = [
  'I would like an appointment when you have one.',
  'Please call me back after work.',
  'I moved here last month and need a new practice.',
  'My friend said that you are good with this.',
  'How soon could I be seen, and what would it cost?',
  'I tried to call and nobody answered.',
];
const spanishMessages = ['Quisiera una cita, por favor.', '¿Cuándo tienen un horario disponible?'];
const emergencies = [
  'My face is swelling and I have trouble breathing',
  'I have chest pain since this morning',
];

/** The campaign parameters or click id by which an inquiry of a source is known. */
function trackingOf(sourceId: string, practice: Practice, random: Random): Record<string, string> {
  const match = practice.sources.find(({ id }) => id === sourceId)?.match;
  const [clickId] = match?.clickIds ?? [];
  if (clickId !== undefined) return { [clickId]: `click-${random.between(100_000, 999_999)}` };
  const [utm] = match?.utm ?? [];
  return {
    ...(utm?.source !== undefined && { utm_source: utm.source }),
    ...(utm?.medium !== undefined && { utm_medium: utm.medium }),
  };
}

/** Every quarter of an hour of a run, by how much is going on in it. */
function quarters(location: Location, fromMs: number, untilMs: number): { atMs: number; weight: number }[] {
  const quarterMs = 15 * minuteMs;
  const opensMs = addBusinessMinutes(new Date(fromMs), 0, location).getTime();
  // The end of the day that the run begins in, and the first hours of the next one that is open.
  const firstDay = localTime(new Date(opensMs), location.timeZone).day;
  const slots: { atMs: number; weight: number }[] = [];
  let wasOpen = true;
  let sinceOpenMs = Number.POSITIVE_INFINITY;
  for (let atMs = fromMs; atMs < untilMs; atMs += quarterMs) {
    const { day, time } = localTime(new Date(atMs), location.timeZone);
    const isOpen = addBusinessMinutes(new Date(atMs), 0, location).getTime() === atMs;
    if (isOpen && !wasOpen) sinceOpenMs = 0;
    const isNight = time < '07:00' || time >= '23:00';
    const closed = isNight ? 0.3 : 1.3;
    // Whoever could not sleep on it writes before the doors open, and in the first hours after.
    const early = !isOpen && time >= '06:30' && time < '09:00' && day !== firstDay ? 4 : closed;
    const weight = isOpen ? (day === firstDay ? 22 : sinceOpenMs < 180 * minuteMs ? 15 : 9) : early;
    slots.push({ atMs, weight });
    wasOpen = isOpen;
    sinceOpenMs += quarterMs;
  }
  return slots;
}

/** So many instants, more of them where more is going on. */
function instants(n: number, slots: readonly { atMs: number; weight: number }[], random: Random): number[] {
  const total = slots.reduce((sum, { weight }) => sum + weight, 0);
  const drawn = Array.from({ length: n }, () => {
    let left = random.next() * total;
    const slot = slots.find(({ weight }) => {
      left -= weight;
      return left < 0;
    });
    return (slot ?? slots[0])?.atMs ?? 0;
  });
  return drawn.map((atMs) => atMs + random.between(0, 15 * minuteMs - 1)).sort((a, b) => a - b);
}

/** Draws as many inquiries as are asked for, over everything that the practice offers. */
export function drawPeople(
  practice: Practice,
  wanted: { readonly inquiries: number; readonly fromMs: number; readonly untilMs: number },
  random: Random,
): People {
  const [location] = practice.locations;
  if (!location) throw new RangeError('a practice has at least one location');
  // Nobody writes in the last minutes of a run: there would be no time left to see them through.
  const slots = quarters(location, wanted.fromMs, wanted.untilMs - 10 * minuteMs);
  const spoken = practice.members.flatMap((member) =>
    'languages' in member ? (member.languages ?? []) : [],
  );
  const languages = [...new Set(['en', 'es', ...(spoken as string[])])];
  const frontDesk = practice.forms.some(({ maySetChannel, origins }) => maySetChannel && origins.length > 0);
  const people: Person[] = [];
  const given: Record<string, string>[] = [];

  function newPerson(): number {
    const n = people.length;
    const [first, last] = [random.pick(firstNames), random.pick(lastNames)];
    const name = `${first} ${last}`;
    const line = 100 + (n % 100);
    const area = areaCodes[Math.floor(n / 100) % areaCodes.length];
    const phone = `(${area}) 555-0${line}`;
    const email = random.chance(0.88) ? `${first}.${last}.${n}@example.com`.toLowerCase() : undefined;
    const draw = random.next();
    const habit = draw < 0.02 ? 'bounces' : draw < 0.06 ? 'unsubscribes' : undefined;
    people.push({ name, email, phone, habit });
    const language = random.chance(0.78) ? 'en' : random.pick(languages);
    const hasPhone = email === undefined || random.chance(0.92);
    given.push({
      name,
      ...(email !== undefined && { email }),
      ...(hasPhone && { phone }),
      language,
      ...(random.chance(0.7) && { insurance: random.pick(insurances) }),
      ...(random.chance(0.9) && { location: random.pick(practice.locations).id }),
      ...(random.chance(0.3) && { age: String(random.between(18, 84)) }),
    });
    return n;
  }

  const arrivals = instants(wanted.inquiries, slots, random).map((atMs, i): Arrival => {
    const writesAgain = people.length > 5 && random.chance(0.06);
    const person = writesAgain ? random.between(0, people.length - 1) : newPerson();
    const own = given[person] ?? {};
    const minor = !writesAgain && random.chance(0.03);
    const service = random.chance(0.93) ? random.pick(practice.services).name : 'something else';
    const isSpanish = own['language'] === 'es';
    const urgent = random.chance(0.015);
    const message = urgent ? random.pick(emergencies) : random.pick(isSpanish ? spanishMessages : messages);
    const fields = {
      ...own,
      service,
      ...(random.chance(0.6) || urgent ? { message } : {}),
      ...(random.chance(0.4) && {
        preferredTime: random.pick(['morning', 'midday', 'afternoon', 'evening']),
      }),
      ...(minor && {
        patientName: `${random.pick(firstNames)} ${people[person]?.name.split(' ')[1]}`,
        age: '9',
      }),
      ...(random.chance(0.75) && { consentEmail: 'yes' }),
    };
    const wish = random.weighted(channelWeights);
    const channel: Channel = wish === 'web_form' || wish === 'ad_form' || frontDesk ? wish : 'web_form';
    if (channel === 'ad_form') return { atMs, person, by: 'google_ads', fields };
    const sourceId =
      channel === 'referral' && practice.sources.some(({ id }) => id === 'physician-referral')
        ? 'physician-referral'
        : random.pick(practice.sources).id;
    if (channel === 'web_form') {
      const tracking = trackingOf(sourceId, practice, random);
      return {
        atMs,
        person,
        by: 'web_form',
        fields: { ...fields, ...tracking, idempotencyKey: `form-${i}` },
      };
    }
    return {
      atMs,
      person,
      by: 'front_desk',
      fields: { ...fields, channel, source: sourceId, idempotencyKey: `desk-${i}` },
    };
  });
  return { people, arrivals };
}
