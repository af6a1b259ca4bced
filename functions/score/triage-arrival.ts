/** Scores and triages an inquiry by what is known of it now. */
import type { InquiryBody, StoredScore } from '../../shared/data/inquiries.ts';
import { findUrgency } from '../../shared/domain/clinical-urgency.ts';
import { poolOf } from '../../shared/domain/destination.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { type CompiledRules, rulesOf } from '../../shared/domain/rules/compile.ts';
import { gatherFacts, knownOf, writtenText } from '../../shared/domain/rules/gather.ts';
import { type Triaged, triage } from '../../shared/domain/rules/triage.ts';
import { factsChanged, lacksPersonalFacts, score, scoredFacts } from '../../shared/domain/scoring.ts';
import { findPerson, type PeopleOfScore, type Person } from './person.ts';

export interface ArrivalTriage extends Triaged {
  /** Who it is from, where that had to be read. */
  readonly person: Person | undefined;
}

interface Arrived {
  readonly head: Inquiry;
  readonly body: InquiryBody;
}

/** The rules that an inquiry is triaged by: what a human has released is no spam, whatever rules find. */
const rulesFor = (practice: Practice, { clockFrom }: Inquiry): CompiledRules =>
  clockFrom === undefined ? rulesOf(practice) : rulesOf(practice).forReleased();

/** Whether an inquiry was set aside as spam by a rule, and released since without another look at the others. */
export const isReleasedSpam = (head: Inquiry, { decision }: Pick<StoredScore, 'decision'>): boolean =>
  decision?.spam === true && head.progress === 'captured' && head.clockFrom !== undefined;

/**
 * Scores and triages an inquiry. The person is read only where they came back,
 * and a rule looks at them or they left out what they may be known by.
 */
export async function triageArrival(
  contacts: PeopleOfScore,
  practice: Practice,
  { head, body }: Arrived,
): Promise<ArrivalTriage> {
  // Of whoever is new nothing is known but what came with this inquiry.
  const asksForPerson =
    body.returning === true &&
    (lacksPersonalFacts(scoredFacts(body)) || rulesFor(practice, head).needsPerson('arrival'));
  const person = asksForPerson ? await findPerson(contacts, head.contactId) : undefined;
  const triaged = triageBy(practice, { head, body }, person);
  if (!asksForOwner(practice, head, triaged.decision)) return { person, ...triaged };
  const known = person ?? (await findPerson(contacts, head.contactId));
  return { person: known, ...withOwner(triaged, known) };
}

/** Whether it goes to the coordinator who knows the person, where there is one: by a rule, or by its pool. */
const asksForOwner = (practice: Practice, head: Inquiry, decision: Triaged['decision']): boolean =>
  decision.toOwner === true || poolOf(head, decision, practice).ownerFirst === true;

/** The decision with who knows the person: routing reads nobody any more. */
const withOwner = (triaged: Triaged, person: Person | undefined): Triaged =>
  person?.owner === undefined
    ? triaged
    : { ...triaged, decision: { ...triaged.decision, owner: person.owner } };

/**
 * Scores and triages an inquiry again; undefined where its facts are those that
 * it was scored by, or nothing follows from the new ones. A change of the model
 * or of the rules alone is no reason: what was decided stands.
 */
export async function triageAgain(
  contacts: PeopleOfScore,
  practice: Practice,
  { head, body }: Arrived,
  before: StoredScore,
): Promise<ArrivalTriage | undefined> {
  if (!lacksPersonalFacts(scoredFacts(body))) return undefined;
  const person = await findPerson(contacts, head.contactId);
  if (!factsChanged(before, scoredFacts(body, person))) return undefined;
  const triaged = triageBy(practice, { head, body }, person);
  const again = asksForOwner(practice, head, triaged.decision) ? withOwner(triaged, person) : triaged;
  const decided = ({ tier, parts }: Pick<StoredScore, 'tier' | 'parts'>, decision: unknown): string =>
    JSON.stringify([tier, parts, decision]);
  if (decided(again.score, again.decision) === decided(before, before.decision)) return undefined;
  return { person, ...again };
}

function triageBy(practice: Practice, { head, body }: Arrived, person: Person | undefined): Triaged {
  const scored = score(scoredFacts(body, person), practice);
  const urgency = findUrgency(practice.urgency, { serviceId: head.serviceId, text: writtenText(body) });
  const facts = gatherFacts(practice, {
    trigger: 'arrival',
    head,
    body,
    person: person && knownOf(person),
    score: scored,
    urgency: urgency.level,
  });
  return triage(practice, { facts, score: scored, urgency, rules: rulesFor(practice, head) });
}
