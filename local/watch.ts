import { type FSWatcher, readdirSync, watch } from 'node:fs';
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

  // Folder by folder: on Linux a recursive watch loses a file that an editor replaces by a new one.
  const watchers = new Map<string, FSWatcher>();
  const watchFolders = (): void => {
    for (const folder of foldersOf(['functions', 'shared'])) {
      if (watchers.has(folder)) continue;
      const watcher = watch(folder, (kind, name) => {
        if (kind === 'rename') watchFolders();
        // Not what editors leave beside a file.
        if (name === null || /\.(ts|json|html|css|liquid|txt|yaml)$/.test(name)) changed();
      });
      watcher.on('error', () => {
        watcher.close();
        watchers.delete(folder);
      });
      watchers.set(folder, watcher);
    }
  };
  watchFolders();
  return {
    close: () => {
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

/** Folders of the project with all that they hold. */
const foldersOf = (names: readonly string[]): string[] =>
  names.flatMap((name) => {
    const top = join(projectRoot, name);
    const inner = readdirSync(top, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
    return [top, ...inner];
  });
