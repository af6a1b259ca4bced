/** What routing works with. */
import type { Contacts } from '../../shared/data/contacts.ts';
import type { Inquiries } from '../../shared/data/inquiries.ts';
import type { RoutingStates } from '../../shared/data/rotation.ts';
import type { Table } from '../../shared/data/table.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { poolsRelieved } from '../../shared/domain/relief.ts';
import type { MailMessage, Queue, RouteMessage } from '../../shared/queues/messages.ts';

export interface RouteDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly contacts: Pick<Contacts, 'addEntry'>;
  readonly routingStates: RoutingStates;
  readonly practice: () => Promise<Practice>;
  /** The practice as it is now, not as it was some seconds ago. */
  readonly freshPractice: () => Promise<Practice>;
  readonly routeQueue: Queue<RouteMessage>;
  readonly mailQueue: Queue<MailMessage>;
  readonly environment: Environment;
}

/** A pool's rotation is one item: routings of one pool at the same moment take turns on it. */
export const mostAttempts = 12;

/** Thrown where the turn did not come in all attempts; the message comes again. */
export class RotationBusy extends Error {
  override readonly name = 'RotationBusy';

  constructor() {
    super('the rotation was busy in every attempt');
  }
}

export const mailAbout = ({ id, version }: Inquiry): MailMessage => ({
  kind: 'inquiry',
  inquiryId: id,
  version,
});

/**
 * Asks for what waits where somebody has room by a change: the sweep would find them a minute later, at
 * the most. Where it cannot be asked for, the message that led here comes again, and changes nothing.
 */
export async function askForRoom(
  { routeQueue }: Pick<RouteDependencies, 'routeQueue'>,
  practice: Practice,
  before: Inquiry,
  after: Inquiry,
): Promise<void> {
  const pools = poolsRelieved(practice, before, after);
  if (pools.length > 0) await routeQueue.sendAll(pools.map((poolId) => ({ kind: 'pool', poolId })));
}
