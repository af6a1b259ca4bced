/** Routes one scored inquiry: picks its member, sets its respond-by and asks for the mail. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contacts } from '../../shared/data/contacts.ts';
import type { Inquiries } from '../../shared/data/inquiries.ts';
import type { RoutingStates } from '../../shared/data/rotation.ts';
import type { Table } from '../../shared/data/table.ts';
import { choose, destinationOf } from '../../shared/domain/destination.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { assigned, awaitsRouting, waiting } from '../../shared/domain/inquiry.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { enabledOnly } from '../../shared/domain/routing.ts';
import type { MailMessage, Queue } from '../../shared/queues/messages.ts';

export interface RouteDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly contacts: Pick<Contacts, 'findSurvivor'>;
  readonly routingStates: RoutingStates;
  readonly practice: () => Promise<Practice>;
  readonly mailQueue: Queue<MailMessage>;
  readonly environment: Environment;
}

export type Routed =
  | 'routed'
  | 'waiting'
  | 'still_waiting'
  | 'route_not_due'
  | 'route_not_scored'
  | 'route_unknown_inquiry';

/** A pool's rotation is one item: routings of one pool at the same moment take turns on it. */
const mostAttempts = 12;

/** Thrown where the turn did not come in all attempts; the message comes again. */
export class RotationBusy extends Error {
  override readonly name = 'RotationBusy';
}

export async function routeInquiry(
  dependencies: RouteDependencies,
  { inquiryId }: { readonly inquiryId: string },
): Promise<Routed> {
  const { table, inquiries, routingStates, environment, mailQueue } = dependencies;
  const practice = await dependencies.practice();

  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const record = await inquiries.findForRouting(inquiryId);
    if (!record) return 'route_unknown_inquiry';
    const { head, score } = record;
    if (!awaitsRouting(head)) return 'route_not_due';
    if (!score) return 'route_not_scored';

    // Who knows the person is looked up only where triage sends it to them.
    const owner = score.decision?.toOwner
      ? (await dependencies.contacts.findSurvivor(head.contactId))?.owner
      : undefined;
    const { pool, respondBy, named } = destinationOf(head, score, practice, owner);
    const states = await routingStates.read();
    const rotation = states.rotation(pool.id);
    const isEnabled = enabledOnly(practice.members);
    const { chosen, lags, receipt } = choose(
      pool,
      named,
      rotation.lags,
      // The load item knows of a disabling before the configuration in memory does.
      (id) => isEnabled(id) ?? (states.load(id).disabled ? 'disabled' : undefined),
      (id) => states.load(id).open,
    );
    const now = environment.now();
    const decision = {
      poolId: pool.id,
      respondBy,
      receipt,
      score: score.total,
      tier: score.tier,
      urgency: score.decision?.urgency,
    };

    if (chosen === undefined) {
      if (head.progress === 'waiting' && head.poolId === pool.id) return 'still_waiting';
      const written = await table.write(inquiries.save(waiting(head, decision, now)));
      if (written.committed) return 'waiting';
    } else {
      const next = assigned(head, { ...decision, memberId: chosen }, now);
      const done = await table.transact([
        inquiries.save(next),
        // Whoever was named got it out of turn: nothing to take turns on.
        ...(lags === rotation.lags ? [] : [routingStates.saveRotation(pool.id, rotation, lags)]),
        routingStates.takeOn(chosen, states.load(chosen)),
      ]);
      if (done.committed) {
        await mailQueue.send({ kind: 'inquiry', inquiryId, version: next.version });
        return 'routed';
      }
    }
    await sleep(Math.random() * 20 * attempt);
  }
  throw new RotationBusy('the rotation was busy in every attempt');
}
