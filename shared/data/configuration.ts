/**
 * The practice's configuration in the table. Each entity is an item of its own
 * with a version, an author and a time; `CONFIG/VERSION` counts what was applied,
 * so that a reader sees with one small read whether anything changed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import {
  formSchema,
  locationSchema,
  memberSchema,
  type Practice,
  poolSchema,
  practiceParts,
  practiceSchema,
  serviceSchema,
  sourceSchema,
} from '../domain/practice.ts';
import { type Rule, rulesSchema } from '../domain/rules/rule.ts';
import { nextReportAt } from '../domain/weekly-report.ts';
import {
  configuration,
  configurationPk,
  type Key,
  memberLoad,
  publishedRules,
  weeklyReport,
} from './keys.ts';
import { absent, atVersion, queryAll, type Table, type Transacted, type Write } from './table.ts';
import { weeklyReportRow } from './weekly-reports.ts';

/** The practice file's lists; each of their entries is an entity. */
const listKinds = ['locations', 'services', 'sources', 'forms', 'members', 'pools'] as const;
/** The file's single parts. Those that stand as they are by default are not stored, and follow the default. */
const singleKinds = ['practice', 'scoring', 'urgency', 'redFlags', 'rules'] as const;
const kinds = [...singleKinds, ...listKinds] as const;
export type ConfigurationKind = (typeof kinds)[number];

const isSingle = (kind: ConfigurationKind): kind is (typeof singleKinds)[number] =>
  (singleKinds as readonly string[]).includes(kind);

const { name, phoneCountry, emergencyLine } = practiceParts;

/** What an entity of each kind holds. */
const dataSchemas: Readonly<Record<ConfigurationKind, z.ZodType>> = {
  practice: z.object({ name, phoneCountry, emergencyLine }),
  scoring: practiceParts.scoring,
  urgency: practiceParts.urgency,
  redFlags: practiceParts.redFlags,
  rules: z.object({ rules: rulesSchema }),
  locations: locationSchema,
  services: serviceSchema,
  sources: sourceSchema,
  forms: formSchema,
  members: memberSchema,
  pools: poolSchema,
};

/** How an entity came to stand as it does: from a practice file, by another command, through the API. */
const ways = ['file', 'command', 'api'] as const;
export type ChangedVia = (typeof ways)[number];

/** No practice has been applied to this table yet. */
export class ConfigurationMissing extends Error {
  readonly code = 'configuration_missing';
  override readonly name = 'ConfigurationMissing';

  constructor() {
    super('No practice is configured yet: run "npm run practice -- apply <file>".');
  }
}

interface Entity {
  readonly kind: ConfigurationKind;
  readonly id: string;
  /** Order within its kind; not contiguous, so that an insertion moves no other entity. */
  readonly position: number;
  readonly data: unknown;
}

const storedEntitySchema = z.object({
  kind: z.enum(kinds),
  id: z.string(),
  position: z.number(),
  version: z.int(),
  author: z.string(),
  updatedAt: z.iso.datetime(),
  // Entities of before there was anything but the file lack these two.
  via: z.enum(ways).default('file'),
  /** The version of the whole configuration at which it came to stand so. */
  configurationVersion: z.int().default(0),
  schemaVersion: z.literal(1),
  data: z.record(z.string(), z.unknown()),
});
type StoredEntity = z.infer<typeof storedEntitySchema>;

const versionSchema = z.object({ version: z.int(), schemaVersion: z.literal(1) });

interface Stored {
  /** Of the whole configuration; 0 before the first apply. */
  readonly version: number;
  readonly entities: readonly StoredEntity[];
}

function entityKey({ kind, id }: Pick<Entity, 'kind' | 'id'>): Key {
  return isSingle(kind) ? configuration[kind] : configuration.entity(kind, id);
}

/** The entities of a practice, in the order of its file. */
function toEntities(practice: Practice): Entity[] {
  const { name, phoneCountry, emergencyLine, scoring, urgency, redFlags, rules, ...lists } = practice;
  const single = (kind: (typeof singleKinds)[number], data: unknown): Entity => ({
    kind,
    id: kind,
    position: 1,
    data,
  });
  const unlessDefault = (kind: 'urgency' | 'redFlags', data: unknown): Entity[] =>
    isDeepStrictEqual(data, practiceParts[kind].parse(undefined)) ? [] : [single(kind, data)];
  return [
    single('practice', { name, phoneCountry, emergencyLine }),
    single('scoring', scoring),
    ...unlessDefault('urgency', urgency),
    ...unlessDefault('redFlags', redFlags),
    ...(rules.length > 0 ? [single('rules', { rules })] : []),
    ...listKinds.flatMap((kind) =>
      lists[kind].map((data, i): Entity => ({ kind, id: data.id, position: i + 1, data })),
    ),
  ];
}

function toPractice(entities: readonly StoredEntity[]): Practice {
  const ofKind = (kind: ConfigurationKind) =>
    entities
      .filter((entity) => entity.kind === kind)
      .sort((a, b) => a.position - b.position)
      .map(({ data }) => data);
  const [rules] = entities.filter(({ kind }) => kind === 'rules');
  const practice = practiceSchema.parse({
    ...ofKind('practice')[0],
    scoring: ofKind('scoring')[0],
    urgency: ofKind('urgency')[0],
    redFlags: ofKind('redFlags')[0],
    rules: rules?.data['rules'],
    ...Object.fromEntries(listKinds.map((kind) => [kind, ofKind(kind)])),
  });
  return { ...practice, ...(rules && { rulesVersion: rules.version }) };
}

async function load(table: Table): Promise<Stored> {
  // Downwards, VERSION sorts first: entities read while somebody applies can only be newer than the
  // version they are filed under, so the next look at the version reads them again.
  const rows = await queryAll(table, { pk: configurationPk, consistent: true, newestFirst: true });
  const versionRow = rows.find(({ sk }) => sk === configuration.version.sk);
  return {
    version: versionRow ? versionSchema.parse(versionRow).version : 0,
    entities: rows.filter((row) => row !== versionRow).map((row) => storedEntitySchema.parse(row)),
  };
}

/** The version alone. A query, since most functions may not get single items. */
async function versionNow(table: Table): Promise<unknown> {
  const { sk } = configuration.version;
  const { rows } = await table.query({ pk: configurationPk, from: sk, to: sk });
  return rows[0]?.['version'];
}

/**
 * The practice as the table has it, with the configuration's version; undefined before the first apply.
 */
export async function readConfiguration(
  table: Table,
): Promise<{ readonly version: number; readonly practice: Practice } | undefined> {
  const { version, entities } = await load(table);
  return version === 0 ? undefined : { version, practice: toPractice(entities) };
}

export interface ConfigurationReader {
  /**
   * The practice as it is, or was `maxAgeMs` ago.
   *
   * @throws ConfigurationMissing where none has been applied
   */
  current(): Promise<Practice>;
}

/**
 * Reads the configuration once and keeps it, for the life of a function. Past
 * its age one small read tells whether it changed; where that fails, the kept
 * one goes on, since an old configuration beats none.
 *
 * @param options.maxAgeMs - how old the kept configuration may be, in milliseconds
 * @param options.onStale - is told why the kept one has to go on; a place to log it
 */
export function createConfigurationReader(options: {
  table: Table;
  now: () => Date;
  maxAgeMs?: number;
  onStale?: (error: unknown) => void;
}): ConfigurationReader {
  const { table, now, maxAgeMs = 10_000, onStale } = options;
  let kept: { version: number; practice: Practice; checkedAtMs: number } | undefined;
  let underWay: Promise<Practice> | undefined;

  async function refresh(): Promise<Practice> {
    const checkedAtMs = now().getTime();
    try {
      if (kept && (await versionNow(table)) === kept.version) {
        kept = { ...kept, checkedAtMs };
        return kept.practice;
      }
      const read = await readConfiguration(table);
      if (read === undefined) throw new ConfigurationMissing();
      kept = { ...read, checkedAtMs };
      return kept.practice;
    } catch (error) {
      if (kept === undefined) throw error;
      onStale?.(error);
      return kept.practice;
    }
  }

  return {
    async current() {
      if (kept && now().getTime() - kept.checkedAtMs < maxAgeMs) return kept.practice;
      underWay ??= refresh().finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
  };
}

export interface ConfigurationChange {
  readonly kind: ConfigurationKind;
  readonly id: string;
  readonly change: 'add' | 'change' | 'remove';
}

/** An entity that the file would change and that was changed by other means since the file's base version. */
export interface ConfigurationConflict {
  readonly kind: ConfigurationKind;
  readonly id: string;
  readonly via: ChangedVia;
  readonly author: string;
  readonly updatedAt: string;
  /** The version of the configuration at which it was changed. */
  readonly configurationVersion: number;
}

interface PlannedChange extends ConfigurationChange {
  /** The version that the entity stands at; 0 where it is new. */
  readonly version: number;
  /** As it shall be; absent where it goes. */
  readonly entity?: Entity;
  /** As it was; absent where it is new. */
  readonly before?: StoredEntity;
}

/**
 * Positions that put `ids` in order and keep every stored one that fits: a new
 * entity goes between its neighbours, so only what really moved is rewritten.
 */
function placeInOrder(ids: readonly string[], stored: ReadonlyMap<string, number>): number[] {
  let last = 0;
  return ids.map((id, i) => {
    const own = stored.get(id) ?? 0;
    const following = ids.slice(i + 1).map((next) => stored.get(next) ?? 0);
    const ceiling = following.find((position) => position > last) ?? last + 2;
    const between = (last + ceiling) / 2;
    if (own > last) last = own;
    // Halving ends after some fifty insertions at one place; what follows then moves.
    else last = between > last && between < ceiling ? between : last + 1;
    return last;
  });
}

/** Additions first and removals last, so that a reader between two transactions finds what it refers to. */
const changeOrder = ['add', 'change', 'remove'] as const;

/** What is stored, as the schema of today reads it, so that a new field with a default is no change. */
function readToday({ kind, data }: StoredEntity): unknown {
  const parsed = dataSchemas[kind].safeParse(data);
  return parsed.success ? parsed.data : data;
}

function diff(stored: readonly StoredEntity[], practice: Practice): PlannedChange[] {
  const changes: PlannedChange[] = [];
  const wanted = toEntities(practice);
  // Rules that were published once are emptied, not removed: their number goes on counting.
  if (practice.rules.length === 0 && stored.some(({ kind }) => kind === 'rules'))
    wanted.push({ kind: 'rules', id: 'rules', position: 1, data: { rules: [] } });
  for (const kind of kinds) {
    const before = new Map(
      stored.filter((entity) => entity.kind === kind).map((entity) => [entity.id, entity]),
    );
    const after = wanted.filter((entity) => entity.kind === kind);
    const positions = placeInOrder(
      after.map(({ id }) => id),
      new Map([...before].map(([id, { position }]) => [id, position])),
    );
    after.forEach((entry, i) => {
      const entity = { ...entry, position: positions[i] ?? entry.position };
      const old = before.get(entity.id);
      const common = { kind, id: entity.id, entity };
      if (old === undefined) changes.push({ ...common, change: 'add', version: 0 });
      else if (old.position !== entity.position || !isDeepStrictEqual(readToday(old), entity.data)) {
        changes.push({ ...common, change: 'change', version: old.version, before: old });
      }
      before.delete(entity.id);
    });
    for (const old of before.values()) {
      changes.push({ kind, id: old.id, change: 'remove', version: old.version, before: old });
    }
  }
  return changes.sort((a, b) => changeOrder.indexOf(a.change) - changeOrder.indexOf(b.change));
}

const told = (changes: readonly PlannedChange[]): ConfigurationChange[] =>
  changes.map(({ kind, id, change }) => ({ kind, id, change }));

function conflictsIn(changes: readonly PlannedChange[], baseVersion: number): ConfigurationConflict[] {
  return changes.flatMap(({ kind, id, before }) => {
    if (!before || before.via === 'file' || before.configurationVersion <= baseVersion) return [];
    const { via, author, updatedAt, configurationVersion } = before;
    return [{ kind, id, via, author, updatedAt, configurationVersion }];
  });
}

export interface ConfigurationPlan {
  /** Of the configuration in force; 0 before the first apply. */
  readonly version: number;
  /** What would change. An entity that moves within its list is a change too. */
  readonly changes: readonly ConfigurationChange[];
  /** Of these, what was changed by other means since the base version. */
  readonly conflicts: readonly ConfigurationConflict[];
}

/**
 * What applying a practice would change.
 *
 * @param baseVersion - the configuration's version that the file was made from; 0 where none is known
 */
export async function planConfiguration(
  table: Table,
  practice: Practice,
  baseVersion = 0,
): Promise<ConfigurationPlan> {
  const { version, entities } = await load(table);
  const changes = diff(entities, practice);
  return { version, changes: told(changes), conflicts: conflictsIn(changes, baseVersion) };
}

/** What became of an apply. */
export type Applied =
  | {
      readonly outcome: 'applied';
      readonly version: number;
      readonly changes: readonly ConfigurationChange[];
    }
  | { readonly outcome: 'unchanged'; readonly version: number }
  /** It would undo what was changed by other means since the file's base version; nothing was written. */
  | { readonly outcome: 'conflict'; readonly conflicts: readonly ConfigurationConflict[] }
  /** Somebody else applied meanwhile and theirs stands: look at the new plan, then apply again. */
  | { readonly outcome: 'overtaken' };

/** Leaves room for the configuration's version in each transaction of at most 100 writes. */
const writesPerTransaction = 99;
const conflictAttempts = 10;

/**
 * Routing may hold a member's load item for a moment; a conflict with it passes.
 *
 * @throws Error where the table stays busy
 */
export async function transactPastConflicts(table: Table, writes: readonly Write[]): Promise<Transacted> {
  for (let attempt = 1; ; attempt++) {
    const result = await table.transact(writes);
    if (result.committed || result.failed.size > 0) return result;
    if (attempt === conflictAttempts)
      throw new Error('The table is busy with other transactions: try again.');
    await sleep(Math.random() * 50 * attempt);
  }
}

/** Who changes the configuration, when and by what means. */
export interface ChangeMark {
  readonly author: string;
  readonly updatedAt: string;
  readonly via: ChangedVia;
}

/** Moves the configuration's version by one, and so shuts out whoever read the version before. */
export const moveVersion = (version: number, { author, updatedAt }: ChangeMark): Write => ({
  put: { ...configuration.version, version: version + 1, author, updatedAt, schemaVersion: 1 },
  when: atVersion(version),
});

function entityWrite(change: PlannedChange, mark: ChangeMark, configurationVersion: number): Write {
  const key = entityKey(change);
  const when = atVersion(change.version);
  if (change.entity === undefined) return { remove: key, when };
  const version = change.version + 1;
  return {
    put: { ...key, ...change.entity, ...mark, version, configurationVersion, schemaVersion: 1 },
    when,
  };
}

/**
 * Puts rules in force and keeps them in the history; for the transaction that also moves the
 * configuration's version.
 *
 * @param at.rulesVersion - the number of the rules in force; 0 where none ever were
 * @param at.configurationVersion - the configuration's version that this makes
 */
export function rulesWrites(
  rules: readonly Rule[],
  at: { readonly rulesVersion: number; readonly configurationVersion: number },
  mark: ChangeMark & { readonly note?: string | undefined },
): Write[] {
  const { note, ...by } = mark;
  const version = at.rulesVersion + 1;
  const entity: Entity = { kind: 'rules', id: 'rules', position: 1, data: { rules } };
  const change: PlannedChange = {
    kind: 'rules',
    id: 'rules',
    change: 'change',
    version: version - 1,
    entity,
  };
  const kept = { version, rules, ...by, ...(note !== undefined && { note }), schemaVersion: 1 };
  return [
    entityWrite(change, by, at.configurationVersion),
    { put: { ...publishedRules(version), ...kept }, when: absent },
  ];
}

/**
 * Writes a practice: what changed, and nothing else.
 *
 * Every transaction moves the configuration's version by one and so shuts out
 * whoever read the version before. An apply of more than 99 writes takes several;
 * one overtaken between two of them is completed by the other, which planned from
 * the entities as it found them.
 *
 * @param options.author - who applies, as it shall stand with each entity
 * @param options.baseVersion - the configuration's version that the file was made from; 0 where none is known
 * @param options.force - whether what was changed by other means since then is overwritten
 */
export async function applyConfiguration(options: {
  table: Table;
  practice: Practice;
  author: string;
  now: () => Date;
  baseVersion?: number;
  force?: boolean;
}): Promise<Applied> {
  const { table, practice, author, now, baseVersion = 0, force = false } = options;
  const mark: ChangeMark = { author, updatedAt: now().toISOString(), via: 'file' };
  const stored = await load(table);
  const changes = diff(stored.entities, practice);
  const conflicts = conflictsIn(changes, baseVersion);
  if (conflicts.length > 0 && !force) return { outcome: 'conflict', conflicts };
  const loads = await loadUpdates(table, changes);

  const toWrites = (change: PlannedChange, configurationVersion: number): Write[] => {
    if (change.kind === 'rules')
      return rulesWrites(practice.rules, { rulesVersion: change.version, configurationVersion }, mark);
    const load = change.kind === 'members' ? loads.get(change.id) : undefined;
    return [entityWrite(change, mark, configurationVersion), ...(load ? [load] : [])];
  };

  let { version } = stored;
  for (const step of inTransactions(changes, (change) => toWrites(change, 0).length)) {
    const next = version + 1;
    const writes = step.flatMap((change) => toWrites(change, next));
    const result = await transactPastConflicts(table, [...writes, moveVersion(version, mark)]);
    if (!result.committed) return { outcome: 'overtaken' };
    version = next;
  }

  await keepReports(table, practice, changes, now());
  if (changes.length === 0) return { outcome: 'unchanged', version };
  return { outcome: 'applied', version, changes: told(changes) };
}

/** Packs changes into transactions; the writes of one stay together. */
function inTransactions(
  changes: readonly PlannedChange[],
  sizeOf: (change: PlannedChange) => number,
): PlannedChange[][] {
  const transactions: PlannedChange[][] = [];
  let size = writesPerTransaction;
  for (const change of changes) {
    size += sizeOf(change);
    if (size <= writesPerTransaction) transactions.at(-1)?.push(change);
    else {
      transactions.push([change]);
      size = sizeOf(change);
    }
  }
  return transactions;
}

/**
 * Updates of the load items of members who are disabled or enabled by the
 * changes. The version moves with the flag, so that a routing under way, which
 * read the load before, fails its check and chooses again.
 */
async function loadUpdates(table: Table, changes: readonly PlannedChange[]): Promise<Map<string, Write>> {
  const touched = changes.filter(({ kind }) => kind === 'members');
  const updates = new Map<string, Write>();
  for (const { id, entity } of touched) {
    const disabled = (entity?.data as { enabled: boolean } | undefined)?.enabled !== true;
    const key = memberLoad(id);
    const row = await table.get(key, { consistent: true });
    if (disabled !== (row?.['disabled'] ?? false)) {
      updates.set(id, { update: key, set: { disabled, schemaVersion: 1 }, add: { version: 1 } });
    }
  }
  return updates;
}

/** Each location has a weekly report on the due index; one whose time is set already keeps it. */
async function keepReports(
  table: Table,
  practice: Practice,
  changes: readonly PlannedChange[],
  now: Date,
): Promise<void> {
  for (const location of practice.locations) {
    const report = { locationId: location.id, version: 0, nextAt: nextReportAt(now, location) };
    await table.write({ put: weeklyReportRow(report), when: absent });
  }
  for (const { kind, id, change } of changes) {
    if (kind === 'locations' && change === 'remove') await table.write({ remove: weeklyReport(id) });
  }
}
