/**
 * What each function really asks of AWS is what its policy allows: the local
 * engines check no policy, so a call that IAM would refuse shows only here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CountedCall } from '../../local/system.ts';
import { functionNames } from '../../simulation/functions.ts';
import { ensureAssembly, type Harness, startHarness, waitFor } from './harness.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
}
interface Template {
  readonly Resources: Record<
    string,
    { readonly Type: string; readonly Properties?: { readonly PolicyDocument?: { Statement: Statement[] } } }
  >;
}

/** The actions of a statement; what it allows on an index, with the index's name. */
function actionsIn({ Action, Resource }: Statement): string[] {
  const indexes = [...JSON.stringify(Resource).matchAll(/\/index\/(\w+)/g)].map(([, name]) => ` of ${name}`);
  return [Action].flat().flatMap((action) => (indexes.length > 0 ? indexes : ['']).map((of) => action + of));
}

/** Actions that a function's own policy allows, by the function's name. */
function allowedActions(assembly: string, functionName: string): Set<string> {
  const policyId = new RegExp(`^${functionName}Policy`, 'i');
  const statements = readdirSync(assembly)
    .filter((file) => file.endsWith('.template.json'))
    .map((file) => JSON.parse(readFileSync(join(assembly, file), 'utf8')) as Template)
    .flatMap(({ Resources }) => Object.entries(Resources))
    .filter(([id, { Type }]) => Type === 'AWS::IAM::ManagedPolicy' && policyId.test(id))
    .flatMap(([, { Properties }]) => Properties?.PolicyDocument?.Statement ?? []);
  return new Set(statements.filter(({ Effect }) => Effect === 'Allow').flatMap(actionsIn));
}

const transactActions: Record<string, string> = {
  Put: 'dynamodb:PutItem',
  Update: 'dynamodb:UpdateItem',
  Delete: 'dynamodb:DeleteItem',
  ConditionCheck: 'dynamodb:ConditionCheckItem',
};

/** The IAM actions behind a call: a transaction is authorized by each of its parts. */
function actionsOf({ service, operation, request }: CountedCall): string[] {
  if (operation === 'TransactWriteItems') {
    const { TransactItems } = request as { TransactItems: object[] };
    return TransactItems.flatMap((item) => Object.keys(item).map((kind) => transactActions[kind] ?? kind));
  }
  if (operation === 'SendMessageBatch') return ['sqs:SendMessage'];
  const { IndexName } = request as { readonly IndexName?: string };
  return [`${service}:${operation}${IndexName === undefined ? '' : ` of ${IndexName}`}`];
}

const calls: CountedCall[] = [];
let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ onCall: (call) => calls.push(call), inMemory: true });
});
afterAll(() => harness?.stop());

type Post = (fields: object) => Promise<string>;
const staff = { role: 'manager' } as const;

/** Everything that staff do about one inquiry, from setting it aside to its appointment. */
async function workOnOne(contactId: string, post: Post): Promise<void> {
  const id = await post({ phone: '(650) 555-0144', name: 'Ida Stone', service: 'dermatology-acne' });
  const assignee = await waitFor('its e-mail', async () => {
    const answer = await harness.get(`/v1/inquiries/${id}`, staff);
    const view = (await answer.json()) as { progress: string; assignment?: { memberId: string } };
    return view.progress === 'notified' && view.assignment?.memberId;
  });
  const change = async (body: object): Promise<void> => {
    // Between a look and the change a mail may have gone out.
    const status = await waitFor('no other change', async () => {
      const seen = await harness.get(`/v1/inquiries/${id}`, staff);
      const etag = seen.headers.get('etag') ?? '';
      const answer = await harness.patch(`/v1/inquiries/${id}`, body, {
        ...staff,
        headers: { 'if-match': etag },
      });
      return answer.status !== 412 && answer.status;
    });
    expect([body, status]).toEqual([body, 200]);
  };
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  await change({ assignTo: assignee === 'ben' ? 'ana' : 'ben' });
  await change({ claim: true });
  await change({ snoozeUntil: tomorrow });
  await change({ wake: true });
  await change({ park: { reason: 'records', until: tomorrow } });
  await change({ unpark: true });
  await change({ calling: true });
  await change({ calling: false });
  await change({ snoozeUntil: tomorrow });
  // Who writes again wakes what was snoozed of theirs.
  await post({ phone: '(650) 555-0144', name: 'Ida Stone', message: 'Is there any news?' });
  await waitFor('its waking', () =>
    calls.some(
      ({ functionName, operation, request }) =>
        functionName === 'people' &&
        operation === 'TransactWriteItems' &&
        JSON.stringify(request).includes(id),
    ),
  );
  await change({ returnToPool: true });

  const created = async (path: string, body: object): Promise<{ id: string; etag: string }> => {
    const answer = await harness.post(path, body, staff);
    expect([path, answer.status]).toEqual([path, 201]);
    const { id: made } = (await answer.json()) as { id: string };
    return { id: made, etag: answer.headers.get('etag') ?? '"1"' };
  };
  const task = await created('/v1/tasks', { contactId, title: 'Ask for the records', dueAt: tomorrow });
  const visit = await created('/v1/appointments', { inquiryId: id, at: tomorrow });
  const { contact } = (await (await harness.get(`/v1/inquiries/${id}`, staff)).json()) as {
    contact: { id: string };
  };
  const ofTask = `/v1/contacts/${contactId}/tasks/${task.id}`;
  const ofVisit = `/v1/contacts/${contact.id}/appointments/${visit.id}`;
  const match = (etag: string) => ({ ...staff, headers: { 'if-match': etag } });
  expect((await harness.patch(ofTask, { done: true }, match(task.etag))).status).toBe(200);
  expect((await harness.patch(ofVisit, { outcome: 'cancelled' }, match(visit.etag))).status).toBe(200);
  // Recorded by mistake.
  const settled = (await harness.get(ofVisit, staff)).headers.get('etag') ?? '';
  expect((await harness.patch(ofVisit, { correct: 'no_show' }, match(settled))).status).toBe(200);
  const call = { kind: 'call', disposition: 'reached', inquiryId: id };
  const recorded = await harness.post(`/v1/contacts/${contact.id}/entries`, call, staff);
  const { entry } = (await recorded.json()) as { entry: { id: string } };
  const ofCall = `/v1/contacts/${contact.id}/entries/${entry.id}/correction`;
  expect((await harness.post(ofCall, { disposition: 'voicemail' }, staff)).status).toBe(200);
  for (const path of [
    '/v1/pools/dermatology/queue',
    '/v1/tasks',
    `/v1/contacts/${contactId}/tasks`,
    ofTask,
    '/v1/appointments',
    `/v1/contacts/${contact.id}/appointments`,
    ofVisit,
    `/v1/inquiries/${id}/messages`,
    `/v1/contacts/${contact.id}/consents`,
    '/v1/templates',
  ]) {
    expect([path, (await harness.get(path, staff)).status]).toEqual([path, 200]);
  }
}

/** What a person is sent, takes back, or cannot be sent. */
async function writeToPeople(post: Post): Promise<void> {
  const bounced = await post({
    name: 'Bo Unce',
    email: 'bounce@simulator.amazonses.com',
    consentEmail: 'yes',
  });
  await post({ name: 'Lena Ek', email: 'lena@example.com', consentEmail: 'yes' });
  const link = await waitFor('the link in an answer', async () => {
    const mails = await harness.inbox();
    const answer = mails.find(({ destination }) =>
      destination.to.some((to) => to.includes('lena@example.com')),
    );
    return /https?:\S+\/v1\/unsubscribe\/\S+/.exec(answer?.body.text ?? '')?.[0];
  });
  expect((await fetch(link)).status).toBe(200);
  expect((await fetch(link, { method: 'POST', body: new URLSearchParams({ all: 'yes' }) })).status).toBe(200);
  await waitFor('the bounce', () =>
    calls.some(
      ({ functionName, operation }) => functionName === 'feedback' && operation === 'TransactWriteItems',
    ),
  );
  const seen = await (await harness.get(`/v1/inquiries/${bounced}`, staff)).json();
  const { id: contactId } = (seen as { contact: { id: string } }).contact;
  const lifting = { confirm: 'bounce', reason: 'The mailbox was full' };
  const lifted = await waitFor('the suppression to be lifted', async () => {
    const answer = await harness.post(`/v1/contacts/${contactId}/lift-suppression`, lifting, staff);
    return answer.status !== 409 && answer.status;
  });
  expect(lifted).toBe(200);
}

it('no function calls what its policy does not allow', async () => {
  const post = async (fields: object) => {
    const response = await harness.post('/v1/inquiries', fields);
    return ((await response.json()) as { id: string }).id;
  };
  // A missed call, then the caller's name, then a second number: every branch of finding a person.
  await post({ phone: '(650) 555-0142' });
  await post({ phone: '(650) 555-0142', name: 'Rosa Diaz', service: 'dermatology-acne' });
  const id = await post({ phone: '(650) 555-0142', email: 'rosa@example.com', name: 'Rosa Diaz' });
  await post({ phone: '(650) 555-0142' });
  // Somebody who writes for another, of an emergency; and another of a similar name on the same phone.
  await post({ phone: '(650) 555-0142', name: 'Rosa Diaz', patientName: 'Leo Diaz', message: 'Chest pain' });
  await post({ phone: '(650) 555-0142', name: 'Rosa Dias' });
  // Known, and with something new to say of herself.
  await post({ phone: '(650) 555-0142', name: 'Rosa Diaz', insurance: 'Aetna' });
  const spam = await post({ phone: '(650) 555-0143', website: 'https://spam.example' });

  const view = await waitFor('the e-mail', async () => {
    const response = await harness.get(`/v1/inquiries/${id}`, { role: 'manager' });
    const inquiry = (await response.json()) as { progress: string; contact: { id: string } };
    return inquiry.progress === 'notified' && { inquiry, etag: response.headers.get('etag') ?? '' };
  });
  const match = (etag: string) => ({ ...staff, headers: { 'if-match': etag } });
  for (const path of [
    '/v1/inquiries',
    '/v1/inquiries?stage=new',
    '/v1/queue',
    `/v1/contacts/${view.inquiry.contact.id}/timeline`,
    '/v1/reports/summary?from=2026-01-01&to=2026-12-31',
  ]) {
    expect((await harness.get(path, staff)).status, path).toBe(200);
  }
  const closing = { stage: 'closed', closeReason: 'duplicate' };
  expect((await harness.patch(`/v1/inquiries/${id}`, closing, match(view.etag))).status).toBe(200);
  expect((await harness.patch(`/v1/inquiries/${spam}`, { release: true }, match('"1"'))).status).toBe(200);
  await harness.system.invoke('remind', {});
  await waitFor('a suggested match', () =>
    calls.some(
      ({ functionName, operation }) => functionName === 'people' && operation === 'TransactWriteItems',
    ),
  );
  // What staff do with people: found, changed, called, put before a human, merged, separated and related.
  const found = await harness.post('/v1/contacts/search', { phone: '(650) 555-0142' }, staff);
  const [one, other] = ((await found.json()) as { items: { id: string }[] }).items.map((person) => person.id);
  const person = await harness.get(`/v1/contacts/${one}`, staff);
  const work: [string, object, Record<string, string>?][] = [
    ['entries', { kind: 'note', text: 'Prefers mornings.' }, { 'idempotency-key': 'note 1' }],
    ['entries', { kind: 'call', disposition: 'no_answer' }],
    ['merge', { contactId: other }],
    ['unmerge', { contactId: other }],
    ['relations', { contactId: other, relation: 'guardian_of' }],
    ['relations', { contactId: other, remove: true }],
  ];
  const etag = person.headers.get('etag') ?? '';
  expect((await harness.patch(`/v1/contacts/${one}`, { tags: ['vip'] }, match(etag))).status).toBe(200);
  for (const [what, body, headers = {}] of work) {
    const answer = await harness.post(`/v1/contacts/${one}/${what}`, body, { ...staff, headers });
    // A relation that an inquiry has noted already, or a merge of who is related, is refused by a rule of ours.
    expect([what, answer.status < 500]).toEqual([what, true]);
  }
  const suggested = await harness.get('/v1/matches', staff);
  const [pair] = ((await suggested.json()) as { items: { contacts: [{ id: string }, { id: string }] }[] })
    .items;
  const [a, b] = pair?.contacts ?? [];
  const decided = await harness.post(
    `/v1/contacts/${a?.id}/matches/${b?.id}`,
    { decision: 'different' },
    staff,
  );
  expect(decided.status).toBe(200);
  await workOnOne(view.inquiry.contact.id, post);
  await writeToPeople(post);
  await waitFor('the roll-ups', () => calls.some(({ functionName }) => functionName === 'report'));

  const assembly = await ensureAssembly();
  const refused = functionNames.flatMap((name) => {
    const allowed = allowedActions(assembly, name);
    const asked = calls.filter(({ functionName }) => functionName === name).flatMap(actionsOf);
    expect(asked.length, `calls of ${name}`).toBeGreaterThan(0);
    return [...new Set(asked)].filter((action) => !allowed.has(action)).map((action) => `${name} ${action}`);
  });
  expect(refused).toEqual([]);
});
