/**
 * Looks for values in whatever a system leaves behind, however they are written there. What is searched
 * is decoded rather than the values encoded: so a value is found that is encoded twice, or half.
 */

/** Values by what they stand for. */
export type Canaries = Readonly<Record<string, string>>;

/** Decodings of decodings: base64 in hex in JSON, say. */
const mostDecodings = 2;
/** Shorter runs of characters cannot hold a canary. */
const base64Run = /[A-Za-z0-9+/_-]{10,}(?:=?\r?\n[A-Za-z0-9+/_-]+)*/g;
const hexRun = /(?:[0-9A-Fa-f]{2}[\s:,]?){6,}/g;

const namedCharacters: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  commat: '@',
  plus: '+',
  period: '.',
};

/** The character that a named reference means: `&eacute;` is an e and an accent, which does not count. */
const named = (whole: string, name: string): string =>
  namedCharacters[name.toLowerCase()] ??
  (/^[a-z](?:acute|grave|circ|tilde|uml|cedil|ring|caron)$/i.test(name) ? name.slice(0, 1) : whole);

const bytesOf = (run: string, byte: RegExp): string =>
  Buffer.from([...run.matchAll(byte)].map(([, hex = '']) => Number.parseInt(hex, 16))).toString('utf8');

const character = (code: number): string => (code <= 0x10ffff ? String.fromCodePoint(code) : '');

/** Every escape of a character undone: of JSON and JavaScript, URLs, quoted-printable and HTML. */
function unescapeOnce(text: string): string {
  return text
    .replace(/=\r?\n/g, '')
    .replace(/\\+u\{([0-9a-f]{1,6})\}/gi, (_, hex: string) => character(Number.parseInt(hex, 16)))
    .replace(/\\+u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/(?:\\+x[0-9a-f]{2})+/gi, (run) => bytesOf(run, /x([0-9a-f]{2})/gi))
    .replace(/(?:%[0-9a-f]{2})+/gi, (run) => bytesOf(run, /%([0-9a-f]{2})/gi))
    .replace(/(?:=[0-9A-F]{2})+/g, (run) => bytesOf(run, /=([0-9A-F]{2})/g))
    .replace(/&#x([0-9a-f]{1,6});?/gi, (_, hex: string) => character(Number.parseInt(hex, 16)))
    .replace(/&#(\d{1,7});?/g, (_, code: string) => character(Number(code)))
    .replace(/&([a-z]{2,8});/gi, named);
}

/** Letters and digits alone, without case and accents: punctuation may stand anywhere, as in a phone number. */
const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');

/** What bytes say as text: in UTF-8, and in UTF-16 where they can be that. */
function readings(bytes: Buffer): string[] {
  const texts = [bytes.toString('utf8')];
  // Every other byte of Latin letters is 0 there, and none is in UTF-8.
  if (!bytes.includes(0)) return texts;
  for (const from of [0, 1]) {
    const even = bytes.subarray(from, from + 2 * Math.floor((bytes.length - from) / 2));
    texts.push(even.toString('utf16le'), Buffer.from(even).swap16().toString('utf16le'));
  }
  return texts;
}

/** What stands in a text in base64 or hex, from every place that a value can begin at. */
function* decodings(text: string): Generator<Buffer> {
  for (const [run] of text.matchAll(base64Run)) {
    const characters = run.replace(/[=\r\n]+/g, '');
    for (const from of [0, 1, 2, 3]) yield Buffer.from(characters.slice(from), 'base64');
  }
  for (const [run] of text.matchAll(hexRun)) {
    const digits = run.replace(/[\s:,]+/g, '');
    for (const from of [0, 1]) yield Buffer.from(digits.slice(from), 'hex');
  }
}

/**
 * Names of the canaries that are in there, in whatever encoding.
 *
 * @throws Error where a canary is so short that it would be found by chance
 */
export function findCanaries(canaries: Canaries, searched: string | Buffer): string[] {
  const wanted = Object.entries(canaries).map(([name, value]) => [name, fold(value)] as const);
  for (const [name, folded] of wanted) {
    if (folded.length < 7) throw new Error(`the canary ${name} is too short to be unmistakable`);
  }
  const found = new Set<string>();

  const look = (text: string): void => {
    const folded = fold(text);
    for (const [name, value] of wanted) if (folded.includes(value)) found.add(name);
  };
  const search = (bytes: Buffer, depth: number): void => {
    for (const text of readings(bytes)) {
      look(text);
      let plain = text;
      for (let again = 0; again < 3; again++) {
        const next = unescapeOnce(plain);
        if (next === plain) break;
        look(next);
        plain = next;
      }
      if (depth === mostDecodings) continue;
      for (const decoded of decodings(text)) search(decoded, depth + 1);
      if (plain !== text) for (const decoded of decodings(plain)) search(decoded, depth + 1);
    }
  };
  search(Buffer.from(searched as string), 0);
  return [...found].sort();
}
