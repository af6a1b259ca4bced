/**
 * Rows of a table as a file: JSON lines. The first says what it is, the last that it is whole and under which
 * versions of the HMAC secret its keys were made; between them stands a row on each.
 */
import { closeSync, createReadStream, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import type { Row } from '../shared/data/table.ts';
import { codeOf } from './system.ts';
import { Refusal } from './terminal.ts';

const headerSchema = z.object({
  firstcall: z.literal('export'),
  format: z.literal(1),
  table: z.string(),
  at: z.iso.datetime(),
});
export type ExportHeader = z.infer<typeof headerSchema>;

const footerSchema = z.object({ end: z.literal(true), rows: z.int(), digestVersions: z.array(z.string()) });

/** What a whole file says of itself. */
export interface ExportFile extends ExportHeader {
  readonly rows: number;
  /** Versions of the HMAC secret that digests in the keys were made with. */
  readonly digestVersions: readonly string[];
}

const rowSchema = z.looseObject({ pk: z.string(), sk: z.string() });

/** The secret's version in a key that has a digest. */
const versionIn = ({ pk }: Row): string | undefined => /^(?:PT|MAILBOX)#([^.]+)\./.exec(pk)?.[1];

/**
 * Writes rows to a new file that only its owner may read: it holds what people wrote, in the clear. What is
 * cut off leaves a file that import refuses.
 *
 * @throws Refusal where the file is there already, or cannot be written
 */
export async function writeExport(
  path: string,
  header: Pick<ExportHeader, 'table' | 'at'>,
  pages: AsyncIterable<readonly Row[]>,
  onProgress: (rows: number) => void,
): Promise<ExportFile> {
  if (existsSync(path)) throw new Refusal(`${path} is there already: give another name.`);
  let file: number;
  try {
    file = openSync(path, 'wx', 0o600);
  } catch (error) {
    throw new Refusal(`Cannot write ${path} (${codeOf(error)}).`);
  }
  const whole: ExportHeader = { firstcall: 'export', format: 1, ...header };
  const versions = new Set<string>();
  let rows = 0;
  try {
    writeSync(file, `${JSON.stringify(whole)}\n`);
    for await (const page of pages) {
      for (const row of page) {
        const version = versionIn(row);
        if (version !== undefined) versions.add(version);
      }
      writeSync(file, page.map((row) => `${JSON.stringify(row)}\n`).join(''));
      rows += page.length;
      onProgress(rows);
    }
    const digestVersions = [...versions].sort();
    writeSync(file, `${JSON.stringify({ end: true, rows, digestVersions })}\n`);
    return { ...whole, rows, digestVersions };
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

async function* linesOf(path: string): AsyncGenerator<unknown> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) yield JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refusal(`${path} is not whole: a line of it cannot be read.`);
    throw new Refusal(`Cannot read ${path} (${codeOf(error)}).`);
  }
}

/**
 * What a file says of itself, once all of it is there.
 *
 * @throws Refusal where it is no export, or not a whole one
 */
export async function readExport(path: string): Promise<ExportFile> {
  let header: ExportHeader | undefined;
  let last: unknown;
  let rows = -2;
  for await (const line of linesOf(path)) {
    header ??= headerSchema.safeParse(line).data;
    if (!header) throw new Refusal(`${path} is no export of Firstcall.`);
    last = line;
    rows += 1;
  }
  const footer = footerSchema.safeParse(last).data;
  if (!header || footer?.rows !== rows) {
    throw new Refusal(`${path} is not whole: its export was cut off. Export again.`);
  }
  return { ...header, rows, digestVersions: footer.digestVersions };
}

/** The rows of a whole file, some at a time. */
export async function* rowsOf(path: string, perPage = 500): AsyncGenerator<Row[]> {
  let page: Row[] = [];
  for await (const line of linesOf(path)) {
    const row = rowSchema.safeParse(line).data;
    // The first and the last line.
    if (!row) continue;
    page.push(row);
    if (page.length < perPage) continue;
    yield page;
    page = [];
  }
  yield page;
}
