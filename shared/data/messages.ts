/** Messages to people in the table: the record of each, and how far an inquiry is in a sequence. */
import {
  type Enrolment,
  enrolmentSchema,
  type SequenceRun,
  sequenceRunSchema,
} from '../domain/messages/nurture.ts';
import { type MessageRecord, messageRecordSchema } from '../domain/messages/record.ts';
import { type InquiryRecord, recordOf } from './inquiries.ts';
import {
  byTime,
  contactSequence,
  duePk,
  dueShardOf,
  inquiryMessage,
  inquiryNurture,
  inquiryPk,
  inquirySk,
  type Key,
} from './keys.ts';
import { absent, atVersion, type Row, type Table, type Write } from './table.ts';

const schemaVersion = 1;

const dueAttributes = (inquiryId: string, nextAt: string | undefined, id: string) =>
  nextAt === undefined ? {} : { duePk: duePk(dueShardOf(inquiryPk(inquiryId))), dueSk: byTime(nextAt, id) };

export function messageRow(record: MessageRecord): Row {
  const { inquiryId, key, nextAt } = record;
  return {
    ...inquiryMessage(inquiryId, key),
    entity: 'message',
    ...dueAttributes(inquiryId, nextAt, `${inquiryId}#${key}`),
    ...record,
    schemaVersion,
  };
}

export function enrolmentRow(enrolment: Enrolment): Row {
  const { inquiryId, sequence, nextAt } = enrolment;
  return {
    ...inquiryNurture(inquiryId, sequence),
    entity: 'nurture',
    ...dueAttributes(inquiryId, nextAt, `${inquiryId}#${sequence}`),
    ...enrolment,
    schemaVersion,
  };
}

/** What follows the kind in a sort key. */
const afterKind = (sk: string): string => sk.slice(sk.indexOf('#') + 1);
/** What names a message, or a sequence, in its sort key. */
export const nameInKey = ({ sk }: Key): string => afterKind(sk);

export type Messages = ReturnType<typeof createMessages>;

export function createMessages(table: Table) {
  async function read(inquiryId: string, from: string, to: string): Promise<Row[]> {
    const { rows } = await table.query({ pk: inquiryPk(inquiryId), from, to, consistent: true });
    return rows;
  }

  return {
    async find(inquiryId: string, key: string): Promise<MessageRecord | undefined> {
      const sk = inquirySk.message(key);
      const [row] = await read(inquiryId, sk, sk);
      return row && messageRecordSchema.parse(row);
    },

    /** An inquiry as `inquiries.find` gives it, with every message about it: one read. */
    async findWithInquiry(
      inquiryId: string,
    ): Promise<{ readonly inquiry: InquiryRecord | undefined; readonly messages: readonly MessageRecord[] }> {
      const rows = await read(inquiryId, inquirySk.alert, inquirySk.message('~'));
      return {
        inquiry: recordOf(rows.filter(({ sk }) => sk <= inquirySk.scoresEnd)),
        messages: rows
          .filter(({ sk }) => sk >= inquirySk.message(''))
          .map((row) => messageRecordSchema.parse(row)),
      };
    },

    /** Every message about an inquiry, those that were refused too. */
    async ofInquiry(inquiryId: string): Promise<MessageRecord[]> {
      const rows = await read(inquiryId, inquirySk.message(''), inquirySk.message('~'));
      return rows.map((row) => messageRecordSchema.parse(row));
    },

    /** Asks for a message, once. */
    ask: (record: MessageRecord): Write => ({ put: messageRow(record), when: absent }),

    /** Writes a new state over the one it was made from; refused where somebody was faster. */
    save: (next: MessageRecord): Write => ({ put: messageRow(next), when: atVersion(next.version - 1) }),

    async findEnrolment(inquiryId: string, sequence: string): Promise<Enrolment | undefined> {
      const sk = inquirySk.nurture(sequence);
      const [row] = await read(inquiryId, sk, sk);
      return row && enrolmentSchema.parse(row);
    },

    async enrolmentsOf(inquiryId: string): Promise<Enrolment[]> {
      const rows = await read(inquiryId, inquirySk.nurture(''), inquirySk.nurture('~'));
      return rows.map((row) => enrolmentSchema.parse(row));
    },

    /** Begins a sequence, once for each inquiry. */
    enrol: (enrolment: Enrolment): Write => ({ put: enrolmentRow(enrolment), when: absent }),

    /** How far somebody has come in a sequence; undefined where they were never in it. */
    async findRun(contactId: string, sequence: string): Promise<SequenceRun | undefined> {
      const { pk, sk } = contactSequence(contactId, sequence);
      const { rows } = await table.query({ pk, from: sk, to: sk, consistent: true });
      return rows[0] && sequenceRunSchema.parse(rows[0]);
    },

    /** Writes a new state over the one it was made from: two inquiries of one person send a step once. */
    saveRun: (contactId: string, next: SequenceRun): Write => ({
      put: { ...contactSequence(contactId, next.sequence), entity: 'sequence', ...next, schemaVersion },
      when: atVersion(next.version - 1),
    }),

    saveEnrolment: (next: Enrolment): Write => ({
      put: enrolmentRow(next),
      when: atVersion(next.version - 1),
    }),
  };
}
