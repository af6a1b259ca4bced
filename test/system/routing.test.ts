/** Shifts, caps, waiting and work by hand through the running system: its API, its queues, its stream. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import type { InquirySummary, InquiryView } from '../../functions/api/views.ts';
import { applyPractice } from '../../local/practice.ts';
import { type Harness, startHarness, waitFor } from './harness.ts';
import { accepted, show } from './samples.ts';

/** The first of its kind starts every function; where others keep the processors busy, that takes its time. */
const busyMachineMs = 90_000;
vi.setConfig({ testTimeout: 2 * busyMachineMs, hookTimeout: 2 * busyMachineMs });

interface File {
  members: { id: string; role: string; enabled?: boolean; [field: string]: unknown }[];
  pools: { id: string; members: { id: string }[] }[];
}

let folder: string;
let harness: Harness;
const demo = parse(readFileSync(join(import.meta.dirname, '../../practices/demo.yaml'), 'utf8')) as File;

/** Puts the demo practice in force with this change of it. */
async function apply(change: (file: File) => void): Promise<void> {
  const file = structuredClone(demo);
  change(file);
  const path = join(folder, 'practice.yaml');
  writeFileSync(path, stringify(file));
  const { home, system } = harness;
  await applyPractice(path, { home, tableName: system.tableName, dynamodb: system.endpoints.dynamodb });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firstcall-practice-'));
  harness = await startHarness({ inMemory: true });
});
afterAll(async () => {
  await harness?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const manager = { role: 'manager' } as const;
let people = 0;
async function post(fields: Record<string, string> = {}): Promise<string> {
  const person = { name: `Person ${++people}`, email: `person${people}@example.com` };
  return (await accepted(await harness.post('/v1/inquiries', { ...person, ...fields }))).id;
}
const until = (id: string, what: string, holds: (view: InquiryView) => unknown): Promise<InquiryView> =>
  waitFor(
    `${id} to be ${what}`,
    async () => {
      const view = await show(harness, id);
      return holds(view) ? view : undefined;
    },
    busyMachineMs,
  );
async function patch(id: string, body: object, status = 200): Promise<InquirySummary> {
  // Between a look and the change a mail may have gone out.
  const answer = await waitFor('nobody to be faster', async () => {
    const { version } = await show(harness, id);
    const headers = { 'if-match': `"${version}"` };
    const given = await harness.patch(`/v1/inquiries/${id}`, body, { ...manager, headers });
    return given.status !== 412 && given;
  });
  expect(answer.status).toBe(status);
  return (await answer.json()) as InquirySummary;
}
const poolQueue = async (pool: string) => {
  const answer = await harness.get(`/v1/pools/${pool}/queue`, manager);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { items: InquirySummary[] }).items;
};

it('what nobody can take waits in its pool, and is handed out seconds after somebody can', async () => {
  await apply((file) => {
    for (const member of file.members) member['shifts'] = {};
  });
  // Running functions look at the configuration every ten seconds.
  const ids = await waitFor(
    'an inquiry that waits',
    async () => {
      const id = await post();
      const view = await until(
        id,
        'placed',
        ({ progress }) => progress === 'waiting' || progress === 'notified',
      );
      return view.progress === 'waiting' && [id, await post(), await post()];
    },
    busyMachineMs,
  );
  for (const id of ids) await until(id, 'waiting', ({ progress }) => progress === 'waiting');
  const [first = ''] = ids;
  const { waiting } = await show(harness, first);
  expect(waiting?.receipt.candidates[0]).toMatchObject({ outcome: 'excluded', reason: 'off shift' });
  const queued = await poolQueue(String(waiting?.pool));
  expect(queued.map(({ id }) => id).filter((id) => ids.includes(id))).toEqual(ids);

  await apply(() => {});

  const begun = Date.now();
  for (const id of ids) await until(id, 'given to somebody', ({ assignment }) => assignment);
  // Five seconds is the aim; a machine that runs everything else beside it is given some more.
  expect(Date.now() - begun).toBeLessThan(15_000);
  expect((await poolQueue(String(waiting?.pool))).filter(({ id }) => ids.includes(id))).toEqual([]);
});

it('is handed over, returned and claimed by hand, each with its receipt; the disabled lose their work at once', async () => {
  const id = await post();
  const before = await until(id, 'told of', ({ progress }) => progress === 'notified');
  const others = demo.members.filter(
    ({ role, id: other }) => role === 'coordinator' && other !== before.assignment?.memberId,
  );
  const [heir = { id: '' }] = others;

  expect(await patch(id, { assignTo: heir.id })).toMatchObject({ assignee: heir.id });
  const handed = await until(id, 'told of again', ({ progress }) => progress === 'notified');
  expect(handed.assignment?.receipt).toMatchObject({ strategy: 'by_hand' });

  await patch(id, { returnToPool: true });
  const next = await until(
    id,
    'with somebody else',
    ({ assignment }) => assignment && assignment.memberId !== heir.id,
  );
  expect(next.assignment?.receipt.candidates).toContainEqual(
    expect.objectContaining({ memberId: heir.id, reason: 'had it before' }),
  );
  const manages = await patch(id, { claim: true });
  expect(manages.assignee).toBe(demo.members.find(({ role }) => role === 'manager')?.id);
  await patch(id, { assignTo: heir.id });
  await patch(id, { assignTo: 'nobody' }, 422);

  await apply((file) => {
    for (const member of file.members) if (member.id === heir.id) member.enabled = false;
  });
  const given = await until(
    id,
    'away from the disabled',
    ({ assignment }) => assignment && assignment.memberId !== heir.id,
  );
  const timeline = await harness.get(`/v1/contacts/${given.contact.id}/timeline?limit=50`, manager);
  const { items } = (await timeline.json()) as { items: { kind: string; details: { because?: string } }[] };
  expect(items.filter(({ kind }) => kind === 'returned').map(({ details }) => details.because)).toEqual([
    'disabled',
    'by_hand',
  ]);
  expect(items.filter(({ kind }) => kind === 'routed').length).toBeGreaterThanOrEqual(5);
});
