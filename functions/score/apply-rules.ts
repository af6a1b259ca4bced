/** Looks at the rules of what happened to an inquiry after its arrival, and applies what has an effect. */
import type { InquiryBody } from '../../shared/data/inquiries.ts';
import type { Write } from '../../shared/data/table.ts';
import type { Urgency } from '../../shared/domain/clinical-urgency.ts';
import { businessMinutesAfter } from '../../shared/domain/destination.ts';
import { afterRules } from '../../shared/domain/inquiry/rules.ts';
import { type Inquiry, isOpen, type Move, type PendingTrigger } from '../../shared/domain/inquiry/state.ts';
import { listeningFor, nextSilence } from '../../shared/domain/listening.ts';
import { findLocation, type Practice } from '../../shared/domain/practice.ts';
import { rulesOf } from '../../shared/domain/rules/compile.ts';
import { gatherFacts, knownOf } from '../../shared/domain/rules/gather.ts';
import { type Action, movingActions } from '../../shared/domain/rules/rule.ts';
import { applyTrigger, describeAction, type Outcome } from '../../shared/domain/rules/triage.ts';
import type { Score } from '../../shared/domain/scoring.ts';
import { type EntryDetails, entryOf, ruleActor, systemActor } from '../../shared/domain/timeline.ts';
import type { MailMessage } from '../../shared/queues/messages.ts';
import { messagesOfRules } from './ask-messages.ts';
import type { ScoreDependencies } from './dependencies.ts';
import { changePerson, findPerson, newTags, type Person, touchesPerson } from './person.ts';
import { workOf } from './rule-work.ts';

export interface RulesApplied {
  readonly next: Inquiry;
  /** All that is written with it. */
  readonly writes: readonly Write[];
  readonly hit: boolean;
  /** Messages to send once it is written. */
  readonly asked: readonly MailMessage[];
}

/** Who did it: the one rule that held, or several. */
export const actorOf = (hits: Outcome['hits']): string => {
  const [first, ...others] = hits;
  return first && others.length === 0 ? ruleActor(first.rule) : systemActor;
};

/** Where the rules want it; undefined where they leave it where it is. */
function moveOf(
  { pool, memberId, toOwner, specialty }: Outcome,
  owner: string | undefined,
  by: string,
): Move | undefined {
  const where = {
    ...(pool && { poolId: pool.id }),
    ...(memberId !== undefined && { memberId }),
    ...(toOwner && owner !== undefined && { owner }),
    ...(specialty !== undefined && { specialty }),
  };
  return Object.keys(where).length > 0 ? { ...where, by } : undefined;
}

/** The hits, each saying what of it could not be done any more. */
function hitsAsDone(
  { hits, actions }: Outcome,
  head: Inquiry,
  next: Inquiry,
  owner: string | undefined,
): Outcome['hits'] {
  const stayed = next.stage === head.stage;
  const whyUndone = (action: Action): string | undefined => {
    const isUndone =
      (action.do === 'set_stage' && stayed && action.stage !== next.stage) ||
      (action.do === 'mark_spam' && stayed) ||
      ((action.do === 'respond_within' || movingActions.includes(action.do)) && !isOpen(next));
    if (isUndone) return `its stage is ${next.stage}`;
    return action.do === 'send_to_owner' && owner === undefined ? 'nobody knows the person' : undefined;
  };
  const undone = new Map(actions.map((action) => [describeAction(action), whyUndone(action)]));
  return hits.map(({ rule, did }) => ({
    rule,
    did: did.map((done) =>
      undone.get(done) === undefined ? done : `${done}: not done, ${undone.get(done)}`,
    ),
  }));
}

/** By when somebody has to call now that rules made it urgent; undefined where that is no sooner. */
function soonerBy(practice: Practice, head: Inquiry, urgency: Urgency | undefined, now: Date) {
  if (urgency === undefined || urgency === 'routine' || head.firstContactedAt !== undefined) return undefined;
  const minutes = practice.urgency.respondWithinMinutes[urgency];
  const respondBy = businessMinutesAfter(now.toISOString(), minutes, head, practice);
  return head.respondBy !== undefined && respondBy < head.respondBy ? respondBy : undefined;
}

/** What is asked of whoever takes it has changed: where it waits, those who were seen with it are to be seen again. */
export const lookAgain = (
  { routingStates }: Pick<ScoreDependencies, 'routingStates'>,
  { progress, poolId }: Inquiry,
): Write[] => (progress === 'waiting' && poolId !== undefined ? [routingStates.forgetLook(poolId)] : []);

/** The state after the rules of the first trigger that waits, and everything to be written with it. */
export async function applyRules(
  dependencies: ScoreDependencies,
  practice: Practice,
  { head, body, score }: { readonly head: Inquiry; readonly body: InquiryBody; readonly score: Score },
  trigger: PendingTrigger,
): Promise<RulesApplied> {
  const { inquiries, contacts, environment } = dependencies;
  const rules = rulesOf(practice);
  // What was closed since is no longer silent.
  const isMoot = !rules.has(trigger.kind) || (trigger.kind === 'silence' && !isOpen(head));
  if (isMoot) {
    const now = environment.now();
    const next = afterRules(head, {}, now, undefined, listeningFor(practice, head, now));
    return { next, writes: [inquiries.save(next)], hit: false, asked: [] };
  }

  let person: Person | undefined;
  if (rules.needsPerson(trigger.kind)) person = await findPerson(contacts, head.contactId);
  const outcome = applyTrigger(
    rules,
    gatherFacts(practice, {
      trigger: trigger.kind,
      // Rules look at it as it was then, whatever has happened since.
      head: { ...head, stage: trigger.stage ?? head.stage, trigger },
      body,
      person: person && knownOf(person),
      score: { total: score.total, tier: head.tier ?? score.tier },
      urgency: head.urgency ?? 'routine',
      silentHours: trigger.silentHours,
    }),
  );
  const { hits, faults, respondWithin, stage, closeReason, rulesVersion } = {
    ...outcome,
    rulesVersion: rules.version,
  };
  for (const fault of faults) dependencies.onRuleFault(head.id, fault);
  const wanted = { tags: outcome.tags, stage: stage === head.stage ? undefined : stage };
  if (outcome.toOwner || touchesPerson(wanted)) person ??= await findPerson(contacts, head.contactId);
  // Asked only where it matters: once in a patient's second booking.
  const bookedBefore =
    wanted.stage === 'booked' &&
    person?.own.lifecycle === 'patient' &&
    (await dependencies.timelines.wasBooked(head.contactId, head.id));
  // Later than all that the person as they were read has had: so their timeline is in the order of their versions.
  const now = environment.now();

  const silence =
    trigger.kind === 'silence' && head.silence
      ? nextSilence(
          practice,
          findLocation(practice, head.locationId),
          head.silence.since,
          trigger.silentHours,
        )
      : undefined;
  const respondBy = respondWithin
    ? businessMinutesAfter(now.toISOString(), respondWithin.minutes, head, practice)
    : soonerBy(practice, head, outcome.urgency, now);
  const owner = person?.owner;
  const moved = afterRules(
    head,
    {
      tier: outcome.tier,
      urgency: outcome.urgency,
      spam: outcome.spam,
      move: moveOf(outcome, owner, actorOf(hits)),
      ...(stage !== undefined && { stage: { to: stage, closeReason } }),
      ...(respondBy !== undefined && { respondBy }),
    },
    now,
    silence,
    listeningFor(practice, head, now),
  );
  if (hits.length === 0) return { next: moved, writes: [inquiries.save(moved)], hit: false, asked: [] };

  const stageSet = moved.stage === head.stage ? undefined : moved.stage;
  const effects = { tags: outcome.tags, stage: stageSet };
  const tags = person ? newTags(person, outcome.tags) : [];
  const frame = {
    inquiryId: head.id,
    actor: actorOf(hits),
    at: now.toISOString(),
  };
  const work = workOf(dependencies, practice, moved, outcome.spam ? [] : outcome.recorded, {
    actor: frame.actor,
    now,
  });
  const next: Inquiry = { ...moved, ...work.head };
  const details: EntryDetails<'rules_applied'> = {
    trigger: trigger.kind,
    hits: [...hitsAsDone(outcome, head, next, owner)],
    ...(rulesVersion !== undefined && { rulesVersion }),
    ...(stageSet !== undefined && {
      stage: {
        from: head.stage,
        to: stageSet,
        ...(next.closeReason !== undefined && { closeReason: next.closeReason }),
      },
    }),
    ...(next.tier !== head.tier && { tier: { from: head.tier, to: next.tier } }),
    ...(next.urgency !== head.urgency && {
      urgency: { from: head.urgency ?? 'routine', to: next.urgency ?? 'routine' },
    }),
    ...(next.respondBy !== head.respondBy && { respondBy: next.respondBy }),
    ...(tags.length > 0 && { tags }),
    ...(outcome.spam && stageSet === 'closed' && { spam: true }),
    ...(outcome.recorded.length > 0 && { recorded: [...outcome.recorded] }),
  };
  const messages = await messagesOfRules(dependencies, head, outcome.actions, { by: frame.actor, now });
  return {
    next,
    asked: [...messages.asked, ...work.messages],
    writes: [
      inquiries.save(next),
      ...messages.writes,
      ...work.writes,
      contacts.addEntry(
        entryOf(
          'rules_applied',
          { ...frame, entryId: environment.newId('entry'), contactId: head.contactId },
          details,
        ),
      ),
      ...(person && touchesPerson(effects)
        ? changePerson(
            contacts,
            person,
            { ...effects, bookedBefore },
            { ...frame, entryId: environment.newId('entry') },
          )
        : []),
      ...dependencies.routingStates.follow(head, next),
      ...(next.move ? lookAgain(dependencies, next) : []),
    ],
    hit: true,
  };
}
