/** The two samples that every channel is tried with, and the answers they get. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InquirySummary, InquiryView } from '../../functions/api/views.ts';
import { type Harness, waitFor } from './harness.ts';

const read = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../fixtures', name), 'utf8').trim();

/** A url-encoded post of a practice's web form. */
export const webFormSample = read('web-form.txt');
/** A Google Ads lead, with the local system's key. */
export const googleAdsSample = read('google-ads-lead.json');

export const formType = { 'content-type': 'application/x-www-form-urlencoded' };
export const jsonType = { 'content-type': 'application/json' };

/** What both capture routes answer. */
export interface Accepted {
  readonly id: string;
  readonly receivedAt: string;
}

export async function accepted(answer: Response): Promise<Accepted> {
  if (answer.status !== 202 && answer.status !== 200) {
    throw new Error(`not accepted: ${answer.status} ${await answer.text()}`);
  }
  return (await answer.json()) as Accepted;
}

/** One inquiry as a coordinator sees it. */
export async function show(harness: Harness, id: string): Promise<InquiryView> {
  const answer = await harness.get(`/v1/inquiries/${id}`, { role: 'coordinator' });
  if (answer.status !== 200) throw new Error(`${answer.status} for inquiry ${id}`);
  return (await answer.json()) as InquiryView;
}

/** The inquiry once its mail is out. */
export const notified = (harness: Harness, id: string): Promise<InquiryView> =>
  waitFor(`the e-mail about ${id}`, async () => {
    const view = await show(harness, id);
    return view.progress === 'notified' && view;
  });

export interface InquiryList {
  readonly items: InquirySummary[];
  readonly cursor?: string;
}

/** One page of a list. */
export async function list(harness: Harness, query: Record<string, string>): Promise<InquiryList> {
  const answer = await harness.get(`/v1/inquiries?${new URLSearchParams(query)}`, { role: 'coordinator' });
  if (answer.status !== 200) throw new Error(`${answer.status} for the list: ${await answer.text()}`);
  return (await answer.json()) as InquiryList;
}

/** A list, page after page. */
export async function listAll(harness: Harness, query: Record<string, string>): Promise<InquirySummary[]> {
  const items: InquirySummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(harness, { limit: '50', ...query, ...(cursor && { cursor }) });
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return items;
}

/** Does a piece of work for each number up to `n`, a few at a time; the results in order. */
export async function forEachOf<T>(n: number, atOnce: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < n; i = next++) results[i] = await work(i);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
