/**
 * Whether a practice's rules make sense as a whole: that what they name is there,
 * that their conditions can hold and are reached, and that nobody is made to wait
 * for a trait of theirs without a manager's word.
 */
import { findSequence, sequences } from '../messages/nurture.ts';
import { findTemplate } from '../messages/sender.ts';
import type { Practice } from '../practice.ts';
import { isStageOfAny } from '../service-lines.ts';
import { tiers } from '../stages.ts';
import { comparisonsOf } from './compile.ts';
import type { Trigger } from './facts.ts';
import { type FieldName, fieldNames, fields, isField, isWrong, type Literal, literalOf } from './fields.ts';
import { insuranceKindOf } from './gather.ts';
import { canHold, canMeet, clashOf, isImplied, type Way, waysOf, waysToFail } from './normal-form.ts';
import type { Action, Comparison, Condition, Rule } from './rule.ts';

/** Where something is, from the practice: `['rules', 3, 'when', 'all', 0, 'value']`. */
type Path = readonly (string | number)[];

/** What is wrong with a rule. */
export interface RuleIssue {
  readonly rule: string;
  readonly path: Path;
  /** Names the rule and the reason. */
  readonly message: string;
}

type Report = (path: Path, reason: string) => void;

/** How much a rule may hold; more than this nobody reads, and checking would take long. */
const mostComparisons = 100;
const deepestNesting = 8;

/** How many letters have to be changed to get from one word to the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** `; did you mean acne?`, where a known name is near enough. */
function suggestion(name: string, known: readonly string[]): string {
  const wanted = name.toLowerCase();
  const near = known
    .map((each) => {
      const other = each.toLowerCase();
      const holdsOther = wanted.length > 2 && (other.includes(wanted) || wanted.includes(other));
      return { each, far: holdsOther ? 1 : distance(wanted, other) };
    })
    .filter(({ each, far }) => far <= Math.max(1, Math.floor(each.length / 3)))
    .sort((a, b) => a.far - b.far)[0];
  return near === undefined ? '' : `; did you mean ${near.each}?`;
}

const idsOf = (
  practice: Practice,
  list: 'services' | 'sources' | 'locations' | 'members' | 'pools',
): string[] => practice[list].map(({ id }) => id);

const singular = {
  services: 'service',
  sources: 'source',
  locations: 'location',
  members: 'member',
  pools: 'pool',
} as const;

function unknownId(practice: Practice, list: keyof typeof singular, id: string): string | undefined {
  const known = idsOf(practice, list);
  return known.includes(id) ? undefined : `no ${singular[list]} has the id ${id}${suggestion(id, known)}`;
}

/** A comparison in words. */
const inWords = ({ field, operator, value, holds }: Literal): string => {
  const shown = value === undefined ? '' : ` ${Array.isArray(value) ? value.join(', ') : String(value)}`;
  return `"${holds ? '' : 'not '}${field} ${operator}${shown}"`;
};

/** A comparison, or the negation of one, in its plain form. */
function literalWithin(part: Condition): Literal[] {
  if ('all' in part || 'any' in part) return [];
  if ('not' in part) return literalWithin(part.not).map((each) => ({ ...each, holds: !each.holds }));
  const literal = literalOf(part);
  return isWrong(literal) ? [] : [literal];
}

/** Why a condition can never hold; undefined where it can, or where that cannot be told. */
function whyNever(condition: Condition): string | undefined {
  if (canHold(condition)) return undefined;
  const clash = clashOf('all' in condition ? condition.all.flatMap(literalWithin) : literalWithin(condition));
  if (clash === undefined) return 'can never hold: each of the ways in which it might contradicts itself';
  const words = clash.map(inWords);
  return words.length === 1
    ? `can never hold: nothing satisfies ${words.join()}`
    : `can never hold: ${words.join(' and ')} exclude each other`;
}

function checkComparison(
  comparison: Comparison,
  rule: Rule,
  practice: Practice,
  path: Path,
  report: Report,
): boolean {
  const { field: name } = comparison;
  if (!isField(name)) {
    report([...path, 'field'], `no field is called ${name}${suggestion(name, fieldNames)}`);
    return false;
  }
  const field = fields[name];
  const elsewhere = rule.on.filter((trigger) => field.at?.includes(trigger) === false);
  if (elsewhere.length > 0) {
    const known = (field.at ?? []).join(', ');
    report([...path, 'field'], `${name} is known at ${known} only, not at ${elsewhere.join(', ')}`);
    return false;
  }
  const literal = literalOf(comparison);
  if (isWrong(literal)) {
    const value = literal.part === 'value' ? `the value ${literal.wrong}` : literal.wrong;
    report([...path, literal.part], value);
    return false;
  }
  if (field.values === undefined) return true;
  const { values } = field;
  const named = Array.isArray(literal.value)
    ? literal.value
    : literal.value === undefined
      ? []
      : [literal.value];
  let valid = true;
  for (const [i, value] of named.entries()) {
    const reason =
      typeof values === 'string'
        ? unknownId(practice, values, value)
        : values.includes(value)
          ? undefined
          : `${value} is no ${field.label}: it is one of ${values.join(', ')}`;
    if (reason === undefined) continue;
    valid = false;
    report([...path, 'value', ...(Array.isArray(comparison.value) ? [i] : [])], reason);
  }
  return valid;
}

/** Checks each comparison; whether all of them can be worked with. */
function checkComparisons(
  condition: Condition,
  rule: Rule,
  practice: Practice,
  path: Path,
  report: Report,
  depth = 1,
): boolean {
  if (depth > deepestNesting) {
    report(path, `is nested deeper than ${deepestNesting} levels`);
    return false;
  }
  const inside = (part: Condition, at: Path): boolean =>
    checkComparisons(part, rule, practice, at, report, depth + 1);
  if ('not' in condition) return inside(condition.not, [...path, 'not']);
  for (const key of ['all', 'any'] as const) {
    const parts = (condition as Partial<Record<typeof key, readonly Condition[]>>)[key];
    if (parts !== undefined)
      return parts.map((part, i) => inside(part, [...path, key, i])).every((valid) => valid);
  }
  return checkComparison(condition as Comparison, rule, practice, path, report);
}

/** Reports the smallest parts of a condition that can never hold; whether there were any. */
function checkContradictions(condition: Condition, path: Path, report: Report): boolean {
  const parts: [Condition, Path][] =
    'all' in condition
      ? condition.all.map((part, i) => [part, [...path, 'all', i]])
      : 'any' in condition
        ? condition.any.map((part, i) => [part, [...path, 'any', i]])
        : 'not' in condition
          ? [[condition.not, [...path, 'not']]]
          : [];
  const within = parts.map(([part, at]) => checkContradictions(part, at, report)).some((found) => found);
  if (within) return true;
  const why = whyNever(condition);
  if (why !== undefined) report(path, why);
  return why !== undefined;
}

/** Reports a condition that asks for a stage which nothing has on arrival; whether it does. */
function checkArrival(rule: Rule, when: Condition, path: Path, report: Report): boolean {
  const isNew: Condition = { field: 'stage', operator: 'is', value: 'new' };
  const never = rule.on.every((trigger) => trigger === 'arrival') && !canHold({ all: [when, isNew] });
  if (never) report(path, 'can never hold: on arrival the stage is new');
  return never;
}

/** Matters about which a rule says one thing only. */
const matters: Partial<Record<Action['do'], string>> = {
  set_tier: 'the tier',
  raise_tier: 'the tier',
  lower_tier: 'the tier',
  set_urgency: 'the urgency',
  respond_within: 'the clock',
  send_to_pool: 'the pool',
  send_to_member: 'who it goes to',
  send_to_owner: 'who it goes to',
  send_to_specialty: 'the specialty',
  set_stage: 'the stage',
};

function checkAction(action: Action, practice: Practice, path: Path, report: Report): void {
  const known = (list: 'pools' | 'members', key: string, id: string): void => {
    const reason = unknownId(practice, list, id);
    if (reason !== undefined) report([...path, key], reason);
  };
  switch (action.do) {
    case 'send_to_pool':
      known('pools', 'pool', action.pool);
      break;
    case 'send_to_member':
      known('members', 'member', action.member);
      break;
    case 'send_to_specialty':
      if (!practice.members.some(({ specialties }) => specialties?.includes(action.specialty)))
        report([...path, 'specialty'], `no member has the specialty ${action.specialty}`);
      break;
    case 'notify':
      if (action.whom !== 'managers') known('members', 'whom', action.whom);
      break;
    case 'auto_reply': {
      const template = findTemplate(practice, action.template);
      if (!template) report([...path, 'template'], `no template has the id ${action.template}`);
      else if (template.class !== 'transactional')
        report([...path, 'template'], `${template.id} is ${template.class}: a reply is transactional`);
      break;
    }
    case 'start_nurture':
      if (!findSequence(action.sequence)) {
        const known = sequences.map(({ id }) => id).join(', ');
        report([...path, 'sequence'], `no sequence has the id ${action.sequence}: there are ${known}`);
      } else if (practice.messages.postalAddress === undefined) {
        report([...path, 'do'], 'a sequence advertises, and needs messages.postalAddress');
      }
      break;
    case 'set_stage':
      if (action.stage === 'new') report([...path, 'stage'], 'no inquiry goes back to new');
      if (action.stage === 'closed' && action.closeReason === undefined)
        report([...path, 'closeReason'], 'closed needs a closeReason');
      if (action.stage !== 'closed' && action.closeReason !== undefined)
        report([...path, 'closeReason'], `only closed takes a closeReason, not ${action.stage}`);
      if (!isStageOfAny(practice, action.stage))
        report([...path, 'stage'], `no service line has the stage ${action.stage}`);
      break;
    default:
  }
}

function checkActions(rule: Rule, practice: Practice, path: Path, report: Report): void {
  const said = new Map<string, Action['do']>();
  const seen = new Set<string>();
  rule.actions.forEach((action, i) => {
    const at = [...path, 'actions', i];
    checkAction(action, practice, at, report);
    const same = JSON.stringify(action);
    const matter = matters[action.do];
    const before = matter === undefined ? undefined : said.get(matter);
    if (seen.has(same)) report(at, `${action.do} is there twice`);
    else if (before !== undefined)
      report([...at, 'do'], `${action.do} contradicts ${before}: a rule says one thing about ${matter}`);
    seen.add(same);
    if (matter !== undefined) said.set(matter, before ?? action.do);
  });
}

/** What an action changes of what later rules see. */
const changedBy: Partial<Record<Action['do'], FieldName>> = {
  set_tier: 'tier',
  raise_tier: 'tier',
  lower_tier: 'tier',
  set_urgency: 'urgency',
  tag: 'tags',
};

/** Whether one rule is looked at at a trigger together with the other. */
const isLookedAtWith = (a: Rule, b: Rule, trigger: Trigger): boolean =>
  a.enabled &&
  a.on.includes(trigger) &&
  b.on.includes(trigger) &&
  (trigger !== 'silence' || a.silentHours === b.silentHours);

/** Whether both may hold for one inquiry at the same trigger; rules between them may move tier, urgency and tags. */
function mayMeet(rule: Rule, other: Rule): boolean {
  if (!rule.on.some((trigger) => isLookedAtWith(other, rule, trigger))) return false;
  const isMoved = (name: FieldName): boolean => Object.values(changedBy).includes(name);
  return canMeet(waysOf(rule.when, isMoved), waysOf(other.when, isMoved));
}

/** Whether an action brings somebody to the front who was not there. */
function hastens(action: Action, { scoring }: Practice): boolean {
  switch (action.do) {
    case 'raise_tier':
      return true;
    case 'set_tier':
      return action.tier !== 'C';
    case 'set_urgency':
      return action.urgency !== 'routine';
    case 'respond_within': {
      const clocks = [
        ...Object.values(scoring.respondWithinMinutes),
        ...Object.values(scoring.channelMinutes),
      ];
      return action.minutes < Math.max(...clocks);
    }
    default:
      return false;
  }
}

/** What a rule does that makes people wait longer than they would without it; empty where nothing does. */
function loweringActions(rule: Rule, practice: Practice): Action['do'][] {
  const { channelMinutes, respondWithinMinutes } = practice.scoring;
  const urgent = practice.urgency.respondWithinMinutes;
  const place = practice.rules.indexOf(rule);
  const others = (from: number, to?: number): Rule[] =>
    practice.rules.slice(from, to).filter((other) => mayMeet(rule, other));
  const mayHoldWith = (...parts: Condition[]): boolean =>
    canHold({ all: [...(rule.when === undefined ? [] : [rule.when]), ...parts] });
  const isOf = (field: FieldName, values: readonly string[]): Condition => ({
    field,
    operator: 'in',
    value: [...values],
  });
  const withClock = Object.keys(channelMinutes);
  const withoutClock: Condition[] = withClock.length === 0 ? [] : [{ not: isOf('channel', withClock) }];
  const lowers = (action: Action): boolean => {
    switch (action.do) {
      case 'lower_tier':
      case 'mark_spam':
        return true;
      case 'set_stage':
        return action.stage === 'closed' || action.stage === 'booked';
      case 'stop':
        return others(place + 1).some((later) => later.actions.some((each) => hastens(each, practice)));
      case 'set_tier':
        return action.tier !== 'A' && mayHoldWith(isOf('tier', tiers.slice(0, tiers.indexOf(action.tier))));
      case 'set_urgency':
        return (
          action.urgency !== 'same_day' &&
          mayHoldWith(isOf('urgency', action.urgency === 'soon' ? ['same_day'] : ['same_day', 'soon']))
        );
      case 'respond_within':
        return (
          tiers.some(
            (tier) =>
              action.minutes > respondWithinMinutes[tier] &&
              mayHoldWith(isOf('tier', [tier]), ...withoutClock),
          ) ||
          Object.entries(channelMinutes).some(
            ([channel, minutes]) => action.minutes > minutes && mayHoldWith(isOf('channel', [channel])),
          ) ||
          Object.entries(urgent).some(
            ([urgency, minutes]) => action.minutes > minutes && mayHoldWith(isOf('urgency', [urgency])),
          ) ||
          others(0, place).some((earlier) =>
            earlier.actions.some((each) => each.do === 'respond_within' && each.minutes < action.minutes),
          )
        );
      default:
        return false;
    }
  };
  return rule.actions.filter(lowers).map((action) => action.do);
}

const isOfInsurance = (name: string): boolean => name === 'insurance' || name === 'insuranceKind';

/** Whether a rule may hold for public insurance, and looks at insurance to do so. */
function mayHoldForPublicInsurance(when: Condition | undefined): boolean {
  if (!comparisonsOf(when).some(({ field }) => isOfInsurance(field))) return false;
  const ways = waysOf(when);
  if (ways === undefined) return true;
  const isPublic: Literal = { field: 'insuranceKind', operator: 'is', value: 'public', holds: true };
  return ways.some((way) => {
    const own = way.filter(({ field }) => isOfInsurance(field));
    if (own.length === 0 || clashOf([...own, isPublic]) !== undefined) return false;
    const ofText = own.filter(({ field }) => field === 'insurance');
    // Without a text there is no public insurance.
    if (ofText.some(({ operator, holds }) => operator === 'present' && !holds)) return false;
    const exact = ofText.find(({ operator, holds }) => holds && (operator === 'is' || operator === 'in'));
    if (exact === undefined) return true;
    const texts = exact.operator === 'is' ? [exact.value as string] : (exact.value as string[]);
    return texts.some((text) => insuranceKindOf(text) === 'public');
  });
}

/** What rules moved people to by a sensitive trait, and so stands for the trait itself. */
interface Carried {
  readonly field: FieldName;
  readonly value: string;
  /** The trait's label. */
  readonly trait: string;
  readonly by: Rule;
}

/** What an action moves people to, as the conditions of other rules ask for it. */
function movedTo(action: Action): Pick<Carried, 'field' | 'value'>[] {
  switch (action.do) {
    case 'tag':
      return [{ field: 'tags', value: action.tag }];
    case 'set_tier':
      return [{ field: 'tier', value: action.tier }];
    case 'raise_tier':
      return tiers.slice(0, -1).map((value) => ({ field: 'tier', value }));
    case 'lower_tier':
      return tiers.slice(1).map((value) => ({ field: 'tier', value }));
    case 'set_urgency':
      return [{ field: 'urgency', value: action.urgency }];
    default:
      return [];
  }
}

/** Whether a rule tells people apart by what another moved them to. */
function tellsApart(rule: Rule, { field, value, by }: Carried, rules: readonly Rule[]): boolean {
  const asked = comparisonsOf(rule.when).filter((comparison) => comparison.field === field);
  // A tag stays with its person.
  if (field === 'tags') return asked.some((comparison) => [comparison.value].flat().includes(value));
  const seesLater =
    rule.on.some((trigger) => trigger !== 'arrival') || rules.indexOf(by) < rules.indexOf(rule);
  if (asked.length === 0 || rule === by || !by.enabled || !seesLater) return false;
  const all: Condition[] = rule.when === undefined ? [] : [rule.when];
  return canHold({ all: [...all, { field, operator: 'is', value }] });
}

/**
 * By what sensitive traits a rule tells people apart: the labels of its fields.
 * A tag, tier or urgency that another rule sets by such a trait stands for the trait.
 */
function sensitiveTraits(rule: Rule, carried: readonly Carried[], rules: readonly Rule[]): string[] {
  const { when } = rule;
  const traits = new Set<string>();
  for (const { field: name } of comparisonsOf(when))
    if (isField(name) && fields[name].sensitive === true && !isOfInsurance(name))
      traits.add(fields[name].label);
  if (mayHoldForPublicInsurance(when)) traits.add('public insurance');
  for (const each of carried) if (tellsApart(rule, each, rules)) traits.add(each.trait);
  return [...traits];
}

/** What stands for sensitive traits, by the rules that set it; also where one thing leads to another. */
function carriedTraits(rules: readonly Rule[]): Carried[] {
  const carried: Carried[] = [];
  for (let before = -1; before < carried.length; ) {
    before = carried.length;
    for (const rule of rules) {
      if (carried.some(({ by }) => by === rule)) continue;
      const moved = rule.actions.flatMap(movedTo);
      const [trait] = moved.length === 0 ? [] : sensitiveTraits(rule, carried, rules);
      if (trait !== undefined) carried.push(...moved.map((each) => ({ ...each, trait, by: rule })));
    }
  }
  return carried;
}

function checkManagerReason(
  rule: Rule,
  practice: Practice,
  carried: readonly Carried[],
  path: Path,
  report: Report,
): void {
  const { managerReason } = rule;
  if (managerReason !== undefined) {
    const at = [...path, 'managerReason', 'member'];
    const signer = practice.members.find(({ id }) => id === managerReason.member);
    if (signer === undefined) report(at, unknownId(practice, 'members', managerReason.member) ?? '');
    else if (signer.role !== 'manager' || !signer.enabled)
      report(
        at,
        `${signer.id} is no manager${signer.enabled ? '' : ' who is enabled'}, and only one may sign`,
      );
    return;
  }
  const traits = sensitiveTraits(rule, carried, practice.rules);
  if (traits.length === 0) return;
  const [lowering] = loweringActions(rule, practice);
  if (lowering === undefined) return;
  report(
    [...path, 'managerReason'],
    `${lowering} makes people wait by ${traits.join(', ')}: a manager has to write and sign why ` +
      '(managerReason with a member and a reason of at least 20 characters)',
  );
}

/**
 * Finds the rule that stands before another, holds whenever it does, and stops.
 * What a condition comes to is worked out once, however many rules it is held against.
 */
function createReach(rules: readonly Rule[]) {
  const failing = new Map<Rule, readonly Way[] | undefined>();
  const failsOf = (rule: Rule): readonly Way[] | undefined => {
    if (!failing.has(rule)) failing.set(rule, waysToFail(rule.when));
    return failing.get(rule);
  };

  return (index: number, trigger: Trigger): Rule | undefined => {
    const rule = rules[index];
    if (rule === undefined) return undefined;
    const before = rules.slice(0, index).filter((each) => isLookedAtWith(each, rule, trigger));
    const holding = new Map<string, readonly Way[] | undefined>();
    const holdsWith = (changed: ReadonlySet<FieldName>): readonly Way[] | undefined => {
      const key = [...changed].sort().join();
      if (!holding.has(key))
        holding.set(
          key,
          waysOf(rule.when, (name) => changed.has(name)),
        );
      return holding.get(key);
    };
    // From the nearest on: what rules between the two move may be another by now than the earlier one saw.
    const changed = new Set<FieldName>();
    for (const earlier of before.toReversed()) {
      if (
        earlier.actions.some((action) => action.do === 'stop') &&
        isImplied(holdsWith(changed), failsOf(earlier))
      )
        return earlier;
      for (const action of earlier.actions) {
        const field = changedBy[action.do];
        if (field !== undefined) changed.add(field);
      }
    }
    return undefined;
  };
}

/**
 * Checks the rules of a practice. What the schema checks is taken as given: the
 * practice has passed it.
 */
export function checkRules(practice: Practice): RuleIssue[] {
  const issues: RuleIssue[] = [];
  const { rules } = practice;
  const carried = carriedTraits(rules);
  const ids = new Set<string>();
  const possible = new Set<Rule>();

  rules.forEach((rule, i) => {
    const path: Path = ['rules', i];
    const report: Report = (at, reason) => {
      issues.push({ rule: rule.id, path: at, message: `rule ${rule.id}: ${reason}` });
    };
    if (ids.has(rule.id)) report([...path, 'id'], `${rule.id} is there twice`);
    ids.add(rule.id);
    rule.on.forEach((trigger, j) => {
      if (rule.on.indexOf(trigger) < j) report([...path, 'on', j], `${trigger} is there twice`);
    });
    const silent = rule.on.includes('silence');
    if (silent && rule.silentHours === undefined)
      report(
        [...path, 'silentHours'],
        'silence needs silentHours, the opening hours without anything happening',
      );
    if (!silent && rule.silentHours !== undefined)
      report([...path, 'silentHours'], 'only rules on silence take silentHours');

    checkActions(rule, practice, path, report);
    if (rule.when !== undefined) {
      const when = [...path, 'when'];
      const many = comparisonsOf(rule.when).length;
      if (many > mostComparisons)
        report(when, `has ${many} comparisons; a rule takes ${mostComparisons} at most`);
      else if (
        checkComparisons(rule.when, rule, practice, when, report) &&
        !checkContradictions(rule.when, when, report) &&
        !checkArrival(rule, rule.when, when, report)
      )
        possible.add(rule);
    } else possible.add(rule);
    checkManagerReason(rule, practice, carried, path, report);
  });

  const sound = rules.filter((rule) => possible.has(rule));
  const ruleInTheWay = createReach(sound);
  sound.forEach((rule, i) => {
    if (!rule.enabled) return;
    const inTheWay = rule.on.map((trigger) => ruleInTheWay(i, trigger));
    if (inTheWay.some((each) => each === undefined)) return;
    const names = [...new Set(inTheWay.map((each) => each?.id))].join(', ');
    issues.push({
      rule: rule.id,
      path: ['rules', rules.indexOf(rule)],
      message: `rule ${rule.id}: is never looked at: ${names} stands before it, holds whenever it does, and stops`,
    });
  });
  return issues;
}
