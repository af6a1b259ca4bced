/** Notices in the table: beside their inquiry, past whatever its steps read. */
import { type Notice, noticeActionAt, noticeSchema } from '../domain/notice.ts';
import { claimMail } from './claim-mail.ts';
import { byTime, duePk, dueShardOf, inquiryNotice, inquiryPk } from './keys.ts';
import { absent, atVersion, type Row, type Table, type Write } from './table.ts';

export function noticeRow(notice: Notice): Row {
  const { id, inquiryId } = notice;
  const due = noticeActionAt(notice);
  return {
    ...inquiryNotice(inquiryId, id),
    entity: 'notice',
    ...(due !== undefined && { duePk: duePk(dueShardOf(inquiryPk(inquiryId))), dueSk: byTime(due, id) }),
    ...notice,
    schemaVersion: 1,
  };
}

export type Notices = ReturnType<typeof createNotices>;

export function createNotices(table: Table) {
  return {
    async find(inquiryId: string, noticeId: string): Promise<Notice | undefined> {
      const row = await table.get(inquiryNotice(inquiryId, noticeId), { consistent: true });
      return row && noticeSchema.parse(row);
    },

    create: (notice: Notice): Write => ({ put: noticeRow(notice), when: absent }),

    /** Writes a new state over the one it was made from; refused where somebody was faster. */
    save: (next: Notice): Write => ({ put: noticeRow(next), when: atVersion(next.version - 1) }),

    /** Claims the sending of its mail, as for an inquiry's mail. */
    async claimMail(
      inquiryId: string,
      noticeId: string,
      now: Date,
      leaseMs: number,
    ): Promise<Notice | undefined> {
      const row = await claimMail(table, inquiryNotice(inquiryId, noticeId), now, leaseMs);
      return row && noticeSchema.parse(row);
    },
  };
}
