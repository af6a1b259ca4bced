/** One timeline per person, through the running API: the worked example, a family's phone, a merge undone. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ContactView, MatchView, PersonView } from '../../functions/api/contact-views.ts';
import type { TimelineItem } from '../../functions/api/views.ts';
import { applyPractice } from '../../local/practice.ts';
import { type Evidence, evidenceOf } from './evidence.ts';
import { type Harness, startHarness, waitFor } from './harness.ts';
import { accepted, show } from './samples.ts';

/** The first of its kind starts every function; where others keep the processors busy, that takes its time. */
const busyMachineMs = 90_000;
const coordinator = { role: 'coordinator' } as const;

let folder: string;
let harness: Harness;
let evidence: Evidence;
/** How the front desk's own form posts: from an origin that the practice lists for it. */
let frontDesk: Record<string, string>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firstcall-practice-'));
  harness = await startHarness({ inMemory: true, practice: null });
  evidence = evidenceOf(harness);
  const demo = readFileSync(join(import.meta.dirname, '../../practices/demo.yaml'), 'utf8');
  const practice = join(folder, 'practice.yaml');
  writeFileSync(practice, demo.replace('http://frontdesk.firstcall.example', harness.origin));
  frontDesk = { origin: harness.origin };
  const { home, system } = harness;
  await applyPractice(practice, { home, tableName: system.tableName, dynamodb: system.endpoints.dynamodb });
});
afterAll(async () => {
  evidence?.close();
  await harness?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function answerOf<T>(answer: Response, status = 200): Promise<T> {
  const text = await answer.text();
  expect([answer.status, answer.status === status ? '' : text]).toEqual([status, '']);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  return JSON.parse(text) as T;
}
const get = async <T>(path: string): Promise<T> => answerOf<T>(await harness.get(path, coordinator));
const post = async <T>(path: string, body: unknown, status = 200): Promise<T> =>
  answerOf<T>(await harness.post(path, body, coordinator), status);

/** Posts an inquiry, sees it through to its mail, and gives its id and its person's. */
async function inquire(fields: Record<string, string>, headers: Record<string, string> = {}) {
  const { id } = await accepted(await harness.post('/v1/inquiries', fields, { headers }));
  const { contact } = await waitFor(
    `the e-mail about ${id}`,
    async () => {
      const view = await show(harness, id);
      return view.progress === 'notified' && view;
    },
    busyMachineMs,
  );
  return { id, contactId: contact.id };
}
const search = (point: Record<string, string>) => post<{ items: PersonView[] }>('/v1/contacts/search', point);
const contact = (id: string) => get<ContactView>(`/v1/contacts/${id}`);
const record = (id: string, entry: object) =>
  post<{ inquiry?: { stage: string } }>(`/v1/contacts/${id}/entries`, entry, 201);
const timeline = (id: string) =>
  get<{ contactId: string; items: TimelineItem[]; cursor?: string }>(`/v1/contacts/${id}/timeline?limit=50`);
async function setStage(id: string, change: object): Promise<void> {
  const { version } = await show(harness, id);
  const headers = { 'if-match': `"${version}"` };
  await answerOf(await harness.patch(`/v1/inquiries/${id}`, change, { ...coordinator, headers }));
}

vi.setConfig({ testTimeout: 2 * busyMachineMs });

describe('somebody who wrote in spring and calls in autumn', () => {
  const phone = '(650) 555-0188';
  const words = { name: 'Maria Lopez', phone, service: 'Acne treatment' };

  it('is found by the number, with the whole history in one read', async () => {
    const spring = await inquire({
      ...words,
      email: 'maria.lopez@example.com',
      message: 'My skin got worse over the winter.',
      utm_campaign: 'acne-spring',
    });
    for (const subject of ['Your question about acne', 'Still interested?']) {
      await record(spring.contactId, { kind: 'email', direction: 'sent', subject, inquiryId: spring.id });
    }
    await setStage(spring.id, { stage: 'closed', closeReason: 'no_response' });

    // In autumn the telephone rings, and the front desk looks the number up while talking.
    const { items } = await search({ phone: '+1 650 555 0188' });
    expect(items).toMatchObject([{ id: spring.contactId, name: 'Maria Lopez', lifecycle: 'lead' }]);
    const autumn = await inquire({ ...words, name: 'María López', phone: '650.555.0188' }, frontDesk);
    expect(autumn.contactId).toBe(spring.contactId);
    const call = { kind: 'call', disposition: 'booked', inquiryId: autumn.id, note: 'Tuesday at nine' };
    expect((await record(spring.contactId, call)).inquiry).toMatchObject({ stage: 'booked' });

    const history = await timeline(spring.contactId);

    expect(history).not.toHaveProperty('cursor');
    expect(history.items.every(({ at, actor, kind }) => at && actor && kind)).toBe(true);
    const told = history.items.map(({ kind, actor, inquiryId, details }) => ({
      kind,
      actor,
      inquiryId,
      details,
    }));
    const ofSpring = { inquiryId: spring.id };
    const ofAutumn = { inquiryId: autumn.id };
    for (const wanted of [
      { kind: 'captured', actor: 'contact', ...ofSpring, details: { channel: 'web_form' } },
      { kind: 'scored', actor: 'firstcall', ...ofSpring },
      { kind: 'routed', actor: 'firstcall', ...ofSpring },
      { kind: 'mailed', actor: 'firstcall', ...ofSpring },
      { kind: 'email', actor: 'ana', ...ofSpring, details: { subject: 'Your question about acne' } },
      { kind: 'email', actor: 'ana', ...ofSpring, details: { subject: 'Still interested?' } },
      {
        kind: 'stage_changed',
        actor: 'ana',
        ...ofSpring,
        details: { to: 'closed', closeReason: 'no_response' },
      },
      {
        kind: 'captured',
        actor: 'contact',
        ...ofAutumn,
        details: { channel: 'phone_call', returning: true },
      },
      {
        kind: 'call',
        actor: 'ana',
        ...ofAutumn,
        details: { disposition: 'booked', note: 'Tuesday at nine' },
      },
      { kind: 'stage_changed', actor: 'ana', ...ofAutumn, details: { from: 'new', to: 'booked' } },
      {
        kind: 'contact_changed',
        actor: 'ana',
        details: { changes: { lifecycle: { from: 'lead', to: 'patient' } } },
      },
    ]) {
      expect([wanted, told.some((entry) => holds(entry, wanted))]).toEqual([wanted, true]);
    }
    expect(history.items.map(({ at }) => at)).toEqual(
      history.items
        .map(({ at }) => at)
        .toSorted()
        .toReversed(),
    );
    expect(await contact(spring.contactId)).toMatchObject({ lifecycle: 'patient' });
  });
});

/** Whether an object has all that another one has. */
function holds(actual: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return actual === wanted;
  if (typeof actual !== 'object' || actual === null) return false;
  return Object.entries(wanted).every(([name, value]) =>
    holds((actual as Record<string, unknown>)[name], value),
  );
}

describe('a mother and her son on one phone', () => {
  const phone = '(650) 555-0142';
  let mother: string;
  let son: string;

  it('are two people, each with a history of their own', async () => {
    mother = (await inquire({ name: 'Rosa Vega', phone, service: 'Skin check' })).contactId;
    son = (await inquire({ name: 'Mateo Vega', phone, service: 'Acne treatment' })).contactId;

    expect(son).not.toBe(mother);
    const { items } = await search({ phone });
    expect(items.map(({ name }) => name).toSorted()).toEqual(['Mateo Vega', 'Rosa Vega']);
    const services = async (id: string) =>
      (await timeline(id)).items
        .filter(({ kind }) => kind === 'captured')
        .map(({ details }) => details['service']);
    expect(await services(mother)).toEqual(['dermatology-skin-check']);
    expect(await services(son)).toEqual(['dermatology-acne']);
  });

  it('are suggested as a match with its reasons, and found to be different', async () => {
    const suggested = await waitFor(
      'the suggested match',
      async () => {
        const { items } = await get<{ items: MatchView[] }>('/v1/matches');
        return items.find(({ contacts }) => contacts.some(({ id }) => id === son));
      },
      busyMachineMs,
    );
    expect(suggested).toMatchObject({ reasons: expect.arrayContaining(['same_phone', 'same_last_name']) });

    await post(`/v1/contacts/${mother}/matches/${son}`, { decision: 'different' });

    expect((await contact(son)).matches).toEqual([]);
  });

  it('are related, she as his guardian, also where she writes for him', async () => {
    await post(`/v1/contacts/${mother}/relations`, { contactId: son, relation: 'guardian_of' });

    const { id, contactId } = await inquire({
      name: 'Rosa Vega',
      patientName: 'Mateo Vega',
      phone,
      age: '11',
    });

    expect(contactId).toBe(son);
    expect(await show(harness, id)).toMatchObject({
      contact: { name: 'Mateo Vega' },
      writer: { id: mother, name: 'Rosa Vega' },
    });
    expect((await contact(son)).relations).toMatchObject([
      { relation: 'ward_of', contact: { id: mother, name: 'Rosa Vega' } },
    ]);
    expect((await contact(mother)).relations).toMatchObject([
      { relation: 'guardian_of', contact: { id: son } },
    ]);
  });
});

describe('a wrong merge', () => {
  it('is undone in full, and each keeps what came to them meanwhile', async () => {
    const one = await inquire({ name: 'Dana Reed', email: 'dana.reed@example.com' });
    const other = await inquire({ name: 'Dana Reid', phone: '(650) 555-0177' });
    const before = await Promise.all([contact(one.contactId), contact(other.contactId)]);

    const merged = await post<ContactView>(`/v1/contacts/${one.contactId}/merge`, {
      contactId: other.contactId,
      reason: 'sounded the same',
    });
    expect(merged.alsoKnownAs).toMatchObject([{ id: other.contactId, name: 'Dana Reid' }]);
    expect(await timeline(other.contactId)).toEqual(await timeline(one.contactId));
    expect((await show(harness, other.id)).contact.id).toBe(one.contactId);
    await record(other.contactId, { kind: 'call', disposition: 'reached', inquiryId: other.id });
    const again = await inquire({ name: 'Dana Reid', phone: '(650) 555-0177', service: 'Psoriasis' });
    expect(again.contactId).toBe(one.contactId);

    await post(`/v1/contacts/${one.contactId}/unmerge`, { contactId: other.contactId });

    const after = await Promise.all([contact(one.contactId), contact(other.contactId)]);
    expect(after.map((view) => ({ ...view, version: 0 }))).toEqual(
      before.map((view) => ({ ...view, version: 0 })),
    );
    const inquiries = async (id: string) =>
      (await timeline(id)).items.filter(({ kind }) => kind === 'captured').map(({ inquiryId }) => inquiryId);
    expect(await inquiries(one.contactId)).toEqual([one.id]);
    expect(await inquiries(other.contactId)).toEqual([again.id, other.id]);
    expect((await timeline(other.contactId)).items.map(({ kind }) => kind)).toContain('call');
  });
});

it('a marketer sees none of them, and nobody of them is in a log', async () => {
  for (const answer of [
    await harness.post('/v1/contacts/search', { phone: '(650) 555-0142' }, { role: 'marketer' }),
    await harness.get('/v1/matches', { role: 'marketer' }),
  ]) {
    expect(answer.status).toBe(403);
  }
  const refused = await harness.post('/v1/contacts/search', { phone: 'Rosa Vega' }, coordinator);
  expect([refused.status, (await refused.text()).includes('Rosa')]).toEqual([422, false]);
  expect(evidence.logs()).not.toMatch(/Rosa|Mateo|Lopez|Reid|555-?0142|5550142|Tuesday at nine/);
});
