/**
 * The practice's configuration as it is read. Each entity is an item of its own
 * with a version, an author and a time; `CONFIG/VERSION` counts what was applied,
 * so that a reader sees with one small read whether anything changed.
 *
 * What stands here was validated when it was written (`apply-configuration.ts`):
 * no function that reads it carries the practice file's schemas.
 */
import { type Entity, fromEntities } from '../domain/entities.ts';
import type { Practice } from '../domain/practice.ts';
import { configuration, configurationPk } from './keys.ts';
import { queryAll, type Row, type Table } from './table.ts';

/** No practice has been applied to this table yet. */
export class ConfigurationMissing extends Error {
  readonly code = 'configuration_missing';
  override readonly name = 'ConfigurationMissing';

  constructor() {
    super('No practice is configured yet: run "npm run practice -- apply <file>".');
  }
}

/** Everything that is stored of a configuration, as it is. */
export interface ConfigurationRows {
  /** Of the whole configuration; 0 before the first apply. */
  readonly version: number;
  readonly entities: readonly Row[];
}

export async function loadConfiguration(table: Table): Promise<ConfigurationRows> {
  // Downwards, VERSION sorts first: entities read while somebody applies can only be newer than the
  // version they are filed under, so the next look at the version reads them again.
  const rows = await queryAll(table, { pk: configurationPk, consistent: true, newestFirst: true });
  const versionRow = rows.find(({ sk }) => sk === configuration.version.sk);
  return {
    version: Number(versionRow?.['version'] ?? 0),
    entities: rows.filter((row) => row !== versionRow),
  };
}

/** The version alone. A query, since most functions may not get single items. */
async function versionNow(table: Table): Promise<unknown> {
  const { sk } = configuration.version;
  const { rows } = await table.query({ pk: configurationPk, from: sk, to: sk, consistent: true });
  return rows[0]?.['version'];
}

/** An entity as it was stored, of the one schema version that there is. */
function entityOf(row: Row): Entity & { readonly version: number } {
  if (row['schemaVersion'] !== 1) throw new Error(`unknown version of a configuration entity: ${row.sk}`);
  return row as unknown as Entity & { readonly version: number };
}

/**
 * The practice as the table has it, with the configuration's version; undefined before the first apply.
 */
export async function readConfiguration(
  table: Table,
): Promise<{ readonly version: number; readonly practice: Practice } | undefined> {
  const { version, entities } = await loadConfiguration(table);
  return version === 0 ? undefined : { version, practice: fromEntities(entities.map(entityOf)) };
}

export interface ConfigurationReader {
  /**
   * The practice as it is, or was `maxAgeMs` ago.
   *
   * @throws ConfigurationMissing where none has been applied
   */
  readonly current: () => Promise<Practice>;
  /**
   * The practice as it is now: for whoever found by a failed condition that it has changed.
   *
   * @throws Error where the table cannot be read: the kept one would not do
   */
  readonly fresh: () => Promise<Practice>;
}

/** After a look that failed, the wait before the next one; twice as long with each further failure. */
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;

/**
 * Reads the configuration once and keeps it, for the life of a function. Past
 * its age one small read tells whether it changed; where that fails, the kept
 * one goes on, since an old configuration beats none, and the table, which is in
 * trouble enough, is asked again after a second, then two, up to a minute. Where
 * none is kept there is nothing else to go on with: each call asks.
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
  let kept: { readonly version: number; readonly practice: Practice } | undefined;
  let nextLookAtMs = 0;
  let failures = 0;
  let underWay: Promise<Practice> | undefined;

  async function look(): Promise<Practice> {
    const askedAtMs = now().getTime();
    try {
      const isSame = kept !== undefined && (await versionNow(table)) === kept.version;
      const found = isSame ? kept : await readConfiguration(table);
      if (found === undefined) throw new ConfigurationMissing();
      kept = found;
      failures = 0;
      nextLookAtMs = askedAtMs + maxAgeMs;
      return found.practice;
    } catch (error) {
      // From now on: the failure itself may have taken its time.
      nextLookAtMs = now().getTime() + Math.min(firstRetryMs * 2 ** failures, longestRetryMs);
      failures += 1;
      throw error;
    }
  }

  /** One look at a time, for all who wait for it. */
  function shared(): Promise<Practice> {
    underWay ??= look().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  return {
    async current() {
      if (kept && now().getTime() < nextLookAtMs) return kept.practice;
      try {
        return await shared();
      } catch (error) {
        if (kept === undefined) throw error;
        onStale?.(error);
        return kept.practice;
      }
    },

    async fresh() {
      // A look that is under way may have seen what was there before; any other began after this call.
      await underWay?.catch(() => undefined);
      return shared();
    },
  };
}
