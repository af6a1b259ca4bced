/**
 * What a request costs in DynamoDB's units, worked out from the items by the
 * published rules: DynamoDB Local's own figures are wrong for transactions.
 *
 * Sizes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 * Units: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 * Indexes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations
 */

/** A value as it travels: `{"S":"text"}`, numbers as text, bytes in base64. */
export type WireValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: boolean }
  | { readonly L: readonly WireValue[] }
  | { readonly M: Readonly<Record<string, WireValue>> }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] };
export type WireItem = Readonly<Record<string, WireValue>>;

const bytesPerWriteUnit = 1024;
const bytesPerReadUnit = 4096;
/** What a list or map takes for itself, and for each element. */
const containerBytes = 3;
const elementBytes = 1;

const textBytes = (text: string): number => Buffer.byteLength(text, 'utf8');
const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

/** One byte for every two significant digits and one more, and one for the sign of a negative number. */
function numberBytes(text: string): number {
  const [mantissa = ''] = text.replace('-', '').split(/e/i);
  const [whole = '', fraction = ''] = mantissa.split('.');
  let digits = (whole + fraction).replace(/^0+/, '');
  if (fraction === '') digits = digits.replace(/0+$/, '');
  return Math.ceil(digits.length / 2) + 1 + (text.startsWith('-') ? 1 : 0);
}

function valueBytes(value: WireValue): number {
  if ('S' in value) return textBytes(value.S);
  if ('N' in value) return numberBytes(value.N);
  if ('B' in value) return Buffer.from(value.B, 'base64').length;
  if ('SS' in value) return sum(value.SS.map(textBytes));
  if ('NS' in value) return sum(value.NS.map(numberBytes));
  if ('L' in value) return containerBytes + sum(value.L.map((element) => elementBytes + valueBytes(element)));
  if ('M' in value) return containerBytes + elementBytes * Object.keys(value.M).length + itemBytes(value.M);
  return 1;
}

/** The size of an item: its attributes' names and values. */
export const itemBytes = (item: WireItem): number =>
  sum(Object.entries(item).map(([name, value]) => textBytes(name) + valueBytes(value)));

const bytesOf = (item: WireItem | undefined): number => (item ? itemBytes(item) : 0);

/** Units of a plain write over `before`: by the larger of the two images, one at least. */
export const writeUnits = (before: WireItem | undefined, after: WireItem | undefined): number =>
  Math.max(1, Math.ceil(Math.max(bytesOf(before), bytesOf(after)) / bytesPerWriteUnit));

/** Units of reading so many bytes in one go; what is not there costs as much as the smallest item. */
export const readUnits = (bytes: number, consistency: 'eventual' | 'strong' | 'transactional'): number =>
  Math.max(1, Math.ceil(bytes / bytesPerReadUnit)) *
  { eventual: 0.5, strong: 1, transactional: 2 }[consistency];

/** An index that projects the keys alone, as all of this table's do. */
export interface KeysOnlyIndex {
  readonly name: string;
  /** The index's own key attributes. */
  readonly keys: readonly string[];
}

/** The entry that an item has in an index; undefined where it lacks one of the index's keys. */
export function indexEntry(
  item: WireItem | undefined,
  index: KeysOnlyIndex,
  tableKeys: readonly string[],
): WireItem | undefined {
  if (item === undefined || index.keys.some((name) => item[name] === undefined)) return undefined;
  const names = new Set([...tableKeys, ...index.keys]);
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name)));
}

/**
 * Units that a change of an item costs in an index: an entry that appears or
 * disappears is one write, one that moves is two, one that stays is none. An index
 * is written after the fact, so a transaction does not double it.
 */
export function indexWriteUnits(
  before: WireItem | undefined,
  after: WireItem | undefined,
  index: KeysOnlyIndex,
  tableKeys: readonly string[],
): number {
  const old = indexEntry(before, index, tableKeys);
  const next = indexEntry(after, index, tableKeys);
  if (old && next && sameItem(old, next)) return 0;
  return (old ? writeUnits(old, undefined) : 0) + (next ? writeUnits(undefined, next) : 0);
}

const sameItem = (a: WireItem, b: WireItem): boolean =>
  Object.keys(a).every((name) => JSON.stringify(a[name]) === JSON.stringify(b[name]));
