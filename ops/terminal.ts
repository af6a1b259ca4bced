/** What commands say, and how: one line for a mistake, aligned tables, progress where it takes a while. */

/** A mistake of whoever runs the command, told in one line without a stack. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** `3 changes`, `1 change`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** The widest a line gets, in characters. */
const width = 100;

const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, Math.max(most - 1, 0))}…`;

/**
 * Rows as aligned columns of at most 100 characters a line. Where that is too little, the last
 * column wraps; the others are cut where they take more than a third.
 */
export function layOut(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = head.map((title, i) => {
    const widest = Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0));
    return i === head.length - 1 ? widest : Math.min(widest, Math.floor(width / 3));
  });
  const indent = columns.slice(0, -1).reduce((sum, column) => sum + column + 2, 0);
  const room = Math.max(width - indent, 20);
  const line = (row: readonly string[]): string => {
    const fixed = columns.slice(0, -1).map((column, i) => cut(row[i] ?? '', column).padEnd(column + 2));
    return [...fixed, wrap(row.at(-1) ?? '', room, indent)].join('').trimEnd();
  };
  return [head, ...rows].map(line).join('\n');
}

function wrap(text: string, room: number, indent: number): string {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > room) {
    const space = rest.lastIndexOf(' ', room);
    const end = space > 0 ? space : room;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest].join(`\n${' '.repeat(indent)}`);
}

/** Says how far something has come, beside the output, at most once a second. */
export function createProgress(what: string): (done: number) => void {
  let saidAtMs = Date.now();
  return (done) => {
    if (Date.now() - saidAtMs < 1_000) return;
    saidAtMs = Date.now();
    console.error(`${what}: ${done} …`);
  };
}

/** A percentage for people. */
export const percent = (share: number): string => `${Math.round(share * 100)} %`;
