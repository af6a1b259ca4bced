/**
 * A clock that is never behind what it has read. The clocks of two processes differ by some milliseconds: who
 * changes what another one has just changed would tell of it as if it had come first, and the timeline, which is
 * in the order of its times, would lead to another state. So what is written of people and inquiries carries
 * its time, and who reads it goes on from there: a hybrid logical clock
 * (Kulkarni and others, "Logical Physical Clocks", 2014).
 */
import { contactPk, contactPointPk, inquiryPk, type Key } from './keys.ts';
import type { Condition, Row, Table, Write } from './table.ts';

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
  let leastMs = Number.NEGATIVE_INFINITY;
  return {
    now() {
      const ms = machineMs();
      // A machine that was set back by more than that is right now.
      leastMs = leastMs - ms > mostAheadMs ? ms : Math.max(ms, leastMs);
      return new Date(leastMs);
    },
    see(ms) {
      if (ms >= leastMs && ms - machineMs() < mostAheadMs) leastMs = ms + 1;
    },
  };
}

const histories = [inquiryPk(''), contactPk(''), contactPointPk('')];

/** Whether an item is part of what is told of people and their inquiries. */
const isTold = ({ pk }: Key): boolean => histories.some((prefix) => pk.startsWith(prefix));

/** By these an item says which of two states of it is the later one. */
const orders = ['version', 'at'];

/**
 * Whether a write is of something new, or goes over the state that was read: its time is later than that of the
 * item then. A whole item that is put on a condition is one of these; an update that takes the item as it is, a
 * claim say, could set the item's time back.
 */
function isOverRead(write: Write): boolean {
  const { when = [] } = write;
  const isNewOrRead = (clauses: Condition[number]): boolean =>
    clauses.some(([attribute, is]) => orders.includes(attribute) || (attribute === 'pk' && is === 'absent'));
  return when.length > 0 && ('put' in write || when.every(isNewOrRead));
}

/** A table by which a clock goes: what is written carries the time, and whoever reads it is not behind that. */
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
