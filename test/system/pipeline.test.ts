/** From the first post to the e-mail and the report, on a whole local system. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TimelineItem } from '../../functions/api/views.ts';
import { applyPractice } from '../../local/practice.ts';
import type { Summary } from '../../shared/domain/rollup.ts';
import { type Evidence, evidenceOf } from './evidence.ts';
import { ensureAssembly, type Harness, startHarness, waitFor } from './harness.ts';
import {
  accepted,
  forEachOf,
  formType,
  googleAdsSample,
  jsonType,
  list,
  listAll,
  notified,
  show,
  webFormSample,
} from './samples.ts';

const coordinators = ['ana', 'ben', 'carla', 'dev', 'elena'];
/** A thousand inquiries take 40 s; where others keep the processors busy, far longer. */
const busyMachineMs = 180_000;
const demoPractice = join(import.meta.dirname, '../../practices/demo.yaml');

let synthDir: string;
let harness: Harness;
let evidence: Evidence;
/** Accepted, and then the process was killed before anything came of it. */
let orphan: string;

const apply = (file: string): Promise<void> =>
  applyPractice(file, {
    home: harness.home,
    tableName: harness.system.tableName,
    dynamodb: harness.system.endpoints.dynamodb,
  });

const postForm = (body: string): Promise<Response> =>
  harness.post('/v1/inquiries', body, { headers: formType });
const postLead = (body: string): Promise<Response> =>
  harness.post('/v1/webhooks/google-ads', body, { headers: jsonType });

/** The mails about an inquiry: each carries the link to it. */
const mailsAbout = async (id: string) =>
  (await harness.inbox()).filter(({ body }) => body.text?.includes(`/v1/inquiries/${id}`));

beforeAll(async () => {
  synthDir = await ensureAssembly();
  harness = await startHarness({ synthDir, practice: null, keepHome: true });
});
afterAll(async () => {
  evidence?.close();
  await harness?.stop();
});

describe('a table without a practice', () => {
  it('is healthy, and says what is missing', async () => {
    const health = await harness.get('/v1/health');
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);

    for (const answer of [await harness.get('/'), await postForm(webFormSample)]) {
      expect(answer.status).toBe(503);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(await answer.json()).toMatchObject({
        code: 'unavailable',
        detail: 'No practice is configured yet: run "npm run practice -- apply <file>".',
      });
    }
  });

  it('takes inquiries as soon as one is applied', async () => {
    await apply(demoPractice);
    expect((await harness.get('/')).status).toBe(200);
  });
});

describe('a process that is killed between the 202 and the routing', () => {
  it('starts again on the same data', async () => {
    await harness.system.pausePollers();
    const email = { name: 'Olive Orphan', email: 'olive@example.com', service: 'pt-back' };
    orphan = (await accepted(await harness.post('/v1/inquiries', email))).id;
    await harness.system.kill();

    harness = await startHarness({ synthDir, home: harness.home });
    evidence = evidenceOf(harness);
    expect(await show(harness, orphan)).toMatchObject({ progress: 'captured', stage: 'new' });
    expect(await harness.inbox()).toEqual([]);
    // What becomes of it is looked at further below: the sweep gives every step a minute.
  });
});

describe('the samples', () => {
  const patients = {
    'the web form': ['María', 'López', 'maria.lopez', '555-0188', '5550188', 'acne', 'Blue Shield'],
    'Google Ads': ['Dana', 'Whitfield', '555-0123', '5550123', '94043', 'implant', 'TeSter'],
  };

  it.each([
    {
      channel: 'the web form' as const,
      send: () => postForm(webFormSample),
      status: 202,
      wanted: {
        channel: 'web_form',
        source: 'search-ad',
        campaign: 'acne-spring',
        service: 'dermatology-acne',
        location: 'mountain-view',
        contact: { name: 'María López', email: 'maria.lopez@example.com', phone: '+16505550188' },
        score: { total: 54, tier: 'B' },
        assignment: { receipt: { pool: 'dermatology', strategy: 'weighted_round_robin' } },
      },
    },
    {
      channel: 'Google Ads' as const,
      send: () => postLead(googleAdsSample),
      status: 200,
      wanted: {
        channel: 'ad_form',
        source: 'search-ad',
        campaign: '30000000000',
        service: 'dental-implant',
        contact: { name: 'Dana Whitfield', email: 'dana.whitfield@example.com', phone: '+16505550123' },
        answers: [{ question: 'Postal Code', answer: '94043' }],
        assignment: { receipt: { pool: 'dental', strategy: 'weighted_round_robin' } },
      },
    },
  ])('$channel: a routed inquiry, its reasons, its e-mail, and once only', async (sample) => {
    const answer = await sample.send();
    expect(answer.status).toBe(sample.status);
    const first = await accepted(answer);
    expect(Object.keys(first).sort()).toEqual(['id', 'receivedAt']);

    const view = await notified(harness, first.id);
    expect(view).toMatchObject({
      id: first.id,
      receivedAt: first.receivedAt,
      stage: 'new',
      ...sample.wanted,
    });

    const { score, assignment } = view;
    expect(score?.parts.reduce((sum, { points }) => sum + points, 0)).toBe(score?.total);
    expect(score?.parts.every(({ reason }) => reason !== '')).toBe(true);

    const candidates = assignment?.receipt.candidates ?? [];
    expect(candidates.map(({ memberId }) => memberId).sort()).toEqual(coordinators);
    expect(candidates.every(({ share, reason }) => share === 0.2 && reason !== '')).toBe(true);
    const chosen = candidates.filter(({ outcome }) => outcome === 'assigned');
    expect(chosen.map(({ memberId }) => memberId)).toEqual([assignment?.memberId]);

    const [mail, ...more] = await mailsAbout(first.id);
    expect(more).toEqual([]);
    expect(mail?.destination).toEqual({ to: [`${assignment?.memberId}@bayview.example`], cc: [], bcc: [] });
    expect(mail?.subject).toMatch(
      /^New inquiry: tier [ABC], call by \w{3} \d+ \w{3}, \d+:\d{2} [AP]M P[DS]T$/,
    );
    const whole = JSON.stringify(mail).toLowerCase();
    for (const personal of patients[sample.channel]) expect(whole).not.toContain(personal.toLowerCase());

    // The same once more is the same inquiry.
    expect(await accepted(await sample.send())).toEqual(first);
    const ofPerson = (await listAll(harness, {})).filter(({ contactId }) => contactId === view.contact.id);
    expect(ofPerson.map(({ id }) => id)).toEqual([first.id]);
    expect((await show(harness, first.id)).version).toBe(view.version);
    expect(await mailsAbout(first.id)).toHaveLength(1);
  });
});

describe('where an inquiry came from', () => {
  const attributed = [
    ['a click id, before everything else', { gclid: 'abc', utm_medium: 'organic' }, {}, 'search-ad'],
    ['utm parameters', { utm_source: 'instagram', utm_medium: 'cpc' }, {}, 'social-ad'],
    ['the referring site', {}, { referer: 'https://www.zocdoc.com/doctor/1' }, 'directory'],
    ['the form itself', {}, {}, 'website'],
    ['not a source that the form may not name', { source: 'physician-referral' }, {}, 'website'],
    [
      'the source that the front desk names',
      { source: 'physician-referral' },
      { origin: 'http://frontdesk.firstcall.example' },
      'physician-referral',
    ],
  ] as const;

  it.each(attributed)('%s', async (what, fields, headers, source) => {
    const post = {
      email: `${source}.${attributed.findIndex(([name]) => name === what)}@example.com`,
      ...fields,
    };
    const { id } = await accepted(await harness.post('/v1/inquiries', post, { headers }));
    expect(await show(harness, id)).toMatchObject({ source });
  });
});

describe('staff', () => {
  it('see their queue, most urgent first, and lists by stage, tier and member, page by page', async () => {
    await waitFor('idle queues', async () => (await evidence.queued()) === 0);
    const all = await listAll(harness, {});
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(all.map(({ receivedAt }) => receivedAt)).toEqual(
      all
        .map(({ receivedAt }) => receivedAt)
        .sort()
        .reverse(),
    );

    const ana = all.filter(({ assignee }) => assignee === 'ana');
    expect(ana.length).toBeGreaterThan(0);
    const idsOf = (items: readonly { id: string }[]): string[] => items.map(({ id }) => id).sort();
    expect(idsOf(await listAll(harness, { assignee: 'ana', limit: '1' }))).toEqual(idsOf(ana));
    expect(idsOf(await listAll(harness, { tier: 'B', stage: 'new', limit: '2' }))).toEqual(
      idsOf(all.filter(({ tier, stage }) => tier === 'B' && stage === 'new')),
    );
    expect(idsOf(await listAll(harness, { limit: '3' }))).toEqual(idsOf(all));

    const answer = await harness.get('/v1/queue?limit=50', { role: 'coordinator' });
    const queue = (await answer.json()) as { items: { id: string; respondBy: string }[]; cursor?: string };
    expect(idsOf(queue.items)).toEqual(idsOf(ana));
    expect(queue).not.toHaveProperty('cursor');
    const due = queue.items.map(({ respondBy }) => respondBy);
    expect(due).toEqual(due.toSorted());
  });

  it('refuses a cursor that is of another list, or made up', async () => {
    const { cursor = '' } = await list(harness, { stage: 'new', limit: '1' });
    const made = Buffer.from(
      JSON.stringify({ list: 'inquiries new ', after: { pk: 'CONFIG', sk: 'VERSION' } }),
    );
    for (const query of [`stage=closed&cursor=${cursor}`, `stage=new&cursor=${made.toString('base64url')}`]) {
      const answer = await harness.get(`/v1/inquiries?${query}`, { role: 'coordinator' });
      expect(answer.status).toBe(422);
      expect(await answer.json()).toMatchObject({ errors: [{ field: 'cursor' }] });
    }
  });

  it('move an inquiry on, from the version they saw', async () => {
    const post = { name: 'Stage Stan', email: 'stan@example.com', service: 'dermatology-mohs' };
    const { id } = await accepted(await harness.post('/v1/inquiries', post));
    const { version, contact } = await notified(harness, id);
    const path = `/v1/inquiries/${id}`;
    const patch = (body: object, headers: Record<string, string> = {}): Promise<Response> =>
      harness.patch(path, body, { role: 'coordinator', headers });

    expect((await patch({ stage: 'contacted' })).status).toBe(428);
    expect((await patch({ stage: 'contacted' }, { 'if-match': `"${version - 1}"` })).status).toBe(412);
    expect((await show(harness, id)).stage).toBe('new');

    const seen = await harness.get(path, { role: 'coordinator' });
    const changed = await patch({ stage: 'consult' }, { 'if-match': seen.headers.get('etag') ?? '' });
    expect([changed.status, changed.headers.get('etag')]).toEqual([200, `"${version + 1}"`]);
    expect(await changed.json()).toMatchObject({ id, stage: 'consult', version: version + 1 });

    const backwards = await patch({ stage: 'new' }, { 'if-match': `"${version + 1}"` });
    expect(backwards.status).toBe(409);
    expect(await backwards.json()).toMatchObject({ errors: [{ field: 'stage' }] });

    const answer = await harness.get(`/v1/contacts/${contact.id}/timeline`, { role: 'coordinator' });
    const { items } = (await answer.json()) as { items: TimelineItem[] };
    const kinds = items.map(({ kind }) => kind);
    // The stage and the lifecycle that it brought are of one moment.
    expect(kinds.slice(0, 2).toSorted()).toEqual(['contact_changed', 'stage_changed']);
    expect(kinds.slice(2)).toEqual(['mailed', 'routed', 'scored', 'captured']);
    const staged = items.find(({ kind }) => kind === 'stage_changed');
    expect(staged).toMatchObject({ actor: 'ana', details: { from: 'new', to: 'consult' } });
    expect(items.at(-1)?.details['fields']).toMatchObject({ name: 'Stage Stan', email: 'stan@example.com' });
  });

  it('only those of the right role', async () => {
    const [{ id, contactId } = { id: '', contactId: '' }] = await listAll(harness, {});
    const people = [
      '/v1/inquiries',
      `/v1/inquiries/${id}`,
      '/v1/queue',
      `/v1/contacts/${contactId}/timeline`,
    ];
    const report = '/v1/reports/summary?from=2026-01-01&to=2026-01-02';
    for (const path of people) {
      const refused = await harness.get(path, { role: 'marketer' });
      expect([path, refused.status]).toEqual([path, 403]);
      expect(refused.headers.get('content-type')).toBe('application/problem+json');
      expect(JSON.stringify(await refused.json())).not.toContain(id);
      for (const role of ['coordinator', 'manager', 'admin'] as const) {
        expect([path, role, (await harness.get(path, { role })).status]).toEqual([path, role, 200]);
      }
    }
    const patched = await harness.patch(people[1] ?? '', { stage: 'contacted' }, { role: 'marketer' });
    expect(patched.status).toBe(403);
    for (const role of ['coordinator', 'manager', 'marketer', 'admin'] as const) {
      expect([role, (await harness.get(report, { role })).status]).toEqual([role, 200]);
    }
  });
});

describe('a message that is delivered again', () => {
  it('sends nothing more, and changes nothing', async () => {
    const post = { name: 'Twice Tom', phone: '650-555-0177', service: 'dental-exam' };
    const { id } = await accepted(await harness.post('/v1/inquiries', post));
    await notified(harness, id);
    await waitFor('idle queues', async () => (await evidence.queued()) === 0);
    // But for what the stream counts, at its own pace.
    const rows = async () =>
      (await evidence.rowsWithoutAudit()).filter(
        ({ pk, sk }) => !pk.startsWith('ROLLUP#') && !sk.startsWith('~'),
      );
    const before = await rows();

    const event = (body: object) => ({
      Records: [1, 2].map((n) => ({ messageId: `again-${n}`, body: JSON.stringify(body) })),
    });
    const messages = {
      score: { inquiryId: id, version: 1 },
      route: { inquiryId: id, version: 1 },
      notify: { kind: 'inquiry', inquiryId: id, version: 2 },
    };
    for (const [name, message] of Object.entries(messages)) {
      expect(await harness.system.invoke(name, event(message))).toEqual({ batchItemFailures: [] });
    }
    expect(await evidence.queued()).toBe(0);
    expect(await mailsAbout(id)).toHaveLength(1);
    expect(await rows()).toEqual(before);
  });
});

describe('fairness', () => {
  it(
    'gives 1,000 inquiries to five members of equal weight, 200 each, one more or less',
    async () => {
      const started = performance.now();
      const ids = await forEachOf(1_000, 24, async (i) => {
        const post = { name: `Fair ${i}`, email: `fair.${i}@example.com`, service: 'dental-aligners' };
        return (await accepted(await harness.post('/v1/inquiries', post))).id;
      });
      const posted = performance.now();
      expect(new Set(ids).size).toBe(1_000);

      const ours = new Set(ids);
      const mine = await waitFor(
        'all of them to be routed',
        async () => {
          await pause(1_000);
          if ((await evidence.queued()) > 0) return undefined;
          const found = (await listAll(harness, { stage: 'new' })).filter(({ id }) => ours.has(id));
          return found.every(({ progress }) => progress === 'notified') && found;
        },
        busyMachineMs,
      );
      const seconds = (ms: number): string => (ms / 1000).toFixed(1);
      console.log(
        `1,000 inquiries: accepted in ${seconds(posted - started)} s, e-mailed after ${seconds(performance.now() - started)} s`,
      );
      expect(mine).toHaveLength(1_000);
      for (const member of coordinators) {
        const share = mine.filter(({ assignee }) => assignee === member).length;
        expect([member, Math.abs(share - 200) <= 1, share]).toEqual([member, true, share]);
      }
      const recipients = (await harness.inbox()).filter(({ body }) =>
        ours.has(/\/v1\/inquiries\/(\w+)/.exec(body.text ?? '')?.[1] ?? ''),
      );
      expect(recipients).toHaveLength(1_000);
    },
    busyMachineMs * 2,
  );
});

// After what takes the minute that a step is given, and before a member is disabled, whose work is given to others, each with a mail of its own.
describe('what was accepted before the kill', () => {
  it(
    'ends in its e-mail all the same',
    async () => {
      await waitFor(
        'the sweep to have taken it up',
        async () => {
          await harness.system.invoke('remind', {});
          return (await show(harness, orphan)).progress === 'notified';
        },
        busyMachineMs,
      );
      expect(await mailsAbout(orphan)).toHaveLength(1);
    },
    busyMachineMs,
  );
});

describe('somebody who is disabled', () => {
  it('gets nothing more, from the moment that is applied', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'firstcall-practice-')), 'practice.yaml');
    const demo = readFileSync(demoPractice, 'utf8');
    writeFileSync(file, demo.replace('email: ben@bayview.example,', '$& enabled: false,'));
    await apply(file);

    const ids = await forEachOf(10, 5, async (i) => {
      const post = { name: `After ${i}`, email: `after.${i}@example.com`, service: 'dental-implant' };
      return (await accepted(await harness.post('/v1/inquiries', post))).id;
    });
    for (const id of ids) {
      const { assignment } = await notified(harness, id);
      expect(assignment?.memberId).not.toBe('ben');
      expect(assignment?.receipt.candidates).toContainEqual({
        memberId: 'ben',
        share: 0,
        outcome: 'excluded',
        reason: 'disabled',
      });
    }
  });
});

describe('the report', () => {
  it(
    'counts what there is, by source, stage and tier',
    async () => {
      const day = (offset: number): string =>
        new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
      const count = (values: (string | undefined)[]): Record<string, number> => {
        const counts: Record<string, number> = {};
        for (const value of values) if (value !== undefined) counts[value] = (counts[value] ?? 0) + 1;
        return counts;
      };
      const summary = async (): Promise<Summary> => {
        const answer = await harness.get(`/v1/reports/summary?from=${day(-1)}&to=${day(1)}`, {
          role: 'marketer',
        });
        return (await answer.json()) as Summary;
      };
      // Nothing is due any more about what is booked or closed; the records of both have to be read.
      const [consult] = await listAll(harness, { stage: 'consult' });
      for (const change of [{ stage: 'booked' }, { stage: 'closed', closeReason: 'no_response' }]) {
        const path = `/v1/inquiries/${consult?.id}`;
        const seen = await harness.get(path, { role: 'coordinator' });
        const headers = { 'if-match': seen.headers.get('etag') ?? '' };
        expect((await harness.patch(path, change, { role: 'coordinator', headers })).status).toBe(200);
      }
      const all = await listAll(harness, {});
      expect(all).toContainEqual(expect.objectContaining({ id: consult?.id, stage: 'closed' }));
      // The stream follows at its own pace.
      await expect.poll(summary, { timeout: busyMachineMs, interval: 250 }).toMatchObject({
        inquiries: all.length,
        bySource: count(all.map(({ source }) => source)),
        byStage: count(all.map(({ stage }) => stage)),
        byTier: count(all.map(({ tier }) => tier)),
        firstResponse: { responses: 1, inTime: 1, byClass: { within_5: 1 } },
      });
    },
    busyMachineMs * 2,
  );
});
