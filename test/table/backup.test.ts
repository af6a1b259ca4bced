/** The table's rows as a file and back, on DynamoDB Local. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readExport, rowsOf, writeExport } from '../../ops/export-file.ts';
import { isEmpty, putBack, scan, wipe } from '../../ops/rows.ts';
import { compare, tallyOf } from '../../ops/tally.ts';
import { applyConfiguration } from '../../shared/data/apply-configuration.ts';
import { inquiryHead } from '../../shared/data/keys.ts';
import { asBefore, isRestored } from '../../shared/data/restored.ts';
import type { Row } from '../../shared/data/table.ts';
import { freshTable } from '../support/dynamodb.ts';
import { createPipeline, friday, smallPractice } from '../support/fixtures.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'firstcall-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const header = { table: 'a-table', at: friday.toISOString() };
const nothing = (): void => {};
const sorted = (rows: readonly Row[]): Row[] =>
  rows.map(asBefore).sort((a, b) => (`${a.pk} ${a.sk}` < `${b.pk} ${b.sk}` ? -1 : 1));
async function all(pages: AsyncIterable<Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

describe('a table that is exported, wiped and imported', () => {
  it('holds every row as it was, and no stream takes them for new', async () => {
    const fresh = await freshTable();
    const pipeline = createPipeline(fresh.table);
    await applyConfiguration({
      table: fresh.table,
      practice: smallPractice,
      author: 'ada',
      now: () => friday,
      baseVersion: 0,
    });
    const ids = [await pipeline.mailed(), await pipeline.mailed({ email: 'nora@example.com' })];
    const before = sorted(await all(scan(fresh)));
    const path = join(folder, 'rows.jsonl');

    const written = await writeExport(path, header, scan(fresh), nothing);

    expect(written).toMatchObject({ rows: before.length, digestVersions: ['1'] });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await readExport(path)).toEqual(written);

    await wipe(fresh, nothing);
    expect(await isEmpty(fresh)).toBe(true);
    // Cut off in the middle: the second time goes on.
    const half = await all(rowsOf(path));
    const first = async function* () {
      yield half.slice(0, 20);
    };
    await putBack(fresh, first, friday, nothing);
    expect(await putBack(fresh, () => rowsOf(path, 7), friday, nothing)).toEqual({
      put: before.length - 20,
      there: 20,
    });

    const after = await all(scan(fresh));
    expect(sorted(after)).toEqual(before);
    expect(after.every(isRestored)).toBe(true);
    const [was, is] = [await tallyOf(rowsOf(path)), await tallyOf(scan(fresh))];
    expect(is.counts).toEqual(was.counts);
    expect(was.counts.get('open inquiries')).toBe(2);
    expect(compare(was, is)).toEqual({ same: before.length, movedOn: 0, different: 0, missing: 0 });

    // What goes on from there goes on as ever, and its row is no longer one that was put back.
    pipeline.environment.advance(3 * 3_600_000);
    await pipeline.sweep();
    const head = await fresh.table.get(inquiryHead(String(ids[0])));
    expect(head && isRestored(head)).toBe(false);
    expect(compare(was, await tallyOf(scan(fresh)))).toMatchObject({ movedOn: 2, different: 0, missing: 0 });
  });
});

describe('an export', () => {
  const rows: Row[] = [
    { pk: 'PT#2.abc', sk: 'NAME#2.def', contactId: 'con_1' },
    { pk: 'MAILBOX#1.abc', sk: 'STATE' },
  ];
  const pages = async function* (): AsyncGenerator<Row[]> {
    yield rows;
  };

  it('names the versions of the secret that its keys need', async () => {
    const path = join(folder, 'rows.jsonl');

    await writeExport(path, header, pages(), nothing);

    expect((await readExport(path)).digestVersions).toEqual(['1', '2']);
    expect(await all(rowsOf(path))).toEqual(rows);
  });

  it('is not written over another file', async () => {
    const path = join(folder, 'rows.jsonl');
    writeFileSync(path, 'mine');

    await expect(writeExport(path, header, pages(), nothing)).rejects.toThrow(/is there already/);
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it.each<[string, (lines: string[]) => string[], RegExp]>([
    ['cut off between two lines', (lines) => lines.slice(0, -1), /is not whole/],
    [
      'cut off within a line',
      (lines) => [...lines.slice(0, -2), String(lines.at(-2)).slice(0, 9)],
      /is not whole/,
    ],
    ['short of a row', (lines) => lines.filter((_, i) => i !== 1), /is not whole/],
    ['something else', () => ['{"name":"maria"}'], /is no export/],
    ['empty', () => [], /is not whole/],
  ])('is refused where it is %s', async (_, change, reason) => {
    const path = join(folder, 'rows.jsonl');
    await writeExport(path, header, pages(), nothing);
    writeFileSync(path, change(readFileSync(path, 'utf8').trimEnd().split('\n')).join('\n'));

    await expect(readExport(path)).rejects.toThrow(reason);
  });
});
