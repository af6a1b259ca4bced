/**
 * The ports of the fault simulator in a run in which nothing goes wrong: what they are then is held to the
 * services themselves by the contract suites, so that what the simulator says can be believed.
 */
import type { Table } from '../../shared/data/table.ts';
import type { StepMessage } from '../../shared/queues/messages.ts';
import { drawsOf } from '../../simulation/adverse/draw.ts';
import { createAdversePorts, type Inlet } from '../../simulation/adverse/ports.ts';
import type { Process } from '../../simulation/adverse/processes.ts';
import { type Agenda, createAgenda } from '../../simulation/agenda.ts';
import type { Ports } from '../../simulation/functions.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { awaitIn } from './virtual-time.ts';

export interface QuietOptions {
  readonly agenda?: Agenda;
  /** What comes of messages that are sent to the queue of scores. */
  readonly scoreQueue?: Inlet<StepMessage>;
}

const nowhere = { put: () => {} };

export function createQuietPorts(options: QuietOptions = {}): Ports & { readonly agenda: Agenda } {
  const { agenda = createAgenda(0), scoreQueue = nowhere } = options;
  const process: Process = {
    name: 'score',
    current: { name: 'score', address: 'score:1', calls: 0, ids: 0, isDead: false, die: () => {} },
  };
  const ports = createAdversePorts(
    {
      agenda,
      table: createMemoryTable(),
      scoreQueue,
      routeQueue: nowhere,
      mailQueue: nowhere,
      mailer: { send: async () => {} },
      personMailer: { send: async () => {} },
      draws: drawsOf(1),
      slowShare: 0.25,
      mostSkewMs: 0,
      decide: () => undefined,
      onCall: () => {},
      act: () => {},
    },
    process,
  );
  return { ...ports, agenda };
}

/** The table behind those ports, for suites that know nothing of virtual time. */
export function createQuietTable(): Table {
  const { table, agenda } = createQuietPorts();
  return {
    get: (...asked) => awaitIn(agenda, table.get(...asked)),
    batchGet: (...asked) => awaitIn(agenda, table.batchGet(...asked)),
    query: (...asked) => awaitIn(agenda, table.query(...asked)),
    write: (...asked) => awaitIn(agenda, table.write(...asked)),
    transact: (...asked) => awaitIn(agenda, table.transact(...asked)),
  };
}
