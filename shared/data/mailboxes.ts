/** Mailboxes by their digest: what nobody sends to any more, whoever reads them. */
import { type Mailbox, mailboxSchema, unknownMailbox } from '../domain/messages/consent.ts';
import { mailbox } from './keys.ts';
import { atVersion, type Table, type Write } from './table.ts';

const schemaVersion = 1;

export type Mailboxes = ReturnType<typeof createMailboxes>;

export function createMailboxes(table: Table) {
  return {
    async find(emailDigest: string): Promise<Mailbox> {
      const key = mailbox(emailDigest);
      const { rows } = await table.query({ pk: key.pk, from: key.sk, to: key.sk, consistent: true });
      return rows[0] ? mailboxSchema.parse(rows[0]) : unknownMailbox;
    },

    /** Writes a new state over the one it was made from; refused where it is another one by now. */
    save: (emailDigest: string, next: Mailbox): Write => ({
      put: { ...mailbox(emailDigest), entity: 'mailbox', ...next, schemaVersion },
      when: atVersion(next.version - 1),
    }),
  };
}
