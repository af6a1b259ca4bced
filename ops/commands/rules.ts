/** `rules …`: triage rules from templates, tried, drafted, published and rolled back. */
import { existsSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { createRulesStore, type RulesIssue, type RulesPublished } from '../../shared/data/rules.ts';
import { findUrgency } from '../../shared/domain/clinical-urgency.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { compileRules } from '../../shared/domain/rules/compile.ts';
import {
  explainRules,
  type FailedComparison,
  type RuleExplanation,
} from '../../shared/domain/rules/explain.ts';
import { fields, isField } from '../../shared/domain/rules/fields.ts';
import { gatherFacts, writtenText } from '../../shared/domain/rules/gather.ts';
import type { PastInquiry } from '../../shared/domain/rules/replay.ts';
import type { Rule } from '../../shared/domain/rules/rule.ts';
import { fillTemplate, type RuleTemplate, ruleTemplates } from '../../shared/domain/rules/templates.ts';
import { triage } from '../../shared/domain/rules/triage.ts';
import { appendRule } from '../append-rule.ts';
import { openPractice, openRules, pathOf, readText } from '../files.ts';
import { createPastReader } from '../past-inquiries.ts';
import { formatPath } from '../practice-file.ts';
import { writeRules, writeRulesFile } from '../practice-text.ts';
import { authorOf, codeOf, onPractice, onTable } from '../system.ts';
import { count, layOut, Refusal } from '../terminal.ts';

/** The practice of a file where one is named, else the one in force. */
const practiceOf = (file: string | undefined): Promise<Practice> =>
  file === undefined
    ? onPractice(async (_, practice) => practice)
    : Promise.resolve(openPractice(file).practice);

function templates(args: string[]): void {
  parseArgs({ args, options: {} });
  const rows = ruleTemplates.map(({ id, purpose, slots }) => [
    id,
    slots.map(({ name }) => name).join(', '),
    purpose,
  ]);
  console.log(layOut(['template', 'slots', 'what it is for'], rows));
  console.log('\nSee one filled in: npm run practice -- rules template <id> [--set slot=value ...]');
}

/** `--set pool=spanish` as a slot and its value. */
function slotsOf(settings: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    settings.map((setting) => {
      const [name = '', ...value] = setting.split('=');
      if (name === '' || value.length === 0)
        throw new Refusal(`--set takes slot=value, not ${setting}: --set pool=spanish, say.`);
      return [name, value.join('=')];
    }),
  );
}

/** @throws Refusal that names the slot at fault, or the templates that there are */
async function fillFrom(
  args: string[],
): Promise<{ rule: Rule; template: RuleTemplate; practice: Practice; to?: string }> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      set: { type: 'string', multiple: true, default: [] },
      to: { type: 'string' },
      id: { type: 'string' },
      name: { type: 'string' },
      practice: { type: 'string' },
    },
  });
  const [id, ...rest] = positionals;
  const template = ruleTemplates.find((each) => each.id === id);
  if (rest.length > 0) throw new Refusal(`What is ${rest[0]}? Slots are set by --set slot=value.`);
  if (template === undefined) {
    const known = ruleTemplates.map((each) => each.id).join(', ');
    throw new Refusal(
      `${id === undefined ? 'Name a template' : `There is no template ${id}`}; there are ${known}.`,
    );
  }
  const slots = slotsOf(values.set);
  const as = { ...(values.id && { id: values.id }), ...(values.name && { name: values.name }) };
  const practice = await practiceOf(values.practice);
  const { rule, issues } = fillTemplate(template, slots, practice, as);
  if (rule === undefined)
    throw new Refusal(issues.map(({ slot, message }) => `--set ${slot}: ${message}`).join('\n'));
  return { rule, template, practice, ...(values.to !== undefined && { to: values.to }) };
}

async function template(args: string[]): Promise<void> {
  const { rule, template } = await fillFrom(args);
  const slots = template.slots.map(
    ({ name, description, optional }) =>
      `#   ${name}: ${description}${optional ? ' (may be left out)' : ''}\n`,
  );
  process.stdout.write(`# ${template.purpose}\n`);
  if (slots.length > 0) process.stdout.write(`# Slots, each set by --set slot=value:\n${slots.join('')}`);
  process.stdout.write(writeRules([rule]));
}

async function add(args: string[]): Promise<void> {
  const { rule, practice, to } = await fillFrom(args);
  if (to === undefined) throw new Refusal('Give the file that it goes to: --to <rules-file>');
  // Publishing a file replaces the rules in force, so a new one begins with them.
  const begun = !existsSync(pathOf(to)) && practice.rules.length > 0;
  const inForce = begun ? writeRulesFile(practice.rules) : undefined;
  const before = existsSync(pathOf(to)) ? readText(to) : inForce;
  const appended = appendRule(before, rule);
  if (appended.refused !== undefined) throw new Refusal(`${to}: ${appended.refused}`);
  try {
    writeFileSync(pathOf(to), appended.text);
  } catch (error) {
    throw new Refusal(`Cannot write ${to} (${codeOf(error)}).`);
  }
  if (begun) console.log(`Began ${to} with the ${count(practice.rules.length, 'rule')} in force.`);
  console.log(`Added ${rule.id} to ${to}: rule ${appended.position} of ${appended.position}.`);
  console.log(`Try it: npm run practice -- rules try --rules ${to} --inquiry <id>`);
}

const listed = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : String(value));

/** Why a rule does not hold, in words. What somebody wrote in free text is not repeated. */
function whyNot({ field, operator, wanted, actual, negated }: FailedComparison): string {
  const asked = [field, operator.replaceAll('_', ' '), ...(wanted === undefined ? [] : [listed(wanted)])];
  const isText = isField(field) && fields[field].type === 'text';
  const found =
    actual === undefined
      ? 'it is not known'
      : isText
        ? 'what was written differs'
        : `it is ${listed(actual)}`;
  return negated ? `not wanted, but so: ${asked.join(' ')}` : `${asked.join(' ')}: ${found}`;
}

const states: Readonly<Record<RuleExplanation['state'], string>> = {
  held: 'holds',
  not_held: 'no',
  skipped: 'skipped',
  off: 'off',
  elsewhere: 'other time',
  broken: 'broken',
};

function outcomeOf(explanation: RuleExplanation, rules: readonly Rule[]): string {
  const { state, did, failed } = explanation;
  if (did) return did.join(', ');
  if (failed) return whyNot(failed);
  if (state === 'skipped') return 'a rule before it says stop';
  if (state === 'off') return 'enabled: false';
  const on = rules.find(({ id }) => id === explanation.rule)?.on.join(', ');
  return `looked at on ${on}`;
}

/** Tries rules on an inquiry as if it came in now: by what it scored then and what was written. */
function tryOn(
  practice: Practice,
  rules: readonly Rule[],
  { head, body, score, person }: PastInquiry,
): string {
  const compiled = compileRules(rules);
  const urgency = findUrgency(practice.urgency, { serviceId: head.serviceId, text: writtenText(body) });
  const model = {
    ...score,
    tier: score.decision?.modelTier ?? score.tier,
    parts: score.parts.filter(({ name }) => !name.startsWith('rule:')),
  };
  const facts = gatherFacts(practice, {
    trigger: 'arrival',
    head,
    body,
    person,
    score: model,
    urgency: urgency.level,
  });
  const explained = explainRules(compiled, facts);
  const rows = explained.map((each) => [each.rule, states[each.state], outcomeOf(each, rules)]);
  const { score: after, decision } = triage(practice, { facts, score: model, urgency, rules: compiled });
  const result = [
    `tier ${after.tier}`,
    `call within ${decision.respondWithinMinutes} opening minutes (${decision.clock})`,
    decision.poolId === undefined
      ? "its service's pool"
      : `pool ${decision.poolId} (${decision.poolBecause})`,
  ];
  return [
    rows.length === 0 ? 'There are no rules.' : layOut(['rule', '', 'what it does, or why not'], rows),
    '',
    layOut(['on arrival, nothing was written'], [[`score ${score.total}, ${result.join(', ')}`]]),
  ].join('\n');
}

async function tryRules(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { rules: { type: 'string' }, inquiry: { type: 'string' } },
  });
  const { rules: file, inquiry: id } = values;
  if (file === undefined || id === undefined)
    throw new Refusal('Give both: npm run practice -- rules try --rules <file> --inquiry <id>');
  await onPractice(async (table, practice) => {
    const rules = openRules(file, practice);
    const found = await createPastReader(table, compileRules(rules)).find(id);
    if (found === undefined) throw new Refusal(`There is no inquiry ${id}.`);
    if (found.past === undefined)
      throw new Refusal(`The inquiry ${id} has no score yet: it waits for a human, or came in this moment.`);
    console.log(tryOn(practice, rules, found.past));
  });
}

/** What a publication changes: `+` new, `~` changed, `-` gone, `>` moved. */
function describeChanges(before: readonly Rule[], after: readonly Rule[]): string {
  const old = new Map(before.map((rule) => [rule.id, rule]));
  const kept = before.map(({ id }) => id).filter((id) => after.some((rule) => rule.id === id));
  const order = after.map(({ id }) => id).filter((id) => old.has(id));
  const lines = after.flatMap((rule) => {
    const was = old.get(rule.id);
    if (was === undefined) return [`  + ${rule.id}  ${rule.name}`];
    // The table gives the members of a rule back in an order of its own.
    if (!isDeepStrictEqual(was, rule)) return [`  ~ ${rule.id}  ${rule.name}`];
    return order.indexOf(rule.id) === kept.indexOf(rule.id) ? [] : [`  > ${rule.id}  another place`];
  });
  const gone = before.filter(({ id }) => !after.some((rule) => rule.id === id));
  return [...lines, ...gone.map(({ id, name }) => `  - ${id}  ${name}`)].join('\n');
}

function refuseInvalid(issues: readonly RulesIssue[]): never {
  const lines = issues.map(({ path, message }) => `${formatPath(path)}  ${message}`);
  throw new Refusal([...lines, `${count(issues.length, 'mistake')}; nothing was changed.`].join('\n'));
}

/**
 * Says what became of a publication.
 *
 * @throws Refusal where nothing was published
 */
function tell(done: RulesPublished, missing: string): void {
  if (done.outcome === 'invalid') refuseInvalid(done.issues);
  if (done.outcome === 'missing') throw new Refusal(missing);
  if (done.outcome === 'overtaken')
    throw new Refusal(
      'Other rules or another practice came in force meanwhile, and they stand. See: npm run practice -- rules history',
    );
  if (done.outcome === 'unchanged') {
    console.log(`Nothing to publish: these are the rules in force (version ${done.version}).`);
    return;
  }
  const { version, configurationVersion } = done;
  console.log(`Published: version ${version} of the rules, configuration version ${configurationVersion}.`);
  if (version > 1) console.log(`To undo it: npm run practice -- rules rollback ${version - 1}`);
}

async function draft(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { author: { type: 'string' }, force: { type: 'boolean', default: false } },
  });
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0)
    throw new Refusal('Give one file: npm run practice -- rules draft <file>');
  await onPractice(async (table, practice) => {
    const rules = openRules(file, practice);
    const author = authorOf(values.author);
    const store = createRulesStore(table);
    const before = await store.draft();
    if (before && before.author !== author && !values.force)
      throw new Refusal(
        `There is a draft by ${before.author} (rules show draft). Publish it, or replace it with --force.`,
      );
    const saved = await store.saveDraft(rules, {
      author,
      now: new Date(),
      ...(before && { over: before.version }),
    });
    if (saved.outcome === 'invalid') refuseInvalid(saved.issues);
    if (saved.outcome === 'overtaken')
      throw new Refusal('Somebody else saved a draft at the same moment, and theirs stands.');
    if (before)
      console.log(`It replaces the draft of ${count(before.rules.length, 'rule')} by ${before.author}.`);
    console.log(
      `Saved a draft of ${count(rules.length, 'rule')}; publish it: npm run practice -- rules publish`,
    );
  });
}

const replayHint = (file: string): string =>
  `What it would have done to past inquiries: npm run practice -- replay --rules ${file} --last 500`;

async function publish(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      author: { type: 'string' },
      note: { type: 'string' },
      force: { type: 'boolean', default: false },
    },
  });
  const [file, ...rest] = positionals;
  if (rest.length > 0) throw new Refusal('Give one file, or none to publish the draft.');
  const mark = { author: authorOf(values.author), via: 'command' as const, note: values.note };
  await onPractice(async (table, practice) => {
    const store = createRulesStore(table);
    const rules = file === undefined ? (await store.draft())?.rules : openRules(file, practice);
    const changes = rules && describeChanges(practice.rules, rules);
    const now = new Date();
    const done =
      file === undefined || rules === undefined
        ? await store.publishDraft(mark, now)
        : await store.publish(rules, mark, now, values.force ? undefined : (practice.rulesVersion ?? 0));
    if (done.outcome === 'published' && changes) console.log(changes);
    tell(done, 'There is no draft. Save one, or give a file: npm run practice -- rules publish <file>');
    if (done.outcome === 'published' && file !== undefined) console.log(replayHint(file));
  });
}

/** The most publications that are listed. */
const mostListed = 20;

async function history(args: string[]): Promise<void> {
  parseArgs({ args, options: {} });
  await onPractice(async (table, practice) => {
    const store = createRulesStore(table);
    const [published, open] = [await store.history(mostListed), await store.draft()];
    if (published.length === 0) console.log('No rules have been published yet.');
    else {
      const rows = published.map((each) => [
        `${each.version}${each.version === practice.rulesVersion ? ' *' : ''}`,
        each.updatedAt.slice(0, 16).replace('T', ' '),
        each.author,
        each.via,
        `${each.rules.length}`,
        each.note ?? '',
      ]);
      console.log(layOut(['version', 'published (UTC)', 'by', 'via', 'rules', 'note'], rows));
      console.log('* in force');
    }
    if (open) {
      const based = open.basedOn === 0 ? 'before any rules' : `on version ${open.basedOn}`;
      console.log(`A draft of ${count(open.rules.length, 'rule')} by ${open.author}, made ${based}.`);
    }
  });
}

/** @throws Refusal where it is no version */
function versionOf(positionals: readonly string[], command: string): number {
  const [given, ...rest] = positionals;
  const version = Number(given);
  if (rest.length > 0 || !Number.isInteger(version) || version < 1)
    throw new Refusal(
      `Give one version: npm run practice -- rules ${command} <version> (see: rules history)`,
    );
  return version;
}

async function show(args: string[]): Promise<void> {
  const { positionals } = parseArgs({ args, allowPositionals: true, options: {} });
  const version = positionals.join() === 'draft' ? 'draft' : versionOf(positionals, 'show');
  await onTable(async (table) => {
    const store = createRulesStore(table);
    if (version === 'draft') {
      const open = await store.draft();
      if (open === undefined) throw new Refusal('There is no draft.');
      return void process.stdout.write(writeRules(open.rules));
    }
    const found = await store.find(version);
    if (found === undefined) throw new Refusal(`There is no version ${version}. See: rules history`);
    const { author, updatedAt, note } = found;
    process.stdout.write(`# Version ${version}, by ${author} at ${updatedAt}${note ? `: ${note}` : ''}\n`);
    process.stdout.write(writeRules(found.rules));
  });
}

async function rollback(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { author: { type: 'string' } },
  });
  const version = versionOf(positionals, 'rollback');
  await onPractice(async (table, practice) => {
    const store = createRulesStore(table);
    const old = await store.find(version);
    const mark = { author: authorOf(values.author), via: 'command' as const };
    const done = await store.rollback(version, mark, new Date());
    if (done.outcome === 'published' && old) console.log(describeChanges(practice.rules, old.rules));
    tell(done, `There is no version ${version}. See: npm run practice -- rules history`);
  });
}

const commands: Readonly<Record<string, (args: string[]) => void | Promise<void>>> = {
  templates,
  template,
  add,
  try: tryRules,
  draft,
  publish,
  history,
  show,
  rollback,
};

export async function rules([name, ...args]: string[]): Promise<void> {
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    const what = name === undefined ? 'Say what to do with rules' : `There is no command rules ${name}`;
    throw new Refusal(`${what}: rules ${Object.keys(commands).join(', ')}.`);
  }
  await command(args);
}
