/**
 * Who may be the same person: two contacts behind one phone number or mailbox,
 * compared by their names. Nothing here decides; it gives the reasons by which a
 * human does.
 */
import { normalizeName } from './contact-point.ts';

/** Why two contacts are put before a human. */
export const matchReasons = [
  'same_phone',
  'same_email',
  'same_name',
  /** One inquiry came with the number of the one and the mailbox of the other, under the name of both. */
  'same_name_came_together',
  /** A slip of the pen, a short form, or a part of the other. */
  'similar_name',
  /** One of the two left no name. */
  'no_name',
  'same_last_name',
  'different_name',
] as const;
export type MatchReason = (typeof matchReasons)[number];

/** What the reasons speak for, to begin with. */
export type MatchKind = 'likely_same' | 'may_be_family';

const speakForOne: ReadonlySet<MatchReason> = new Set([
  'same_name',
  'same_name_came_together',
  'similar_name',
  'no_name',
]);

export const matchKind = (reasons: readonly MatchReason[]): MatchKind =>
  reasons.some((reason) => speakForOne.has(reason)) ? 'likely_same' : 'may_be_family';

/** Short forms that do not begin like the name; those that do ("Alex", "Dan") need no list. */
const shortForms: readonly (readonly [full: string, ...short: string[]])[] = [
  ['alejandro', 'jandro', 'sandro'],
  ['alexander', 'sasha', 'xander'],
  ['andrew', 'drew'],
  ['anthony', 'tony'],
  ['antonio', 'tono', 'tony'],
  ['beatriz', 'bea', 'betty'],
  ['charles', 'chuck', 'charlie'],
  ['dolores', 'lola'],
  ['edward', 'ned', 'ted', 'eddie'],
  ['elizabeth', 'beth', 'betsy', 'betty', 'libby', 'lisa', 'liz', 'lizzie'],
  ['enrique', 'quique'],
  ['francisco', 'paco', 'pancho'],
  ['guadalupe', 'lupe', 'lupita'],
  ['guillermo', 'memo'],
  ['henry', 'hank', 'harry'],
  ['ignacio', 'nacho'],
  ['isabel', 'chabela', 'isa'],
  ['james', 'jim', 'jimmy'],
  ['jesus', 'chucho', 'chuy'],
  ['john', 'jack', 'johnny'],
  ['jose', 'pepe'],
  ['katherine', 'kate', 'katie', 'kathy'],
  ['catherine', 'cathy', 'kate', 'katie'],
  ['luis', 'lucho'],
  ['margaret', 'maggie', 'meg', 'peggy'],
  ['manuel', 'manolo'],
  ['michael', 'mike', 'mikey'],
  ['patricia', 'paty', 'tricia', 'trish'],
  ['richard', 'dick', 'rick', 'rich'],
  ['robert', 'bob', 'bobby'],
  ['roberto', 'beto'],
  ['susan', 'sue', 'suzy'],
  ['teresa', 'tere', 'terry', 'tess'],
  ['theodore', 'ted', 'teddy'],
  ['victoria', 'vicky', 'tori'],
  ['william', 'bill', 'billy', 'liam'],
];
const fullFormsOf = new Map<string, Set<string>>();
for (const [full, ...forms] of shortForms) {
  for (const form of forms) fullFormsOf.set(form, (fullFormsOf.get(form) ?? new Set()).add(full));
}

/** A short form that is a name's beginning has at least this many letters. */
const shortestBeginning = 3;

/** How many slips a part of a name may hold, by the length of the longer one; in short names any slip makes another. */
const slipsAllowed = (length: number): number => (length >= 9 ? 2 : length >= 5 ? 1 : 0);

/**
 * How many letters were left out, put in, mistaken, or swapped with their
 * neighbour (Damerau and Levenshtein's distance, each stretch edited once).
 */
export function slips(a: string, b: string): number {
  const [from, to] = [[...a], [...b]];
  let twoBack: number[] = [];
  let back = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const mistaken = from[i - 1] === to[j - 1] ? 0 : 1;
      const swapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      row[j] = Math.min(
        (back[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (back[j - 1] ?? 0) + mistaken,
        ...(i > 1 && j > 1 && swapped ? [(twoBack[j - 2] ?? 0) + 1] : []),
      );
    }
    [twoBack, back] = [back, row];
  }
  return back[to.length] ?? 0;
}

/** Whether two parts of names may stand for one: an initial, a short form, a slip. */
function partsAgree(a: string, b: string): boolean {
  if (a === b) return true;
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (long.startsWith(short) && (short.length === 1 || short.length >= shortestBeginning)) return true;
  const isShortFor = (form: string, full: string): boolean => fullFormsOf.get(form)?.has(full) ?? false;
  if (isShortFor(a, b) || isShortFor(b, a)) return true;
  return slips(a, b) <= slipsAllowed(long.length);
}

/** Parts that are compared by likeness at the most; nobody's name has more, and pairing them takes time. */
const mostLikeParts = 6;

/** Whether each part stands for another one of the others. */
const canPair = ([part, ...rest]: readonly string[], others: readonly string[]): boolean =>
  part === undefined ||
  others.some((other, at) => partsAgree(part, other) && canPair(rest, others.toSpliced(at, 1)));

/** Whether every part of the shorter name stands for one of the longer, each for another, and one of them exactly. */
function namesAgree(a: readonly string[], b: readonly string[]): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  // What is equal is paired first: else a part that is merely similar could take its place.
  const left = [...long];
  const rest = short.filter((part) => {
    const at = left.indexOf(part);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  if (rest.length === short.length && long.length > 1) return false;
  return rest.length <= mostLikeParts && canPair(rest, left);
}

const partsOf = (name: string): string[] =>
  normalizeName(name)
    .split(' ')
    .filter((part) => part !== '');

/** Whatever stands for the family: the part before a comma, else the last one. */
function lastNameOf(name: string): string | undefined {
  const [beforeComma = '', afterComma] = name.split(',', 2);
  const text = afterComma?.trim() ? beforeComma : name;
  // Normalising sorts the parts; one by one they stay in their place.
  return text.split(/\s+/u).map(normalizeName).filter(Boolean).at(-1);
}

/**
 * The reasons for which two contacts behind the same points may be one person.
 *
 * @param shared - the kinds of points that both are behind
 */
export function reasonsToMatch(
  a: { readonly name?: string | undefined },
  b: { readonly name?: string | undefined },
  shared: readonly ('email' | 'phone')[],
): MatchReason[] {
  return [
    ...(shared.includes('phone') ? (['same_phone'] as const) : []),
    ...(shared.includes('email') ? (['same_email'] as const) : []),
    ...compareNames(a.name ?? '', b.name ?? ''),
  ];
}

function compareNames(a: string, b: string): MatchReason[] {
  const [parts, others] = [partsOf(a), partsOf(b)];
  if (parts.length === 0 || others.length === 0) return ['no_name'];
  if (parts.join(' ') === others.join(' ')) return ['same_name'];
  const lastName = lastNameOf(a);
  const family: MatchReason[] =
    lastName !== undefined && lastName === lastNameOf(b) ? ['same_last_name'] : [];
  if (namesAgree(parts, others)) return ['similar_name', ...family];
  return family.length > 0 ? family : ['different_name'];
}
