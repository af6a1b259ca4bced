/** Gives an inquiry to somebody by hand, or back to a pool. The pool's turns stay as they are. */

import type { StoredScore } from '../../shared/data/inquiries.ts';
import type { RoutingState } from '../../shared/data/rotation.ts';
import type { Write } from '../../shared/data/table.ts';
import { attendanceAt } from '../../shared/domain/availability.ts';
import { destinationOf } from '../../shared/domain/destination.ts';
import { assigned, returned } from '../../shared/domain/inquiry/assignment.ts';
import { loadChange } from '../../shared/domain/inquiry/load.ts';
import { type Candidate, type Inquiry, isOpen, type Receipt } from '../../shared/domain/inquiry/state.ts';
import { pastRouting } from '../../shared/domain/past-routing.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { entryOf } from '../../shared/domain/timeline.ts';
import { Problem } from '../../shared/http/problem.ts';
import type { MailMessage, Queue } from '../../shared/queues/messages.ts';
import { type ByStaff, type ChangeDependencies, mostAttempts, noInquiry } from './change-inquiry.ts';
import { tellRouting } from './tell-routing.ts';

export interface AssignDependencies extends ChangeDependencies {
  readonly mailQueue: Queue<MailMessage>;
}

export type WantedAssignment =
  | { readonly assignTo: string }
  | { readonly claim: true }
  /** The pool's id, or true for the one that it came from. */
  | { readonly returnToPool: string | true };

const conflict = (why: string): Problem => new Problem('conflict', why);
const invalid = (field: string, reason: string): Problem =>
  new Problem('invalid_fields', 'Correct the fields named in errors.', [{ field, reason }]);

/** Refuses where an inquiry cannot be given to anybody. @throws Problem `conflict` */
function refuseUnlessGiven(head: Inquiry, score: StoredScore | undefined): StoredScore {
  if (!isOpen(head)) throw conflict('The inquiry is closed or booked. Open it first.');
  if (head.progress === 'quarantined') throw conflict('The inquiry is in quarantine. Release it first.');
  if (!score) throw conflict('The inquiry has no score yet. Try again in a moment.');
  return score;
}

/** @throws Problem `invalid_fields` */
function refuseUnlessMember(practice: Practice, field: string, id: string): void {
  const member = practice.members.find((one) => one.id === id);
  if (!member?.enabled) throw invalid(field, "has an id that is not among the practice's members");
  if (member.role === 'marketer') throw invalid(field, 'is a marketer, who sees no inquiries');
}

interface Planned {
  readonly next: Inquiry;
  readonly writes: readonly Write[];
}

/**
 * Assigns an inquiry by hand, at the version that the caller saw: with a receipt,
 * its entries, the loads of both and a mail to whoever gets it, in one transaction.
 *
 * @throws Problem `not_found`, `precondition_failed`, `invalid_fields`, `conflict`, `unavailable`
 */
export async function assignInquiry(
  dependencies: AssignDependencies,
  id: string,
  seenVersion: number,
  wanted: WantedAssignment,
  by: ByStaff,
): Promise<Inquiry> {
  const { table, inquiries, routingStates, environment } = dependencies;
  const { practice } = by;
  const stale = new Problem('precondition_failed', 'Somebody changed this inquiry meanwhile. Read it again.');
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const record = await inquiries.findForRouting(id);
    if (!record) throw noInquiry();
    const { head } = record;
    if (head.version !== seenVersion) throw stale;
    const score = refuseUnlessGiven(head, record.score);
    const now = environment.now();
    const { next, writes } =
      'returnToPool' in wanted
        ? backToPool(dependencies, { head, score }, wanted.returnToPool, by, now)
        : toMember(
            dependencies,
            { head, score },
            'claim' in wanted ? by.memberId : wanted.assignTo,
            by,
            await routingStates.read(),
            now,
          );
    const entries = pastRouting(head, now, environment).map(dependencies.contacts.addEntry);
    const done = await table.transact([inquiries.save(next), ...entries, ...writes]);
    if (done.committed) {
      await tell(dependencies, next);
      await tellRouting(dependencies, practice, head, next);
      return next;
    }
    if (done.failed.has(0)) throw stale;
    // Only somebody's load changed meanwhile: look at it again.
  }
  throw new Problem('unavailable', 'Nothing was changed. Try again in a moment.');
}

/** Whoever got it is mailed, or the pool asked; where that fails, the sweep does it a minute later. */
async function tell(
  { mailQueue, routeQueue, onEnqueueFailure }: AssignDependencies,
  { id, version, assignedTo }: Inquiry,
): Promise<void> {
  const message = { inquiryId: id, version };
  const sent =
    assignedTo === undefined ? routeQueue.send(message) : mailQueue.send({ kind: 'inquiry', ...message });
  await sent.catch((error: unknown) => onEnqueueFailure(id, error));
}

interface Record {
  readonly head: Inquiry;
  readonly score: StoredScore;
}

function toMember(
  { routingStates }: AssignDependencies,
  { head, score }: Record,
  memberId: string,
  { memberId: by, practice }: ByStaff,
  states: RoutingState,
  now: Date,
): Planned {
  refuseUnlessMember(practice, 'assignTo', memberId);
  if (head.assignedTo === memberId) throw conflict(`${memberId} has it already.`);
  const { pool, respondBy, needs } = destinationOf(head, score, practice);
  const attendance = attendanceAt(practice, now);
  const load = states.load(memberId);
  // Whoever decides may know better than the plan; the receipt keeps what it said.
  const against = attendance.exclusion(memberId, needs, load)?.reason;
  if (against === 'disabled') throw invalid('assignTo', 'is disabled');
  const did = memberId === by ? 'claimed it' : `given it by ${by}`;
  const candidates: Candidate[] = [
    {
      memberId,
      share: 1,
      outcome: 'assigned',
      reason: against === undefined ? did : `${did}, though ${against}`,
    },
    ...(head.assignedTo === undefined
      ? []
      : [{ memberId: head.assignedTo, share: 0, outcome: 'passed_over' as const, reason: 'had it before' }]),
  ];
  const poolId = head.poolId ?? pool.id;
  const receipt: Receipt = { pool: poolId, strategy: 'by_hand', candidates, by };
  const next = assigned(
    head,
    {
      memberId,
      poolId,
      respondBy,
      receipt,
      score: score.total,
      tier: score.tier,
      urgency: score.decision?.urgency,
      providerId: head.providerId,
    },
    now,
  );
  const change = loadChange(head, next).members.get(memberId) ?? { open: 0, uncalled: 0 };
  const day = attendance.dateOf(memberId);
  return {
    next,
    writes: [
      routingStates.takeOn(memberId, load, { ...change, given: 1, day }),
      ...routingStates.follow(head, next, memberId),
    ],
  };
}

function backToPool(
  { contacts, routingStates, environment }: AssignDependencies,
  { head, score }: Record,
  wanted: string | true,
  { memberId: by, practice }: ByStaff,
  now: Date,
): Planned {
  const had = head.assignedTo;
  if (had === undefined) throw conflict('Nobody has it.');
  const pools = practice.pools.map(({ id }) => id);
  if (wanted !== true && !pools.includes(wanted))
    throw invalid('returnToPool', "has an id that is not among the practice's pools");
  const before = head.poolId !== undefined && pools.includes(head.poolId) ? head.poolId : undefined;
  const poolId = wanted === true ? (before ?? destinationOf(head, score, practice).pool.id) : wanted;
  const candidates: Candidate[] = [{ memberId: had, share: 0, outcome: 'excluded', reason: 'gave it back' }];
  const next = returned(
    head,
    { poolId, receipt: { pool: poolId, strategy: 'returned', candidates, by } },
    now,
  );
  const entry = entryOf(
    'returned',
    {
      entryId: environment.newId('entry'),
      contactId: head.contactId,
      inquiryId: head.id,
      actor: by,
      at: now.toISOString(),
    },
    { memberId: had, pool: poolId, because: 'by_hand' },
  );
  return {
    // It goes to somebody else, where there is somebody else.
    next: { ...next, hadBy: [...new Set([...(head.hadBy ?? []), had])] },
    writes: [contacts.addEntry(entry), ...routingStates.follow(head, next)],
  };
}
