/**
 * A clock that is never behind what it has read. The clocks of two processes differ by some milliseconds: who
 * changes what another one has just changed would tell of it as if it had come first, and the timeline, which is
 * in the order of its times, would lead to another state. So whatever people and inquiries are changed by
 * carries its time, and who reads it goes on from there: a hybrid logical clock
 * (Kulkarni and others, "Logical Physical Clocks", 2014).
 */
import { contactPk, inquiryPk, type Key } from './keys.ts';
import type { Row, Table, Write } from './table.ts';

export interface HybridClock {
  /** The machine's time, or just after the latest that was seen, whichever is later. */
  now(): Date;
  /** What was read was written at this time, in milliseconds. */
  see(ms: number): void;
}

/** A clock that is further ahead than this is wrong, and nobody follows it. */
export const mostAheadMs = 1_000;

/** @param machineMs - the machine's time, in milliseconds */
export function createHybridClock(machineMs: () => number): HybridClock {
  let seenMs = Number.NEGATIVE_INFINITY;
  return {
    now() {
      const ms = machineMs();
      return new Date(seenMs - ms > mostAheadMs ? ms : Math.max(ms, seenMs + 1));
    },
    see(ms) {
      if (ms > seenMs && ms - machineMs() <= mostAheadMs) seenMs = ms;
    },
  };
}

const histories = [inquiryPk(''), contactPk('')];

/** Whether an item is of those that are changed again and again, each time with something told of it. */
const isTold = ({ pk }: Key): boolean => histories.some((prefix) => pk.startsWith(prefix));

/**
 * Whether a write goes over what was read: it has the time of that then, too. One that takes the item as it is,
 * a claim say, might set its time back.
 */
function isOverRead(write: Write): boolean {
  if ('put' in write) return 'version' in write.put;
  const { when = [] } = write;
  return when.length > 0 && when.every((clauses) => clauses.some(([attribute]) => attribute === 'version'));
}

/** A table by which a clock goes: what is changed carries the time, and whoever reads it is not behind that. */
export function keepingTime(table: Table, clock: HybridClock): Table {
  function stamped(write: Write): Write {
    if (!isOverRead(write)) return write;
    const clockMs = clock.now().getTime();
    if ('put' in write && isTold(write.put)) return { ...write, put: { ...write.put, clockMs } };
    if ('update' in write && isTold(write.update)) return { ...write, set: { ...write.set, clockMs } };
    return write;
  }
  function see(row: Row | undefined): void {
    const ms = row?.['clockMs'];
    if (typeof ms === 'number') clock.see(ms);
  }

  return {
    async get(key, options) {
      const row = await table.get(key, options);
      see(row);
      return row;
    },
    async batchGet(keys, options) {
      const rows = await table.batchGet(keys, options);
      rows.forEach(see);
      return rows;
    },
    async query(query) {
      const page = await table.query(query);
      page.rows.forEach(see);
      return page;
    },
    async write(write) {
      const written = await table.write(stamped(write));
      see(written.committed ? written.row : written.existing);
      return written;
    },
    async transact(writes) {
      const transacted = await table.transact(writes.map(stamped));
      if (!transacted.committed) for (const row of transacted.failed.values()) see(row);
      return transacted;
    },
  };
}
