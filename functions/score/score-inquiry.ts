/**
 * Scores and triages one inquiry and asks for its routing; scores it again where
 * its facts changed; has rules look at what happened to it since.
 */
import type { InquiryBody, InquiryRecord } from '../../shared/data/inquiries.ts';
import type { Write } from '../../shared/data/table.ts';
import { writeTogether } from '../../shared/data/write-together.ts';
import { businessMinutesAfter } from '../../shared/domain/destination.ts';
import { knowingTriage, rescored } from '../../shared/domain/inquiry/arrival.ts';
import { suspectedByRule } from '../../shared/domain/inquiry/review.ts';
import { afterRules } from '../../shared/domain/inquiry/rules.ts';
import { awaitsRouting, type Inquiry, isOpen } from '../../shared/domain/inquiry/state.ts';
import { clockFor, listeningFor } from '../../shared/domain/listening.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { Action } from '../../shared/domain/rules/rule.ts';
import { score, scoredFacts } from '../../shared/domain/scoring.ts';
import { type EntryDetails, entryOf } from '../../shared/domain/timeline.ts';
import type { StepMessage } from '../../shared/queues/messages.ts';
import { actorOf, applyRules, lookAgain } from './apply-rules.ts';
import { answersToAsk } from './ask-messages.ts';
import type { ScoreDependencies } from './dependencies.ts';
import { changePerson, findPerson, type Person, touchesPerson } from './person.ts';
import { workOf } from './rule-work.ts';
import { type ArrivalTriage, isReleasedSpam, triageAgain, triageArrival } from './triage-arrival.ts';

export type Scored =
  | 'scored'
  | 'scored_before'
  | 'scored_as_spam'
  | 'rescored'
  | 'rules_applied'
  | 'rules_without_hit'
  | 'score_race_lost'
  | 'score_not_due'
  | 'score_unknown_inquiry';

/** Each attempt sees what the one before met; more are needed only where staff and people are faster than this. */
const mostAttempts = 12;

/** Thrown where somebody changed the inquiry or its person in every attempt; the message comes again. */
export class InquiryBusy extends Error {
  override readonly name = 'InquiryBusy';
}

/** An inquiry whose body is there. */
type Known = InquiryRecord & { readonly body: InquiryBody };

/** What became of one step: its code, or that somebody was faster and it is to be looked at again. */
type Step =
  | {
      readonly outcome: Scored;
      readonly next: Inquiry;
      /** What is recorded of the rules of its arrival, where the step looked at them. */
      readonly recorded?: readonly Action[] | undefined;
    }
  | 'refused';

const routingOf = ({ id: inquiryId, version }: Inquiry): StepMessage => ({ inquiryId, version });

export async function scoreInquiry(dependencies: ScoreDependencies, message: StepMessage): Promise<Scored> {
  const { inquiries, routeQueue, mailQueue } = dependencies;
  const { inquiryId } = message;
  let done: Scored | undefined;
  let isAlerted = false;

  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const record = await inquiries.find(inquiryId);
    if (!record?.body) return 'score_unknown_inquiry';
    if (record.alert?.state === 'pending' && !isAlerted) {
      // Before anything else, and on every message: whoever claims its mail sends it, once.
      await mailQueue.send({ kind: 'alert', inquiryId });
      isAlerted = true;
    }
    const step = await stepOf(dependencies, { ...record, body: record.body });
    if (step === 'refused') {
      await dependencies.environment.backOff(20 * attempt);
      continue;
    }
    const { outcome, next, recorded = record.score?.decision?.recorded ?? [] } = step;
    // What this message brought about is what it is known for, whatever follows from it.
    if (done === undefined || (outcome !== 'scored_before' && outcome !== 'score_not_due')) done = outcome;
    if (outcome === 'score_race_lost') return done;
    if (next.trigger !== undefined) continue;
    // Also where it was scored before: the message to route may never have been sent.
    if (awaitsRouting(next)) {
      // Before its routing, which is asked for again until it is done, and this with it.
      for (const answer of await answersToAsk(dependencies, [{ ...record, head: next, actions: recorded }])) {
        await mailQueue.send(answer);
      }
      await routeQueue.send(routingOf(next));
    } else if (next.move !== undefined) {
      await routeQueue.send(routingOf(next));
    }
    return done;
  }
  throw new InquiryBusy('the inquiry or its person changed in every attempt');
}

/** The one thing that is to be done about an inquiry next. */
async function stepOf(dependencies: ScoreDependencies, record: Known): Promise<Step> {
  const { head, body } = record;
  if (head.progress === 'quarantined' && head.trigger === undefined)
    return { outcome: 'score_not_due', next: head };
  const practice = await dependencies.practice();
  if (!record.score && awaitsRouting(head)) return scoreFirst(dependencies, practice, record);

  if (head.trigger !== undefined) {
    // Closed before it was ever scored: rules see what it would have scored.
    const scored = record.score ?? score(scoredFacts(body), practice);
    const { total, tier } = scored;
    const knowing = record.score
      ? knowingTriage(head, { score: total, tier, urgency: record.score.decision?.urgency })
      : head;
    const { next, writes, hit, asked } = await applyRules(
      dependencies,
      practice,
      { head: knowing, body, score: scored },
      head.trigger,
    );
    const outcome = hit ? 'rules_applied' : 'rules_without_hit';
    if (!(await commit(dependencies, writes))) return 'refused';
    // They are due, too: where this is cut short, the sweep asks.
    for (const message of asked) await dependencies.mailQueue.send(message);
    return { outcome, next };
  }
  if (awaitsRouting(head) && record.score && isReleasedSpam(head, record.score)) {
    const again = await triageArrival(dependencies.contacts, practice, record);
    return scoreAgain(dependencies, practice, record, again);
  }
  if (isOpen(head) && record.score) {
    const again = await triageAgain(dependencies.contacts, practice, record, record.score);
    if (again) return scoreAgain(dependencies, practice, record, again);
  }
  return { outcome: awaitsRouting(head) ? 'scored_before' : 'score_not_due', next: head };
}

async function commit({ table }: ScoreDependencies, writes: readonly Write[]): Promise<boolean> {
  const [only, ...others] = writes;
  if (only && others.length === 0) return (await table.write(only)).committed;
  return (await table.transact(writes)).committed;
}

/** Whom the rules of an arrival may change; undefined where they change nobody. One read at the most. */
async function whomToMove(
  { contacts }: ScoreDependencies,
  { contactId }: Inquiry,
  { person, decision: { tags = [], stage } }: ArrivalTriage,
): Promise<Person | undefined> {
  return touchesPerson({ tags, stage }) ? (person ?? (await findPerson(contacts, contactId))) : undefined;
}

/** Stores the first score: a plain put, unless rules change more than that. */
async function scoreFirst(
  dependencies: ScoreDependencies,
  practice: Practice,
  { head, body }: Known,
): Promise<Step> {
  const { inquiries, contacts, environment, table } = dependencies;
  const triaged = await triageArrival(contacts, practice, { head, body });
  const { score: scored, decision } = triaged;
  const toMove = await whomToMove(dependencies, head, triaged);
  // Later than all that the person as they were read has had: so their timeline is in the order of their versions.
  const now = environment.now();
  for (const fault of triaged.faults) dependencies.onRuleFault(head.id, fault);

  const put = inquiries.saveScore(
    { inquiryId: head.id, contactId: head.contactId, number: 1, score: scored, decision },
    now,
  );
  const suspected = decision.spam ? suspectedByRule(head, now) : undefined;
  const moved = suspected ?? stagedOnArrival(practice, head, decision, now) ?? head;
  const stage = moved.stage === head.stage ? undefined : moved.stage;
  // What is suspected changes nobody: whoever releases it may want to know who it was first.
  const effects = { tags: suspected ? [] : (decision.tags ?? []), stage };
  const frame = {
    inquiryId: head.id,
    actor: actorOf(decision.hits ?? []),
    at: now.toISOString(),
  };
  const person = touchesPerson(effects) ? toMove : undefined;
  // Nor is anybody given work by it, until it is released.
  const asked = suspected ? [] : (decision.recorded ?? []);
  const work = workOf(dependencies, practice, moved, asked, { actor: frame.actor, now });
  const next = work.head.tasksFollow ? { ...moved, ...work.head, version: head.version + 1 } : moved;
  const writes: Write[] = [
    put,
    ...(next === head ? [] : [inquiries.save(next)]),
    ...work.writes,
    ...(moved === head
      ? []
      : [
          contacts.addEntry(
            entryOf(
              'rules_applied',
              { ...frame, entryId: environment.newId('entry'), contactId: head.contactId },
              { ...arrivalDetails(head, moved, decision), ...(suspected && { spam: true }) },
            ),
          ),
        ]),
    ...(person
      ? changePerson(contacts, person, effects, { ...frame, entryId: environment.newId('entry') })
      : []),
  ];
  if (writes.length === 1) {
    const written = await table.write(put);
    return {
      outcome: written.committed ? 'scored' : 'score_race_lost',
      next: head,
      recorded: decision.recorded ?? [],
    };
  }
  const done = await table.transact(writes);
  if (done.committed) {
    await dependencies.mailQueue.sendAll(work.messages);
    return { outcome: suspected ? 'scored_as_spam' : 'scored', next, recorded: decision.recorded ?? [] };
  }
  return done.failed.has(0) ? { outcome: 'score_race_lost', next: head } : 'refused';
}

/** What rules changed of the head on arrival, as the timeline tells it. */
const arrivalDetails = (
  head: Inquiry,
  next: Inquiry,
  { hits, rulesVersion }: ArrivalTriage['decision'],
): EntryDetails<'rules_applied'> => ({
  trigger: 'arrival',
  hits: hits ?? [],
  ...(rulesVersion !== undefined && { rulesVersion }),
  ...(next.stage !== head.stage && {
    stage: {
      from: head.stage,
      to: next.stage,
      ...(next.closeReason !== undefined && { closeReason: next.closeReason }),
    },
  }),
});

/** The state where rules set a stage on arrival; undefined where they do not, or staff were faster. */
function stagedOnArrival(
  practice: Practice,
  head: Inquiry,
  { stage, closeReason }: ArrivalTriage['decision'],
  now: Date,
): Inquiry | undefined {
  if (stage === undefined || head.stage !== 'new' || head.trigger !== undefined) return undefined;
  const next = afterRules(
    head,
    { stage: { to: stage, closeReason } },
    now,
    undefined,
    listeningFor(practice, head, now),
  );
  return next.stage === head.stage ? undefined : next;
}

/** Stores a later score with what it changes: never silently, and each as an entry of the timeline. */
async function scoreAgain(
  dependencies: ScoreDependencies,
  practice: Practice,
  { head, scores, score: before }: Known,
  triaged: ArrivalTriage,
): Promise<Step> {
  const { score: scored, decision, faults } = triaged;
  const { inquiries, contacts, environment } = dependencies;
  const toMove = await whomToMove(dependencies, head, triaged);
  const now = environment.now();
  for (const fault of faults) dependencies.onRuleFault(head.id, fault);
  const again = rescored(
    head,
    {
      score: scored.total,
      tier: scored.tier,
      tierBefore: before?.tier ?? scored.tier,
      urgency: decision.urgency,
      respondBy: businessMinutesAfter(now.toISOString(), decision.respondWithinMinutes, head, practice),
    },
    now,
    clockFor(practice, head),
  );
  // Released spam has its arrival only now, as far as rules are concerned.
  const isArrival = before !== undefined && isReleasedSpam(head, before);
  const staged = isArrival ? stagedOnArrival(practice, again, decision, now) : undefined;
  const moved: Inquiry = { ...(staged ?? again), version: again.version };
  const effects = { tags: decision.tags ?? [], stage: staged?.stage };
  const frame = { inquiryId: head.id, actor: actorOf(decision.hits ?? []), at: now.toISOString() };
  const asked = isArrival ? (decision.recorded ?? []) : [];
  const work = workOf(dependencies, practice, moved, asked, { actor: frame.actor, now });
  const next: Inquiry = { ...moved, ...work.head };
  const person = touchesPerson(effects) ? toMove : undefined;
  const committed = await commit(dependencies, [
    inquiries.saveScore(
      {
        inquiryId: head.id,
        contactId: head.contactId,
        number: scores + 1,
        score: scored,
        decision,
        ...(next.respondBy !== head.respondBy && { respondBy: next.respondBy }),
      },
      now,
    ),
    inquiries.save(next),
    ...lookAgain(dependencies, next),
    ...work.writes,
    ...(staged
      ? [
          contacts.addEntry(
            entryOf(
              'rules_applied',
              { ...frame, entryId: environment.newId('entry'), contactId: head.contactId },
              arrivalDetails(head, next, decision),
            ),
          ),
        ]
      : []),
    ...(person
      ? changePerson(contacts, person, effects, { ...frame, entryId: environment.newId('entry') })
      : []),
  ]);
  if (!committed) return 'refused';
  await dependencies.mailQueue.sendAll(work.messages);
  return { outcome: 'rescored', next, recorded: decision.recorded ?? [] };
}

/**
 * Scores the inquiries of a batch: one read for all of them, a write for each,
 * and their messages to route together, which routes them together too. Gives
 * `scored` for each that was, by position, and undefined for each that needs a
 * look by itself.
 */
export async function scoreTogether(
  dependencies: ScoreDependencies,
  messages: readonly StepMessage[],
): Promise<(Scored | undefined)[]> {
  const { inquiries, routeQueue, mailQueue } = dependencies;
  const [practice, records] = await Promise.all([
    dependencies.practice(),
    inquiries.findMany(
      messages.map(({ inquiryId }) => inquiryId),
      { body: true },
    ),
  ]);
  const steps = await writeTogether(
    dependencies.table,
    records.map(({ body, ...record }) => async (table) => {
      const { head } = record;
      // What was not read here - an alert, a later score - or happened since has a look of its own.
      const isPlain = head.redFlag === undefined && head.trigger === undefined && record.score === undefined;
      if (!body || !isPlain || !awaitsRouting(head)) return undefined;
      const step = await scoreFirst({ ...dependencies, table }, practice, { ...record, body });
      return step !== 'refused' && step.outcome === 'scored' && awaitsRouting(step.next)
        ? { head: step.next, body, actions: step.recorded ?? [] }
        : undefined;
    }),
  );
  const scored = steps.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : []));
  await mailQueue.sendAll(await answersToAsk(dependencies, scored));
  await routeQueue.sendAll(scored.map(({ head }) => routingOf(head)));
  const left = new Set(scored.map(({ head }) => head.id));
  // The second of two messages about one inquiry has its own look.
  return messages.map(({ inquiryId }) => (left.delete(inquiryId) ? 'scored' : undefined));
}
