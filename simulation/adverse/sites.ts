/** What a call is about, so that calls of one kind are told as one: an operation on kinds of items. */
import type { Key } from '../../shared/data/keys.ts';
import type { Query, Write } from '../../shared/data/table.ts';
import { keyOf } from '../memory-table.ts';

const partOf = (text: string): string => /^~?[A-Z]+/.exec(text)?.[0] ?? '*';
const names = new Map<string, string>();

/** The kind of an item, from its key: `INQ HEAD`. */
export function kindOfItem({ pk, sk }: Key): string {
  const key = `${pk.slice(0, 4)} ${sk.slice(0, 4)}`;
  const known = names.get(key);
  if (known !== undefined) return known;
  const name = `${partOf(pk)} ${partOf(sk)}`;
  names.set(key, name);
  return name;
}

const unique = (kinds: readonly string[]): string => [...new Set(kinds)].sort().join('+');

export const siteOf = {
  get: (key: Key): string => kindOfItem(key),
  batchGet: (keys: readonly Key[]): string => unique(keys.map(kindOfItem)),
  query: ({ pk, index, from }: Query): string =>
    index === undefined
      ? `${partOf(pk)}${from === undefined ? '' : ` ${partOf(from)}`}`
      : `${index} ${partOf(pk)}`,
  write: (write: Write): string => kindOfItem(keyOf(write)),
  transact: (writes: readonly Write[]): string => unique(writes.map((write) => kindOfItem(keyOf(write)))),
};
