import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './home.ts';

/** An editor saves several files at once, or one in several steps. */
const settleMs = 150;

/**
 * Calls back once a change of the functions' sources has settled. A change
 * that comes while the callback is at work is taken up after it.
 */
export function watchSources(onChange: () => Promise<void>): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  let working = false;
  let again = false;

  const changed = (): void => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      if (working) {
        again = true;
        return;
      }
      working = true;
      await onChange();
      working = false;
      if (again) {
        again = false;
        changed();
      }
    }, settleMs);
  };

  const watchers: FSWatcher[] = ['functions', 'shared'].map((folder) =>
    watch(join(projectRoot, folder), { recursive: true }, (_, name) => {
      // Not what editors leave beside a file.
      if (name === null || /\.(ts|json|html|css|liquid|txt|yaml)$/.test(name)) changed();
    }),
  );
  return {
    close: () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}
