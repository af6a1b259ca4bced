/**
 * Replays rules over what happened to an inquiry after its arrival, as far as its
 * timeline tells of it: changes of the stage by staff, calls, answers. Where rules
 * would have taken it elsewhere then, and did not, is shown. Silence is not in a
 * timeline unless rules listened for it, and so is not replayed.
 */
import type { Urgency } from '../clinical-urgency.ts';
import type { Inquiry, PendingTrigger } from '../inquiry/state.ts';
import type { Practice } from '../practice.ts';
import type { Score } from '../scoring.ts';
import type { Stage, Tier } from '../stages.ts';
import { byRecording, type EntryDetails, type EntryKind, type Told } from '../timeline.ts';
import type { CompiledRules } from './compile.ts';
import type { Decision, RuleHit } from './decision.ts';
import { gatherFacts, type KnownPerson, type WrittenBody } from './gather.ts';
import { type ActionName, movingActions } from './rule.ts';
import { applyTrigger, describeAction } from './triage.ts';

/** An inquiry as it was stored, and what happened to it. */
export interface PastLater {
  readonly head: Inquiry;
  readonly body: WrittenBody;
  /** The newest score. */
  readonly score: Score & { readonly decision?: Decision | undefined };
  /** Its person and their timeline, read where rules could have taken it elsewhere later. */
  readonly later?: { readonly told: readonly Told[]; readonly person: KnownPerson | undefined } | undefined;
}

/** A move that rules would have made. */
export interface ReplayedMove {
  readonly at: string;
  readonly trigger: PendingTrigger['kind'];
  /** In words, such as `to the pool intake`. */
  readonly where: string;
  readonly hits: readonly RuleHit[];
}

/** What an inquiry was like when something happened, as far as rules look at it. */
interface Moment {
  readonly stage: Stage;
  readonly tier: Tier;
  readonly urgency: Urgency;
}

const detailsOf = <Kind extends EntryKind>(_kind: Kind, { details }: Told): EntryDetails<Kind> =>
  details as unknown as EntryDetails<Kind>;

/** What an entry meant to rules that listen; undefined where it is nothing of the kind. */
function triggerOf(told: Told, stage: Stage): PendingTrigger | undefined {
  const { at } = told;
  if (told.kind === 'stage_changed') {
    const { from, to } = detailsOf('stage_changed', told);
    return { kind: 'stage_change', at, from, stage: to };
  }
  if (told.kind === 'call')
    return { kind: 'disposition', at, stage, disposition: detailsOf('call', told).disposition };
  if (told.kind === 'email' && detailsOf('email', told).direction === 'received')
    return { kind: 'reply', at, stage };
  return undefined;
}

function momentAfter(before: Moment, told: Told): Moment {
  if (told.kind === 'stage_changed') return { ...before, stage: detailsOf('stage_changed', told).to };
  if (told.kind !== 'rules_applied') return before;
  const { stage, tier, urgency } = detailsOf('rules_applied', told);
  return {
    stage: stage?.to ?? before.stage,
    tier: tier?.to ?? before.tier,
    urgency: urgency?.to ?? before.urgency,
  };
}

/** What rules did at a trigger, as the entry that followed it tells. */
function didAfter(entries: readonly Told[], from: number, kind: PendingTrigger['kind']): readonly string[] {
  for (const told of entries.slice(from + 1)) {
    if (told.kind === 'rules_applied' && detailsOf('rules_applied', told).trigger === kind)
      return detailsOf('rules_applied', told).hits.flatMap(({ did }) => did);
    if (triggerOf(told, 'new')?.kind === kind) return [];
  }
  return [];
}

/** Whether rules could take anything elsewhere after its arrival: only then a timeline has to be read. */
export const mayMoveLater = ({ rules }: CompiledRules): boolean =>
  rules.some(
    ({ enabled, on, actions }) =>
      enabled &&
      on.some((trigger) => trigger !== 'arrival') &&
      actions.some((action) => movingActions.includes(action.do as ActionName)),
  );

/** The first move that the rules would have made after its arrival and that was not made; what would have followed is not guessed. */
export function replayLater(
  practice: Practice,
  candidate: CompiledRules,
  { head, body, score, later }: PastLater,
): ReplayedMove | undefined {
  if (later === undefined) return undefined;
  const { told, person } = later;
  const entries = told.filter(({ inquiryId }) => inquiryId === head.id).toSorted(byRecording);
  let moment: Moment = { stage: 'new', tier: score.tier, urgency: score.decision?.urgency ?? 'routine' };
  for (const [i, entry] of entries.entries()) {
    const trigger = triggerOf(entry, moment.stage);
    moment = momentAfter(moment, entry);
    if (trigger === undefined || !candidate.has(trigger.kind)) continue;
    const outcome = applyTrigger(
      candidate,
      gatherFacts(practice, {
        trigger: trigger.kind,
        head: { ...head, stage: trigger.stage ?? moment.stage, trigger },
        body,
        person,
        score: { total: score.total, tier: moment.tier },
        urgency: moment.urgency,
      }),
    );
    const moves = outcome.actions.filter((action) => movingActions.includes(action.do)).map(describeAction);
    const did = didAfter(entries, i, trigger.kind);
    const isNew = moves.some((move) => !did.includes(move));
    if (!isNew || outcome.spam || outcome.stage === 'closed' || outcome.stage === 'booked') continue;
    const hits = outcome.hits.filter(({ did: does }) => does.some((one) => moves.includes(one)));
    return { at: entry.at, trigger: trigger.kind, where: moves.join(', '), hits };
  }
  return undefined;
}
