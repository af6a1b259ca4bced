/**
 * Triage rules in the table: those in force are an entity of the configuration;
 * beside it stand every version that was ever published, and one draft. What is
 * saved or published was checked against the practice it is meant for.
 */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import type { Practice } from '../domain/practice.ts';
import { checkRules, type RuleIssue } from '../domain/rules/check.ts';
import type { Rule } from '../domain/rules/rule.ts';
import { rulesSchema } from '../domain/schema/rule.ts';
import { type ChangeMark, moveVersion, rulesWrites, transactPastConflicts } from './apply-configuration.ts';
import { ConfigurationMissing, readConfiguration } from './configuration.ts';
import { draftRules, publishedRules, rulesPk } from './keys.ts';
import { atVersion, type Page, type Row, type Table, type Write } from './table.ts';

/** What is wrong with rules, at a path that begins at the practice. */
export type RulesIssue = Pick<RuleIssue, 'path' | 'message'>;

/** The most that rules may take as text, in bytes; an item holds 400 KB, with all its names. */
const mostBytes = 300_000;

/** What is wrong with a practice's rules, their size included. */
export function rulesIssues(practice: Practice): RulesIssue[] {
  const bytes = Buffer.byteLength(JSON.stringify(practice.rules));
  const tooLarge = { path: ['rules'], message: `take ${bytes} bytes; at most ${mostBytes} can be kept` };
  return [...checkRules(practice), ...(bytes > mostBytes ? [tooLarge] : [])];
}

const publishedSchema = z.object({
  version: z.int(),
  rules: rulesSchema,
  author: z.string(),
  updatedAt: z.iso.datetime(),
  via: z.enum(['file', 'command', 'api']),
  note: z.string().optional(),
  schemaVersion: z.literal(1),
});
/** Rules as they were published: by whom, when, by what means, and perhaps why. */
export type PublishedRules = z.infer<typeof publishedSchema>;

const draftSchema = z.object({
  version: z.int(),
  /** Absent once it was published. */
  rules: rulesSchema.optional(),
  /** Number of the rules in force when it was saved; 0 where none were. */
  basedOn: z.int(),
  author: z.string(),
  updatedAt: z.iso.datetime(),
  schemaVersion: z.literal(1),
});
export type RulesDraft = z.infer<typeof draftSchema> & { readonly rules: Rule[] };

export interface Invalid {
  readonly outcome: 'invalid';
  readonly issues: readonly RulesIssue[];
}

export type DraftSaved =
  | { readonly outcome: 'saved'; readonly version: number }
  | Invalid
  /** Somebody else saved or published a draft meanwhile, and theirs stands. */
  | { readonly outcome: 'overtaken' };

export type RulesPublished =
  | { readonly outcome: 'published'; readonly version: number; readonly configurationVersion: number }
  /** The rules in force are these already. */
  | { readonly outcome: 'unchanged'; readonly version: number }
  | Invalid
  /** Somebody else published or applied meanwhile, or after the draft was saved, and theirs stands. */
  | { readonly outcome: 'overtaken' }
  /** There is no such version, or no draft. */
  | { readonly outcome: 'missing' };

/** Who publishes, and perhaps why. */
export type PublishMark = Omit<ChangeMark, 'updatedAt'> & { readonly note?: string | undefined };

export type RulesStore = ReturnType<typeof createRulesStore>;

/** Reads, drafts and publishes rules. */
export function createRulesStore(table: Table) {
  async function inForce() {
    const found = await readConfiguration(table);
    if (found === undefined) throw new ConfigurationMissing();
    return found;
  }

  async function draftRow() {
    const row = await table.get(draftRules, { consistent: true });
    return row && draftSchema.parse(row);
  }

  async function find(version: number): Promise<PublishedRules | undefined> {
    const row = await table.get(publishedRules(version), { consistent: true });
    return row && publishedSchema.parse(row);
  }

  /**
   * @param only.over - number of the rules that these may replace; whichever are in force where it is left out
   * @param only.alongside - what must commit with it
   */
  async function put(
    rules: readonly Rule[],
    mark: PublishMark,
    now: Date,
    only: { readonly over?: number; readonly alongside?: readonly Write[] } = {},
  ): Promise<RulesPublished> {
    const { version, practice } = await inForce();
    const issues = rulesIssues({ ...practice, rules: [...rules] });
    if (issues.length > 0) return { outcome: 'invalid', issues };
    const { rulesVersion = 0 } = practice;
    if (isDeepStrictEqual(rulesSchema.parse(rules), practice.rules))
      return { outcome: 'unchanged', version: rulesVersion };
    if (only.over !== undefined && only.over !== rulesVersion) return { outcome: 'overtaken' };

    const { note, author, via } = mark;
    const by: ChangeMark = { author, via, updatedAt: now.toISOString() };
    // Whoever reads the same version and is slower fails; so does one whose practice was changed meanwhile.
    const result = await transactPastConflicts(table, [
      ...rulesWrites(rules, { rulesVersion, configurationVersion: version + 1 }, { ...by, note }),
      moveVersion(version, by),
      ...(only.alongside ?? []),
    ]);
    return result.committed
      ? { outcome: 'published', version: rulesVersion + 1, configurationVersion: version + 1 }
      : { outcome: 'overtaken' };
  }

  return {
    /** One published version. */
    find,

    /** Published versions, newest first. */
    async history(limit: number): Promise<PublishedRules[]> {
      const rows: Row[] = [];
      let after: Page['next'];
      do {
        const page: Page = await table.query({
          pk: rulesPk,
          from: publishedRules(0).sk,
          newestFirst: true,
          limit: limit - rows.length,
          consistent: true,
          ...(after && { after }),
        });
        rows.push(...page.rows);
        after = page.next;
      } while (after !== undefined && rows.length < limit);
      return rows.map((row) => publishedSchema.parse(row));
    },

    /** The draft, where one is open. */
    async draft(): Promise<RulesDraft | undefined> {
      const draft = await draftRow();
      return draft?.rules && { ...draft, rules: draft.rules };
    },

    /**
     * Saves the draft over the one that stands there.
     *
     * @param options.over - version of the draft that was looked at; whichever stands there where it is left out
     */
    async saveDraft(
      rules: readonly Rule[],
      options: { readonly author: string; readonly now: Date; readonly over?: number },
    ): Promise<DraftSaved> {
      const { author, now } = options;
      const { practice } = await inForce();
      const issues = rulesIssues({ ...practice, rules: [...rules] });
      if (issues.length > 0) return { outcome: 'invalid', issues };
      const before = options.over ?? (await draftRow())?.version ?? 0;
      const draft = {
        version: before + 1,
        rules,
        basedOn: practice.rulesVersion ?? 0,
        author,
        updatedAt: now.toISOString(),
        schemaVersion: 1,
      };
      const saved = await table.write({ put: { ...draftRules, ...draft }, when: atVersion(before) });
      return saved.committed ? { outcome: 'saved', version: draft.version } : { outcome: 'overtaken' };
    },

    /**
     * Puts rules in force, as the next version.
     *
     * @param over - number of the rules that were looked at; whichever are in force where it is left out
     */
    publish: (rules: readonly Rule[], mark: PublishMark, now: Date, over?: number) =>
      put(rules, mark, now, over === undefined ? {} : { over }),

    /** Puts the draft in force, unless other rules were published since it was saved; one of no change is closed. */
    async publishDraft(mark: PublishMark, now: Date): Promise<RulesPublished> {
      const draft = await draftRow();
      if (draft?.rules === undefined) return { outcome: 'missing' };
      const { rules, ...rest } = draft;
      const closed = { ...draftRules, ...rest, version: draft.version + 1 };
      const close: Write = { put: closed, when: atVersion(draft.version) };
      const done = await put(rules, mark, now, { over: draft.basedOn, alongside: [close] });
      if (done.outcome !== 'unchanged') return done;
      return (await table.write(close)).committed ? done : { outcome: 'overtaken' };
    },

    /** Puts an old version in force again, as a new one. */
    async rollback(version: number, mark: Omit<PublishMark, 'note'>, now: Date): Promise<RulesPublished> {
      const old = await find(version);
      if (old === undefined) return { outcome: 'missing' };
      return put(old.rules, { ...mark, note: `back to version ${version}` }, now);
    },
  };
}
