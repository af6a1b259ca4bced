/** How members keep records beside their calls: they correct them, follow appointments, merge and part people, note consents. */
import type { APIGatewayProxyResult } from 'aws-lambda';
import { contactPk, contactProfile, inquiryHead } from '../../shared/data/keys.ts';
import type { Row } from '../../shared/data/table.ts';
import { dispositions, lifecycles } from '../../shared/domain/rules/facts.ts';
import type { EventOptions } from '../events.ts';
import { minuteMs } from '../minutes.ts';
import { type ConsentJudge, longestCallMs } from './consent-judge.ts';
import type { Draw } from './draw.ts';
import type { AdverseWorld } from './world.ts';

/** A call of the staff API by a member, made again under its key where no answer came. */
export type Ask = (route: string, options: () => EventOptions) => Promise<APIGatewayProxyResult | undefined>;

const json = (value: object): { readonly body: string } => ({ body: JSON.stringify(value) });
const partOf = (sk: string): string => sk.slice(sk.indexOf('#') + 1);

/**
 * Does one thing about an inquiry, or about whose it is.
 *
 * @param contacts - everybody who wrote
 * @param consent - told of what they note that somebody said about e-mails
 */
export async function keepRecords(
  world: AdverseWorld,
  draw: Draw,
  inquiryId: string,
  contacts: () => readonly string[],
  consent: ConsentJudge,
  ask: Ask,
): Promise<void> {
  const contactId = String(world.table.peek(inquiryHead(inquiryId))?.['contactId']);
  /** Rows of the person of a kind, as somebody sees them who has them on their screen. */
  const rowsOf = async (kind: string): Promise<Row[]> =>
    (await world.table.query({ pk: contactPk(contactId), from: kind, to: `${kind}~` })).rows;
  const tagOf = (row: Row | undefined): { readonly 'If-Match': string } => ({
    'If-Match': `"${row?.['version']}"`,
  });
  const soon = (): string => new Date(world.agenda.nowMs() + draw.between(10, 120) * minuteMs).toISOString();

  async function correctCall(): Promise<void> {
    const calls = (await rowsOf('ENTRY#')).filter(({ kind }) => kind === 'call');
    if (calls.length === 0) return;
    const entryId = String(draw.pick(calls)['entryId']);
    const disposition = draw.pick(dispositions);
    await ask('POST /v1/contacts/{id}/entries/{entryId}/correction', () => ({
      pathParameters: { id: contactId, entryId },
      ...json({ disposition }),
    }));
  }

  async function seeToAppointment(): Promise<void> {
    const appointments = await rowsOf('APPOINTMENT#');
    if (appointments.length === 0) {
      const at = soon();
      await ask('POST /v1/appointments', () => json({ inquiryId, at }));
      return;
    }
    const one = draw.pick(appointments);
    const change = draw.pick([
      { outcome: 'kept', valueCents: 12_000 },
      { outcome: 'no_show' },
      { outcome: 'cancelled' },
      { at: soon() },
      { correct: 'made' },
      { correct: 'cancelled' },
      { correct: 'kept' },
    ]);
    await ask('PATCH /v1/contacts/{id}/appointments/{appointmentId}', () => ({
      pathParameters: { id: contactId, appointmentId: partOf(one.sk) },
      headers: tagOf(world.table.peek(one)),
      ...json(change),
    }));
  }

  async function changePerson(): Promise<void> {
    const change = draw.pick([
      { tags: ['vip'] },
      { lifecycle: draw.pick(lifecycles) },
      { languages: ['de'] },
      { owner: 'tom' },
    ]);
    const pathParameters = { id: contactId };
    const shown = await ask('GET /v1/contacts/{id}', () => ({ pathParameters }));
    const etag = shown?.headers?.['etag'];
    if (etag === undefined) return;
    await ask('PATCH /v1/contacts/{id}', () => ({
      pathParameters,
      headers: { 'If-Match': String(etag) },
      ...json(change),
    }));
  }

  async function mergeOrPart(): Promise<void> {
    const into = world.table.peek(contactProfile(contactId))?.['mergedInto'];
    if (into !== undefined) {
      const pathParameters = { id: String(into) };
      await ask('POST /v1/contacts/{id}/unmerge', () => ({ pathParameters, ...json({ contactId }) }));
      return;
    }
    const other = draw.pick(contacts());
    if (other === contactId) return;
    await ask('POST /v1/contacts/{id}/merge', () => ({
      pathParameters: { id: contactId },
      ...json({ contactId: other }),
    }));
  }

  async function decideMatch(): Promise<void> {
    const open = (await rowsOf('MATCH#')).filter(({ state }) => state === 'open');
    if (open.length === 0) return;
    const otherId = partOf(draw.pick(open).sk);
    await ask('POST /v1/contacts/{id}/matches/{otherId}', () => ({
      pathParameters: { id: contactId, otherId },
      ...json({ decision: 'different' }),
    }));
  }

  async function relate(): Promise<void> {
    const related = await rowsOf('RELATION#');
    const ends = related.length > 0 && draw.chance(0.5);
    const other = ends ? partOf(draw.pick(related).sk) : draw.pick(contacts());
    const relation = draw.pick(['guardian_of', 'ward_of']);
    await ask('POST /v1/contacts/{id}/relations', () => ({
      pathParameters: { id: contactId },
      ...json({ contactId: other, ...(ends ? { remove: true } : { relation }) }),
    }));
  }

  async function setStage(): Promise<void> {
    const stage = draw.pick(['contacted', 'consult', 'booked', 'closed'] as const);
    await ask('PATCH /v1/inquiries/{id}', () => ({
      pathParameters: { id: inquiryId },
      headers: tagOf(world.table.peek(inquiryHead(inquiryId))),
      ...json({ stage, ...(stage === 'closed' && { closeReason: 'no_response' }) }),
    }));
  }

  async function noteConsent(): Promise<void> {
    const given = draw.chance(0.5);
    const beganMs = world.agenda.nowMs();
    const settle = given ? consent.agrees(contactId) : undefined;
    const answer = await ask('POST /v1/contacts/{id}/entries', () => ({
      pathParameters: { id: contactId },
      ...json({ kind: 'consent', channel: 'email', given, source: 'phone' }),
    }));
    const isNoted = answer !== undefined && answer.statusCode < 300;
    // Where no answer came it may be noted by the last try.
    const latestMs = world.agenda.nowMs() + (answer === undefined ? longestCallMs : 0);
    settle?.(isNoted || answer === undefined ? latestMs : undefined);
    const email = world.table.peek(contactProfile(contactId))?.['email'];
    if (!given && isNoted && typeof email === 'string') consent.withdrew(email, contactId, beganMs);
  }

  const works = [correctCall, correctCall, seeToAppointment, seeToAppointment, changePerson, mergeOrPart];
  await draw.pick([...works, decideMatch, relate, setStage, noteConsent])();
}
