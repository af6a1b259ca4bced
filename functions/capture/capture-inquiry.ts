/**
 * Captures one inquiry: finds or makes its person and commits inquiry, person,
 * idempotency record and due time in one transaction, then asks for its scoring.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContactPoint, Contacts, PointHolder } from '../../shared/data/contacts.ts';
import {
  type IdempotencyRecord,
  parseIdempotencyRecord,
  recordAnswer,
} from '../../shared/data/idempotency.ts';
import type { Inquiries, InquiryBody } from '../../shared/data/inquiries.ts';
import { namelessDigest } from '../../shared/data/keys.ts';
import type { Table, Write } from '../../shared/data/table.ts';
import type { Channel } from '../../shared/domain/channels.ts';
import { normalizeName } from '../../shared/domain/contact-point.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { captured, type QuarantineReason } from '../../shared/domain/inquiry.ts';
import type { Queue, StepMessage } from '../../shared/queues/messages.ts';
import type { Digest } from '../../shared/secrets/digest.ts';

/** An inquiry as a channel hands it over: checked, normalised, attributed. */
export interface IncomingInquiry {
  readonly channel: Channel;
  readonly name: string | undefined;
  /** Normalised; absent where none was given or it cannot be one. */
  readonly email: string | undefined;
  /** In E.164; absent likewise. */
  readonly phone: string | undefined;
  readonly language: string | undefined;
  readonly locationId: string;
  readonly serviceId: string | undefined;
  readonly sourceId: string;
  readonly attributedBy: string;
  readonly campaign: string | undefined;
  readonly fields: InquiryBody['fields'];
  readonly answers?: InquiryBody['answers'];
  readonly invalidPoints?: InquiryBody['invalidPoints'];
  readonly quarantine: readonly QuarantineReason[];
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

interface Person {
  readonly contactId: string;
  readonly writes: readonly Write[];
}

/** The person an inquiry is from: the one whose point and name agree, or a new one. */
async function findPerson(
  { contacts, digest, environment }: CaptureDependencies,
  incoming: IncomingInquiry,
): Promise<Person> {
  const points: ContactPoint[] = [];
  if (incoming.email !== undefined) {
    points.push({ kind: 'email', value: incoming.email, digest: digest('email', incoming.email) });
  }
  if (incoming.phone !== undefined) {
    points.push({ kind: 'phone', value: incoming.phone, digest: digest('phone', incoming.phone) });
  }
  const folded = normalizeName(incoming.name ?? '');
  const nameDigest = folded === '' ? namelessDigest : digest('name', folded);
  const now = environment.now();
  const hold = (point: ContactPoint, contactId: string): Write =>
    contacts.hold({ pointDigest: point.digest, nameDigest, contactId });

  const join = (contactId: string, known: readonly PointHolder[]): Person => ({
    contactId,
    writes: points
      .filter(({ digest: own }) => !known.some((holder) => holder.pointDigest === own))
      .flatMap((point) => [hold(point, contactId), contacts.addPoint(contactId, point, now)]),
  });
  const create = (): Person => {
    const contactId = environment.newId('contact');
    const { name, email, phone, language } = incoming;
    return {
      contactId,
      writes: [
        contacts.create({ id: contactId, name, email, phone, language }, now),
        ...points.map((point) => hold(point, contactId)),
      ],
    };
  };

  if (nameDigest === namelessDigest) {
    const behind = (await Promise.all(points.map((point) => contacts.findAllHolders(point)))).flat();
    const people = [...new Set(behind.map((holder) => holder.contactId))];
    const nameless = behind.find((holder) => holder.nameDigest === namelessDigest);
    // Several people share the point: which of them this is, nobody can tell.
    const one = people.length === 1 ? people[0] : nameless?.contactId;
    return one === undefined ? create() : join(one, behind);
  }

  const holders = await contacts.findHolders(points, [nameDigest]);
  const namesakes = holders.filter((holder) => holder.nameDigest === nameDigest);
  // Where mailbox and number lead to two people of that name, the one known longer: ids sort by time.
  const known = namesakes.map((holder) => holder.contactId).sort()[0];
  if (known !== undefined) return join(known, namesakes);

  // A missed call left no name; whoever first gives one with that number is taken for the caller.
  const nameless = holders.filter((holder) => holder.nameDigest === namelessDigest);
  const caller = nameless.map((holder) => holder.contactId).sort()[0];
  if (caller === undefined) return create();
  const named = (await contacts.find(caller))?.name;
  // They got their name through another point of theirs: under another name it is somebody else.
  if (named !== undefined && normalizeName(named) !== folded) return create();
  const theirs = nameless.filter((holder) => holder.contactId === caller);
  const added = join(caller, theirs);
  return {
    contactId: caller,
    writes: [
      ...added.writes,
      ...(named === undefined ? [contacts.nameThem(caller, incoming.name ?? '', nameDigest)] : []),
      ...theirs.flatMap((holder) => [
        contacts.hold({ pointDigest: holder.pointDigest, nameDigest, contactId: caller }),
        contacts.release(holder),
      ]),
    ],
  };
}

export async function captureInquiry(
  dependencies: CaptureDependencies,
  incoming: IncomingInquiry,
  identity: RequestIdentity,
): Promise<Captured> {
  const { table, inquiries, digest, environment, scoreQueue } = dependencies;
  const keyDigest = digest('idempotency', identity.key);
  const bodyDigest = digest('body', identity.content);

  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const { contactId, writes } = await findPerson(dependencies, incoming);
    const now = environment.now();
    const { channel, sourceId, serviceId, locationId, campaign, quarantine } = incoming;
    const id = environment.newId('inquiry');
    const head = captured(
      { id, contactId, locationId, channel, sourceId, campaign, serviceId, quarantine },
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
    };
    const committed = await table.transact([
      recordAnswer(keyDigest, { inquiryId: id, receivedAt, bodyDigest }, now),
      inquiries.save(head),
      inquiries.saveBody(body),
      ...writes,
    ]);

    if (committed.committed) {
      if (head.progress === 'captured') {
        await scoreQueue
          .send({ inquiryId: id, version: head.version })
          .catch((error: unknown) => dependencies.onEnqueueFailure(id, error));
      }
      return { outcome: 'captured', id, receivedAt };
    }
    const earlier = committed.failed.get(0);
    if (earlier) return repetition(parseIdempotencyRecord(earlier), bodyDigest);
    // Somebody else made or named the same person in this very moment: look again.
    await sleep(Math.random() * 25 * attempt);
  }
  return { outcome: 'busy' };
}

function repetition(earlier: IdempotencyRecord, bodyDigest: string): Captured {
  const { inquiryId: id, receivedAt } = earlier;
  return { outcome: earlier.bodyDigest === bodyDigest ? 'repeated' : 'conflict', id, receivedAt };
}
