/**
 * Replays rules over an inquiry of the past: what would have been decided with
 * other rules, beside what was. Nothing is written, and nothing is guessed: who
 * of a pool would have had the turn is not known any more.
 *
 * The inquiry is looked at as it came in, but by the practice as it is now, and
 * its person's profile as it is now where rules ask for it.
 */
import { addBusinessMinutes } from '../business-time.ts';
import { findUrgency } from '../clinical-urgency.ts';
import type { Named } from '../destination.ts';
import { findLocation, findPool, type Practice } from '../practice.ts';
import type { Score } from '../scoring.ts';
import { type Tier, tiers } from '../stages.ts';
import { type CompiledRules, rulesOf } from './compile.ts';
import type { Decision, RuleHit } from './decision.ts';
import { gatherFacts, type KnownPerson, writtenText } from './gather.ts';
import { type PastLater, type ReplayedMove, replayLater } from './replay-later.ts';
import { triage } from './triage.ts';

/** An inquiry as it was stored. */
export interface PastInquiry extends PastLater {
  /** Read where the rules look at it, and the person was known before: of others triage knew nothing. */
  readonly person?: KnownPerson | undefined;
}

interface FromTo<Value> {
  readonly from: Value;
  readonly to: Value;
}

/** What would change of one inquiry; absent is what would stay. */
export interface ReplayChange {
  readonly inquiryId: string;
  readonly receivedAt: string;
  readonly tier?: FromTo<Tier>;
  readonly pool?: FromTo<string>;
  /** `to` is a member, or `next of` a pool; `from` is absent where nobody had it. */
  readonly member?: { readonly from?: string; readonly to: string };
  readonly respondBy?: FromTo<string>;
  readonly stage?: FromTo<string>;
  /** Where it would have gone after its arrival, when and why. */
  readonly moved?: ReplayedMove;
  /** Whether it would be set aside as suspected spam. */
  readonly spam?: FromTo<boolean>;
  /** The rules that did something else then; none where it is the configuration that has changed since. */
  readonly rules: readonly string[];
  /** The same in words. */
  readonly because: readonly string[];
}

interface Decided {
  readonly tier: Tier;
  readonly decision: Decision;
}

const isOfRule = ({ name }: { readonly name: string }): boolean => name.startsWith('rule:');

/** What was decided then, or would have been by the rules in force where no decision was stored. */
function decide(
  practice: Practice,
  rules: CompiledRules,
  { head, body, score, person }: PastInquiry,
): Decided {
  const model: Score = {
    total: score.total,
    tier: score.decision?.modelTier ?? score.tier,
    modelVersion: score.modelVersion,
    parts: score.parts.filter((part) => !isOfRule(part)),
  };
  const urgency = findUrgency(practice.urgency, { serviceId: head.serviceId, text: writtenText(body) });
  const facts = gatherFacts(practice, {
    trigger: 'arrival',
    head,
    body,
    person,
    score: model,
    urgency: urgency.level,
  });
  // What a human has released is no spam, whatever rules find.
  const looked = head.clockFrom === undefined ? rules : rules.forReleased();
  const triaged = triage(practice, { facts, score: model, urgency, rules: looked });
  return { tier: triaged.score.tier, decision: triaged.decision };
}

/** The member that a decision names, where they are there to take it. */
function namedMember(
  practice: Practice,
  decision: Decision,
  person: KnownPerson | undefined,
): string | undefined {
  const id = decision.memberId ?? (decision.toOwner === true ? person?.owner : undefined);
  return practice.members.find((member) => member.id === id && member.enabled)?.id;
}

/** How receipts name that somebody had it by name, not by a turn. */
const namedStrategies: readonly string[] = ['fixed_member', 'owner'] satisfies Named['strategy'][];

function memberChange(
  practice: Practice,
  { head, person }: PastInquiry,
  before: Decision,
  now: Decision,
  pools: FromTo<string>,
): ReplayChange['member'] {
  // Who knows the person may be another by now: of the same decision the same would have come.
  const isSame = before.memberId === now.memberId && before.toOwner === now.toOwner;
  if (isSame && (now.memberId !== undefined || now.toOwner) && pools.from === pools.to) return undefined;
  const from = head.assignedTo;
  const had = from === undefined ? {} : { from };
  const named = namedMember(practice, now, person);
  if (named !== undefined) return named === from ? undefined : { ...had, to: named };
  if (from === undefined) return undefined;
  const wasNamed = head.receipt
    ? namedStrategies.includes(head.receipt.strategy)
    : namedMember(practice, before, person) === from;
  const inPool = practice.pools.find(({ id }) => id === pools.to)?.members.some(({ id }) => id === from);
  // Whoever had it may have it still where their turn came from a pool that they are in.
  const stays = !wasNamed && (pools.from === pools.to || inPool === true);
  return stays ? undefined : { from, to: `next of ${pools.to}` };
}

const inWords = ({ rule, did }: RuleHit): string => `${rule}: ${did.join(', ')}`;

/** What the rules did then and not now, and the other way round. */
function reasons(before: Decision, now: Decision): Pick<ReplayChange, 'rules' | 'because'> {
  const [old, fresh] = [(before.hits ?? []).map(inWords), (now.hits ?? []).map(inWords)];
  const gained = (now.hits ?? []).filter((hit) => !old.includes(inWords(hit)));
  const lost = (before.hits ?? []).filter((hit) => !fresh.includes(inWords(hit)));
  const rules = [...new Set([...gained, ...lost].map(({ rule }) => rule))];
  return {
    rules,
    because:
      rules.length === 0
        ? ['the configuration has changed since']
        : [...gained.map(inWords), ...lost.map((hit) => `no longer ${inWords(hit)}`)],
  };
}

/**
 * What would have been decided otherwise on an inquiry's arrival; undefined where
 * nothing would. It is compared with the decision stored at the time, or, where
 * there was none yet, with what the practice's present rules would have decided.
 */
export function replayOne(
  practice: Practice,
  candidate: CompiledRules,
  past: PastInquiry,
): ReplayChange | undefined {
  const { head, score } = past;
  const before: Decided =
    score.decision === undefined
      ? decide(practice, rulesOf(practice), past)
      : { tier: score.tier, decision: score.decision };
  const now = decide(practice, candidate, past);

  const ofService = (): string => findPool(practice, head.serviceId).id;
  const pools: FromTo<string> = {
    from: before.decision.poolId ?? head.poolId ?? ofService(),
    to: now.decision.poolId ?? ofService(),
  };
  const respondBy = ({ respondWithinMinutes }: Decision): string =>
    addBusinessMinutes(
      new Date(head.clockFrom ?? head.receivedAt),
      respondWithinMinutes,
      findLocation(practice, head.locationId),
    ).toISOString();
  const otherClock = before.decision.respondWithinMinutes !== now.decision.respondWithinMinutes;
  const member = memberChange(practice, past, before.decision, now.decision, pools);
  const [stageBefore, stageNow] = [before.decision.stage ?? 'new', now.decision.stage ?? 'new'];
  const [spamBefore, spamNow] = [before.decision.spam === true, now.decision.spam === true];

  const later = replayLater(practice, candidate, past);
  const change = {
    ...(before.tier !== now.tier && { tier: { from: before.tier, to: now.tier } }),
    ...(pools.from !== pools.to && { pool: pools }),
    ...(member && { member }),
    ...(otherClock && { respondBy: { from: respondBy(before.decision), to: respondBy(now.decision) } }),
    ...(stageBefore !== stageNow && { stage: { from: stageBefore, to: stageNow } }),
    ...(spamBefore !== spamNow && { spam: { from: spamBefore, to: spamNow } }),
  };
  const isOther = Object.keys(change).length > 0;
  if (!isOther && !later) return undefined;
  const why = isOther ? reasons(before.decision, now.decision) : { rules: [], because: [] };
  const hits = later?.hits ?? [];
  return {
    inquiryId: head.id,
    receivedAt: head.receivedAt,
    ...change,
    ...(later && { moved: later }),
    rules: [...new Set([...why.rules, ...hits.map(({ rule }) => rule)])],
    because: [...why.because, ...hits.map(inWords)],
  };
}

/** How many inquiries would change, and how. */
export interface ReplaySummary {
  readonly looked: number;
  readonly changed: number;
  readonly raised: number;
  readonly lowered: number;
  readonly pool: number;
  readonly member: number;
  readonly earlier: number;
  readonly later: number;
  readonly stage: number;
  readonly moved: number;
  readonly spam: number;
  /** Those that no rule changes, but what else of the configuration has changed since. */
  readonly byConfiguration: number;
  /** How many each rule has a part in. */
  readonly byRule: Readonly<Record<string, number>>;
}

/**
 * Sums up a replay.
 *
 * @param looked - how many inquiries were replayed, those that would stay as they are among them
 */
export function summarizeReplay(changes: readonly ReplayChange[], looked: number): ReplaySummary {
  const count = (is: (change: ReplayChange) => boolean): number => changes.filter(is).length;
  const isHigher = ({ from, to }: FromTo<Tier>): boolean => tiers.indexOf(to) < tiers.indexOf(from);
  const rules = changes.flatMap((change) => change.rules);
  return {
    looked,
    changed: changes.length,
    raised: count(({ tier }) => tier !== undefined && isHigher(tier)),
    lowered: count(({ tier }) => tier !== undefined && !isHigher(tier)),
    pool: count(({ pool }) => pool !== undefined),
    member: count(({ member }) => member !== undefined),
    earlier: count(({ respondBy }) => respondBy !== undefined && respondBy.to < respondBy.from),
    later: count(({ respondBy }) => respondBy !== undefined && respondBy.to > respondBy.from),
    stage: count(({ stage }) => stage !== undefined),
    moved: count(({ moved }) => moved !== undefined),
    spam: count(({ spam }) => spam !== undefined),
    byConfiguration: count((change) => change.rules.length === 0),
    byRule: Object.fromEntries(
      [...new Set(rules)].map((rule) => [rule, rules.filter((each) => each === rule).length]),
    ),
  };
}
