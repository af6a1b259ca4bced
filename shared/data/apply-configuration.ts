/**
 * Changes of the practice's configuration: what applying a practice would change,
 * and its writing, entity by entity. What is written here is validated, so that
 * whoever reads it (`configuration.ts`) need not.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { digestMembers, nextDigestAt } from '../domain/digest.ts';
import {
  type ConfigurationKind,
  type Entity,
  fillIn,
  kinds,
  singleKinds,
  toEntities,
} from '../domain/entities.ts';
import type { Practice } from '../domain/practice.ts';
import type { Rule } from '../domain/rules/rule.ts';
import { practiceSchema } from '../domain/schema/practice.ts';
import { nextReportAt } from '../domain/weekly-report.ts';
import { loadConfiguration } from './configuration.ts';
import { createDigests } from './digests.ts';
import { configuration, dailyDigest, type Key, memberLoad, publishedRules, weeklyReport } from './keys.ts';
import { absent, atVersion, mostWrites, type Table, type Transacted, type Write } from './table.ts';
import { inTransactions } from './transactions.ts';
import { weeklyReportRow } from './weekly-reports.ts';

/** How an entity came to stand as it does: from a practice file, by another command, through the API. */
const ways = ['file', 'command', 'api'] as const;
export type ChangedVia = (typeof ways)[number];

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

interface Stored {
  /** Of the whole configuration; 0 before the first apply. */
  readonly version: number;
  readonly entities: readonly StoredEntity[];
}

async function load(table: Table): Promise<Stored> {
  const { version, entities } = await loadConfiguration(table);
  return { version, entities: entities.map((row) => storedEntitySchema.parse(row)) };
}

function entityKey({ kind, id }: Pick<Entity, 'kind' | 'id'>): Key {
  const single = singleKinds.find((one) => one === kind);
  return single ? configuration[single] : configuration.entity(kind, id);
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

/** @throws ZodError where the practice is not valid: readers trust what is stored */
function validated({ rulesVersion: _, ...practice }: Practice): Practice {
  return practiceSchema.parse(practice);
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
      // A new field with a default is no change.
      else if (old.position !== entity.position || !isDeepStrictEqual(fillIn(kind, old.data), entity.data)) {
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

/** Leaves room for the configuration's version in each transaction. */
const writesPerTransaction = mostWrites - 1;
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
 * @throws ZodError where the practice is not valid
 */
export async function applyConfiguration(options: {
  table: Table;
  practice: Practice;
  author: string;
  now: () => Date;
  baseVersion?: number;
  force?: boolean;
}): Promise<Applied> {
  const { table, author, now, baseVersion = 0, force = false } = options;
  const practice = validated(options.practice);
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
  const writesOf = (change: PlannedChange): number => toWrites(change, 0).length;
  for (const step of inTransactions(changes, writesOf, writesPerTransaction)) {
    const next = version + 1;
    const writes = step.flatMap((change) => toWrites(change, next));
    const result = await transactPastConflicts(table, [...writes, moveVersion(version, mark)]);
    if (!result.committed) return { outcome: 'overtaken' };
    version = next;
  }

  await keepReports(table, practice, changes, now());
  await keepDigests(table, practice, changes, now());
  if (changes.length === 0) return { outcome: 'unchanged', version };
  return { outcome: 'applied', version, changes: told(changes) };
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

/**
 * Whoever takes inquiries has a digest on the due index. One whose time is set keeps it, unless what was
 * configured brings a morning before it: a leave that ends early.
 */
async function keepDigests(
  table: Table,
  practice: Practice,
  changes: readonly PlannedChange[],
  now: Date,
): Promise<void> {
  const digests = createDigests(table);
  for (const member of digestMembers(practice)) {
    const nextAt = nextDigestAt(now, member, practice);
    const created = await table.write(digests.create({ memberId: member.id, version: 0, nextAt }));
    const known = created.committed ? undefined : await digests.find(member.id);
    // Where it moves on meanwhile it does so by what is configured now.
    if (known && nextAt < known.nextAt)
      await table.write(digests.save({ ...known, version: known.version + 1, nextAt }));
  }
  for (const { kind, id, change } of changes) {
    if (kind === 'members' && change === 'remove') await table.write({ remove: dailyDigest(id) });
  }
}
