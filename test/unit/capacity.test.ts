import { describe, expect, it } from 'vitest';
import {
  indexWriteUnits,
  itemBytes,
  readUnits,
  type WireItem,
  type WireValue,
  writeUnits,
} from '../../bench/capacity.ts';
import { applyUpdate, createLedger } from '../../bench/ledger.ts';
import type { CountedCall } from '../../local/system.ts';

/** An item of just so many bytes. */
const item = (bytes: number): WireItem => ({ a: { S: 'x'.repeat(bytes - 1) } });

describe('the size of an item', () => {
  it.each<[string, WireValue, number]>([
    ['text in UTF-8', { S: 'López' }, 6],
    ['empty text', { S: '' }, 0],
    ['a number, two digits to a byte and one more', { N: '1795453789' }, 6],
    ['a number with an odd count of digits', { N: '12345' }, 4],
    ['zeros before and after the digits', { N: '0.00120' }, 3],
    ['trailing zeros', { N: '45000' }, 2],
    ['zero', { N: '0' }, 1],
    ['a negative number', { N: '-0.6' }, 3],
    ['bytes', { B: 'AAECAw==' }, 4],
    ['a boolean', { BOOL: true }, 1],
    ['null', { NULL: true }, 1],
    ['an empty list', { L: [] }, 3],
    ['a list', { L: [{ S: 'ab' }, { BOOL: false }] }, 3 + (1 + 2) + (1 + 1)],
    ['a map, with its names', { M: { step: { S: 'abc' } } }, 3 + 1 + 4 + 3],
    ['a set of texts', { SS: ['ab', 'c'] }, 3],
  ])('counts %s', (_, value, bytes) => {
    expect(itemBytes({ n: value })).toBe(1 + bytes);
  });

  it('adds the names to the values', () => {
    expect(itemBytes({ pk: { S: 'INQ#1' }, open: { N: '12' } })).toBe(2 + 5 + 4 + 2);
  });
});

describe('units', () => {
  it.each([
    [undefined, item(1), 1],
    [undefined, item(1024), 1],
    [undefined, item(1025), 2],
    [item(3000), item(10), 3],
    [item(3000), undefined, 3],
    [undefined, undefined, 1],
  ])('a write is counted by the larger image (%#)', (before, after, units) => {
    expect(writeUnits(before, after)).toBe(units);
  });

  it.each([
    [0, 'strong', 1],
    [4096, 'strong', 1],
    [4097, 'strong', 2],
    [4097, 'eventual', 1],
    [0, 'eventual', 0.5],
    [10, 'transactional', 2],
  ] as const)('reading %i bytes, %s', (bytes, consistency, units) => {
    expect(readUnits(bytes, consistency)).toBe(units);
  });
});

const due = { name: 'due', keys: ['duePk', 'dueSk'] };
const keyed = (more: WireItem): WireItem => ({ pk: { S: 'p' }, sk: { S: 's' }, ...more });
const at = (time: string, more: WireItem = {}): WireItem =>
  keyed({ duePk: { S: 'DUE#0' }, dueSk: { S: time }, ...more });

describe('writes of an index', () => {
  it.each<[string, WireItem | undefined, WireItem | undefined, number]>([
    ['an item outside of it costs nothing', undefined, keyed({}), 0],
    ['half a key is outside of it', undefined, keyed({ duePk: { S: 'DUE#0' } }), 0],
    ['an entry appears', keyed({}), at('1'), 1],
    ['an entry disappears', at('1'), keyed({}), 1],
    ['its item is removed', at('1'), undefined, 1],
    ['an entry moves', at('1'), at('2'), 2],
    ['what it does not project changes', at('1'), at('1', { stage: { S: 'new' } }), 0],
    ['a wide entry', undefined, at('x'.repeat(1024)), 2],
  ])('%s', (_, before, after, units) => {
    expect(indexWriteUnits(before, after, due, ['pk', 'sk'])).toBe(units);
  });
});

describe('the ledger', () => {
  const call = (operation: string, request: object, response: object = {}, status = 200): CountedCall => ({
    functionName: 'capture',
    service: 'dynamodb',
    operation,
    request,
    status,
    response,
  });
  const key = keyed({});
  const update = {
    Key: key,
    UpdateExpression: 'SET #n0 = :v0 REMOVE #n1 ADD #n2 :v1',
    ExpressionAttributeNames: { '#n0': 'dueSk', '#n1': 'name', '#n2': 'open' },
    ExpressionAttributeValues: { ':v0': { S: '2' }, ':v1': { N: '-1' } },
  };

  it('follows an update', () => {
    expect(applyUpdate(at('1', { name: { S: 'x' }, open: { N: '3' } }), update)).toEqual(
      at('2', { open: { N: '2' } }),
    );
    expect(applyUpdate(undefined, update)).toEqual(keyed({ dueSk: { S: '2' }, open: { N: '-1' } }));
  });

  it('refuses an update that it cannot read rather than price it wrongly', () => {
    expect(() =>
      applyUpdate(undefined, { ...update, UpdateExpression: 'SET #n0 = if_not_exists(#n0, :v0)' }),
    ).toThrow('cannot follow');
  });

  it('doubles the items of a transaction and not their index entries', () => {
    const ledger = createLedger([due], []);
    const transaction = {
      TransactItems: [
        { Put: { Item: at('1') } },
        { ConditionCheck: { Key: { pk: { S: 'q' }, sk: { S: 's' } } } },
      ],
    };
    expect(ledger.cost(call('TransactWriteItems', transaction))).toEqual({ write: 2 + 1 + 2, read: 0 });
  });

  it('knows what a write finds from the writes before it, and from the rows it began with', () => {
    const ledger = createLedger([due], [at('1')]);
    expect(ledger.cost(call('UpdateItem', update)).write).toBe(1 + 2);
    expect(ledger.cost(call('PutItem', { Item: at('2') })).write).toBe(1);
    expect(ledger.cost(call('DeleteItem', { Key: key })).write).toBe(1 + 1);
    expect(ledger.cost(call('DeleteItem', { Key: key })).write).toBe(1);
  });

  it('charges a refused write for what stands there, and leaves it', () => {
    const ledger = createLedger([due], [at('1', { text: { S: 'x'.repeat(2000) } })]);
    expect(ledger.cost(call('PutItem', { Item: at('9') }, {}, 400)).write).toBe(2);
    expect(ledger.cost(call('DeleteItem', { Key: key })).write).toBe(2 + 1);
  });

  it('reads a query as a whole, a batch item by item, and what is missing as the smallest', () => {
    const ledger = createLedger([due], []);
    const Items = [item(3000), item(3000)];
    const batch = { RequestItems: { table: { Keys: [{}, {}, {}], ConsistentRead: true } } };
    expect(ledger.cost(call('Query', { ConsistentRead: true }, { Items })).read).toBe(2);
    expect(ledger.cost(call('Query', {}, { Items: [] })).read).toBe(0.5);
    expect(ledger.cost(call('BatchGetItem', batch, { Responses: { table: Items } })).read).toBe(3);
    expect(ledger.cost(call('GetItem', { ConsistentRead: true }, {})).read).toBe(1);
    expect(ledger.cost(call('GetItem', {}, { Item: item(10) })).read).toBe(0.5);
  });

  it('reads only the keys from an index', () => {
    const wide = at('1', { text: { S: 'x'.repeat(9000) } });
    expect(createLedger([due], []).cost(call('Query', { IndexName: 'due' }, { Items: [wide] })).read).toBe(
      0.5,
    );
  });

  it('has no unit for other services', () => {
    const sent = { ...call('SendMessage', {}), service: 'sqs' as const };
    expect(createLedger([due], []).cost(sent)).toEqual({ write: 0, read: 0 });
  });
});
