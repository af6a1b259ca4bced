/**
 * Writes of several messages of one batch, gathered into one transaction: one
 * round trip and one commit for as many as there are, where each by itself would
 * be a call. A transaction takes twice the write units, so it is for batches, which
 * come under load; a message alone is written as ever.
 */
import { mostWrites, type Table, type Write, type Written } from './table.ts';

interface Waiting {
  readonly write: Extract<Write, { readonly put: unknown }>;
  resolve(written: Written | Promise<Written>): void;
}

const nameOf = ({ write: { put } }: Waiting): string => `${put.pk} ${put.sk}`;

/**
 * Runs tasks side by side, each with a table whose puts wait until every task that
 * is still running waits for one; these are then written in one transaction. Where
 * that is refused or fails, or two are of the same item, each is written by itself and
 * has an answer of its own. Everything else a task asks of its table is done at once.
 *
 * @returns how each task ended, by position
 */
export async function writeTogether<T>(
  table: Table,
  tasks: readonly ((table: Table) => Promise<T>)[],
): Promise<PromiseSettledResult<T>[]> {
  const waiting = new Map<number, Waiting[]>();
  let running = tasks.length;

  const writeWhenAllWait = (): void => {
    if (waiting.size === 0 || waiting.size < running) return;
    const all = [...waiting.values()].flat();
    waiting.clear();
    void writeAll(all);
  };

  const writeAll = async (all: readonly Waiting[]): Promise<void> => {
    const isOne = await inOne(all).catch(() => false);
    for (const { write, resolve } of all) {
      resolve(isOne ? { committed: true, row: write.put } : table.write(write));
    }
  };

  /** Whether they could be written in one transaction. */
  const inOne = async (all: readonly Waiting[]): Promise<boolean> => {
    if (all.length === 1 || all.length > mostWrites || new Set(all.map(nameOf)).size < all.length)
      return false;
    return (await table.transact(all.map(({ write }) => write))).committed;
  };

  const tableOf = (task: number): Table => ({
    ...table,
    write: (write) => {
      if (!('put' in write)) return table.write(write);
      return new Promise((resolve) => {
        waiting.set(task, [...(waiting.get(task) ?? []), { write, resolve }]);
        writeWhenAllWait();
      });
    },
  });

  return await Promise.allSettled(
    tasks.map(async (task, i) => {
      try {
        return await task(tableOf(i));
      } finally {
        running -= 1;
        writeWhenAllWait();
      }
    }),
  );
}
