/** Ports that leave out one of the things that everything rests on: a run on them must break. */
import { inquirySk, memberLoad } from '../../shared/data/keys.ts';
import type { Row, Write } from '../../shared/data/table.ts';
import { kindOfItem } from '../../simulation/adverse/sites.ts';
import type { AdverseCheck } from '../../simulation/adverse/watch.ts';
import type { FaultKind } from '../../simulation/faults.ts';
import type { FunctionName, Ports } from '../../simulation/functions.ts';
import { keyOf } from '../../simulation/memory-table.ts';

export interface Sabotage {
  readonly what: string;
  /** Which checks may be the first to tell. */
  readonly told: readonly AdverseCheck[];
  /** The kind of fault by which it shows. */
  readonly only: FaultKind;
  /** How many inquiries it takes for that. */
  readonly inquiries: number;
  /** The seed to begin with, where few runs have what it takes: 1 unless told. */
  readonly from?: number;
  readonly portsOf: (name: FunctionName, ports: Ports) => Ports;
}

/** Ports whose writes are others. */
const changing = (ports: Ports, change: (write: Write) => Write): Ports => {
  const { table } = ports;
  return {
    ...ports,
    table: {
      ...table,
      write: (write) => table.write(change(write)),
      transact: (writes) => table.transact(writes.map(change)),
    },
  };
};

/** Writes of a function without their conditions, those of some kinds of items. */
const without =
  (name: FunctionName, ...kinds: string[]) =>
  (of: FunctionName, ports: Ports): Ports => {
    if (of !== name) return ports;
    return changing(ports, (write) => {
      if (!kinds.includes(kindOfItem(keyOf(write))) || 'check' in write) return write;
      const { when: _condition, ...rest } = write;
      return rest as Write;
    });
  };

const fieldsOf = (body: Row): object => body['fields'] as object;

export const sabotages: readonly Sabotage[] = [
  {
    what: 'a mailer that sends nothing',
    told: ['neverSent'],
    only: 'late',
    inquiries: 25,
    portsOf: (of, ports) => (of === 'notify' ? { ...ports, mailer: { send: async () => {} } } : ports),
  },
  {
    what: 'alerts that cannot be read',
    told: ['unanswered', 'setAside', 'notAtRest'],
    only: 'late',
    inquiries: 60,
    portsOf: (of, ports) => {
      if (of !== 'notify') return ports;
      const query: typeof ports.table.query = async (wanted) => {
        if (wanted.from === inquirySk.alert || wanted.to === inquirySk.alert) throw new Error('unreadable');
        return await ports.table.query(wanted);
      };
      return { ...ports, table: { ...ports.table, query } };
    },
  },
  {
    what: 'route where somebody always seems to have enough',
    told: ['leftOut'],
    only: 'late',
    inquiries: 25,
    portsOf: (of, ports) => {
      if (of !== 'route') return ports;
      const isFull = (row: Row): Row => (row.sk === memberLoad('tom').sk ? { ...row, open: 1_000 } : row);
      const query: typeof ports.table.query = async (wanted) => {
        const page = await ports.table.query(wanted);
        return { ...page, rows: page.rows.map(isFull) };
      };
      return { ...ports, table: { ...ports.table, query } };
    },
  },
  {
    what: 'capture without the condition of its idempotency record',
    told: ['twice'],
    only: 'timed_out',
    inquiries: 25,
    portsOf: without('capture', 'IDEM IDEM'),
  },
  {
    what: 'notify without the condition of its claim',
    told: ['mailedAgain', 'notAtRest'],
    only: 'duplicate',
    inquiries: 25,
    portsOf: without('notify', 'INQ HEAD'),
  },
  {
    what: 'route without the version of the head',
    told: ['doubleAssigned', 'disagrees', 'rotation', 'rollup', 'mailedAgain'],
    only: 'crash_after',
    inquiries: 60,
    portsOf: without('route', 'INQ HEAD'),
  },
  {
    what: 'route without the versions of rotation and loads',
    told: ['rotation', 'disagrees'],
    only: 'duplicate',
    inquiries: 60,
    portsOf: without('route', 'ROUTING POOL', 'ROUTING MEMBER'),
  },
  {
    what: 'report without its markers',
    told: ['rollup'],
    only: 'replay',
    inquiries: 25,
    portsOf: without('report', 'INQ ~COUNTED'),
  },
  {
    what: 'an unsubscribe link that takes nothing back',
    told: ['suppressed'],
    only: 'late',
    inquiries: 25,
    from: 12,
    portsOf: (of, ports) =>
      of === 'unsubscribe'
        ? { ...ports, table: { ...ports.table, transact: async () => ({ committed: true }) } }
        : ports,
  },
  {
    what: 'capture that has everybody agree to be e-mailed',
    told: ['suppressed'],
    only: 'late',
    inquiries: 60,
    from: 12,
    portsOf: (of, ports) => {
      if (of !== 'capture') return ports;
      return changing(ports, (write) =>
        'put' in write && write.put.sk === inquirySk.body
          ? { ...write, put: { ...write.put, fields: { ...fieldsOf(write.put), consentEmail: true } } }
          : write,
      );
    },
  },
  {
    what: 'a table that keeps no times, with clocks that differ',
    told: ['disagrees'],
    only: 'late',
    inquiries: 60,
    from: 21,
    portsOf: (_, ports) =>
      changing(ports, (write) => {
        if ('put' in write) return { ...write, put: { ...write.put, clockMs: undefined } };
        return 'update' in write ? { ...write, set: { ...write.set, clockMs: undefined } } : write;
      }),
  },
  {
    what: 'a sweep that sends nothing',
    told: ['notAtRest', 'disagrees'],
    only: 'crash_before',
    inquiries: 25,
    portsOf: (of, ports) => {
      if (of !== 'remind') return ports;
      const sendAll = async (): Promise<void> => {};
      const silent = { send: sendAll, sendAll };
      return { ...ports, scoreQueue: silent, routeQueue: silent, mailQueue: silent };
    },
  },
];
