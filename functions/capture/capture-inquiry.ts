/**
 * Captures one inquiry: finds or makes its person and commits inquiry, person,
 * idempotency record and due time in one transaction, then asks for its scoring.
 */
import type { Contacts } from '../../shared/data/contacts.ts';
import {
  type IdempotencyRecord,
  parseIdempotencyRecord,
  recordAnswer,
} from '../../shared/data/idempotency.ts';
import type { Inquiries, InquiryBody } from '../../shared/data/inquiries.ts';
import type { Table, Write } from '../../shared/data/table.ts';
import type { Channel } from '../../shared/domain/channels.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { captured } from '../../shared/domain/inquiry/arrival.ts';
import type { Inquiry, QuarantineReason } from '../../shared/domain/inquiry/state.ts';
import { contactActor, entryOf } from '../../shared/domain/timeline.ts';
import type { Queue, StepMessage } from '../../shared/queues/messages.ts';
import type { Digest } from '../../shared/secrets/digest.ts';
import { findPeople, type Identified, type Person } from './find-people.ts';

/** An inquiry as a channel hands it over: checked, normalised, attributed. */
export interface IncomingInquiry extends Identified {
  readonly channel: Channel;
  readonly locationId: string;
  readonly serviceId: string | undefined;
  readonly sourceId: string;
  readonly attributedBy: string;
  readonly campaign: string | undefined;
  readonly fields: InquiryBody['fields'];
  readonly answers?: InquiryBody['answers'];
  readonly invalidPoints?: InquiryBody['invalidPoints'];
  readonly quarantine: readonly QuarantineReason[];
  /** Ids of the red flags whose words stand in it. */
  readonly redFlags?: readonly string[];
}

/** How a repetition of the request is told. */
export interface RequestIdentity {
  /** Names the request; equal for its repetitions. */
  readonly key: string;
  /** What was sent, in a form that is equal for equal requests. */
  readonly content: string;
}

export interface CaptureDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly contacts: Contacts;
  readonly digest: Digest;
  readonly scoreQueue: Queue<StepMessage>;
  readonly environment: Environment;
  /** Called where the inquiry is safe but could not be enqueued; the sweep will. */
  readonly onEnqueueFailure: (inquiryId: string, error: unknown) => void;
}

export type Captured =
  | { readonly outcome: 'captured' | 'repeated'; readonly id: string; readonly receivedAt: string }
  /** The identity was used before, for another content. */
  | { readonly outcome: 'conflict'; readonly id: string; readonly receivedAt: string }
  /** Too much at once on the same person; nothing was stored. */
  | { readonly outcome: 'busy' };

/** Racing requests about one person settle in one or two rounds; more means an overloaded table. */
const mostAttempts = 8;

export async function captureInquiry(
  dependencies: CaptureDependencies,
  incoming: IncomingInquiry,
  identity: RequestIdentity,
): Promise<Captured> {
  const { table, inquiries, digest, environment, scoreQueue } = dependencies;
  const keyDigest = digest('idempotency', identity.key);
  const bodyDigest = digest('body', identity.content);

  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const { patient, writer } = await findPeople(dependencies, incoming);
    // Later than all that the person has had: whoever made them in this very moment is told first.
    const now = environment.now();
    const { contactId } = patient;
    const { channel, sourceId, serviceId, locationId, campaign, quarantine, wantedLocationId } = incoming;
    const { redFlags = [] } = incoming;
    const redFlagged = redFlags.length > 0;
    const id = environment.newId('inquiry');
    const head = captured(
      { id, contactId, locationId, channel, sourceId, campaign, serviceId, quarantine, redFlagged },
      now,
    );
    const receivedAt = head.receivedAt;
    const body: InquiryBody = {
      inquiryId: id,
      contactId,
      receivedAt,
      channel,
      sourceId,
      attributedBy: incoming.attributedBy,
      ...(serviceId !== undefined && { serviceId }),
      fields: incoming.fields,
      ...(incoming.answers && { answers: incoming.answers }),
      ...(incoming.invalidPoints?.length && { invalidPoints: incoming.invalidPoints }),
      ...(patient.known && { returning: true }),
      ...(patient.namesakeIds.length > 0 && { namesakeIds: [...patient.namesakeIds] }),
      ...(writer && { writerId: writer.contactId }),
      ...(redFlagged && { redFlags: [...redFlags] }),
      ...(quarantine.length > 0 && { quarantine: [...quarantine] }),
      ...(wantedLocationId !== undefined && { wantedLocationId }),
    };
    const committed = await table.transact([
      recordAnswer(keyDigest, { inquiryId: id, receivedAt, bodyDigest }, now),
      inquiries.save(head),
      inquiries.saveBody(body),
      ...patient.writes(now),
      ...(writer ? writtenFor(dependencies, { patient, writer }, head, now) : []),
      ...(redFlagged ? [inquiries.raiseAlert(id, contactId, redFlags, now)] : []),
    ]);

    if (committed.committed) {
      // What is quarantined waits for a human, but an alert for nobody: whoever scores asks for its mail.
      if (head.progress === 'captured' || redFlagged) {
        await scoreQueue
          .send({ inquiryId: id, version: head.version })
          .catch((error: unknown) => dependencies.onEnqueueFailure(id, error));
      }
      return { outcome: 'captured', id, receivedAt };
    }
    const earlier = committed.failed.get(0);
    if (earlier) return repetition(parseIdempotencyRecord(earlier), bodyDigest);
    // Somebody else made or named the same person in this very moment: look again.
    await environment.backOff(25 * attempt);
  }
  return { outcome: 'busy' };
}

/**
 * What is written for somebody who wrote for another: themselves, the relation, and the entry that
 * says so. What was set aside relates nobody who is known.
 */
function writtenFor(
  { contacts, environment }: CaptureDependencies,
  { patient, writer }: { readonly patient: Person; readonly writer: Person },
  { id, quarantine, receivedAt }: Inquiry,
  now: Date,
): Write[] {
  const { contactId } = writer;
  const patientId = patient.contactId;
  const entryId = environment.newId('entry');
  const frame = { entryId, contactId, inquiryId: id, actor: contactActor, at: receivedAt };
  const mayRelate = quarantine === undefined || !(patient.known || writer.known);
  return [
    ...writer.writes(now),
    ...(mayRelate ? contacts.noteGuardian(contactId, patientId) : []),
    contacts.addEntry(entryOf('wrote_for', frame, { patientId })),
  ];
}

function repetition(earlier: IdempotencyRecord, bodyDigest: string): Captured {
  const { inquiryId: id, receivedAt } = earlier;
  return { outcome: earlier.bodyDigest === bodyDigest ? 'repeated' : 'conflict', id, receivedAt };
}
