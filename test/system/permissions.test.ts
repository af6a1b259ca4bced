/**
 * What each function really asks of AWS is what its policy allows: the local
 * engines check no policy, so a call that IAM would refuse shows only here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CountedCall } from '../../local/system.ts';
import { ensureAssembly, type Harness, startHarness, waitFor } from './harness.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
}
interface Template {
  readonly Resources: Record<
    string,
    { readonly Type: string; readonly Properties?: { readonly PolicyDocument?: { Statement: Statement[] } } }
  >;
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
  return new Set(statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action));
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
  return [`${service}:${operation}`];
}

const calls: CountedCall[] = [];
let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ onCall: (call) => calls.push(call), inMemory: true });
});
afterAll(() => harness?.stop());

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
  const staff = { role: 'manager' } as const;
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
  await waitFor('the roll-ups', () => calls.some(({ functionName }) => functionName === 'report'));

  const assembly = await ensureAssembly();
  const functions = [
    'capture',
    'score',
    'route',
    'notify',
    'remind',
    'report',
    'people',
    'api',
    'feedback',
    'unsubscribe',
  ];
  const refused = functions.flatMap((name) => {
    const allowed = allowedActions(assembly, name);
    const asked = calls.filter(({ functionName }) => functionName === name).flatMap(actionsOf);
    expect(asked.length, `calls of ${name}`).toBeGreaterThan(0);
    return [...new Set(asked)].filter((action) => !allowed.has(action)).map((action) => `${name} ${action}`);
  });
  expect(refused).toEqual([]);
});
