/** Rows that come back into a table that a running system sweeps meanwhile. */
import { expect, it } from 'vitest';
import { takeFeedback } from '../../functions/feedback/take-feedback.ts';
import { putBack } from '../../ops/rows.ts';
import { asBefore } from '../../shared/data/restored.ts';
import type { Row } from '../../shared/data/table.ts';
import { enrolled } from '../../shared/domain/messages/nurture.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, hours, smallPractice } from '../support/fixtures.ts';

const practice: Practice = {
  ...smallPractice,
  messages: {
    ...smallPractice.messages,
    postalAddress: '1 Bayview Ave, Mountain View, CA 94040',
    phone: '(650) 555-0100',
    acknowledgement: { open: 'acknowledgement-open', closed: 'after-hours' },
  },
};
const isMailbox = ({ pk }: Row): boolean => pk.startsWith('MAILBOX#');

/** A table in which a step of a sequence waits, and a mailbox that is suppressed. */
async function rowsOfBefore(): Promise<Row[]> {
  const table = createMemoryTable();
  const pipeline = createPipeline(table, practice);
  const inquiryId = await pipeline.mailed({
    fields: { name: 'Maria Lopez', email: 'maria@example.com', consentEmail: true, language: 'es' },
  });
  const { contactId } = await pipeline.head(inquiryId);
  const by = 'rule:r';
  const enrolment = enrolled(
    { inquiryId, contactId, sequence: 'still-deciding', by },
    pipeline.environment.now(),
  );
  if (!enrolment) throw new Error('not enrolled');
  await table.write(pipeline.messages.enrol(enrolment));
  await takeFeedback(pipeline.dependencies, {
    eventType: 'Bounce',
    mail: { tags: { inquiry: [inquiryId], contact: [contactId], message: ['acknowledgement'] } },
    bounce: { bounceType: 'Permanent', bouncedRecipients: [{ emailAddress: 'maria@example.com' }] },
  });
  return table.rows();
}

it('nothing is asked for before all is there that is not due: who wants no mail gets none', async () => {
  const rows = await rowsOfBefore();
  const mailboxes = rows.filter(isMailbox);
  expect(mailboxes).toMatchObject([{ suppressed: {} }]);
  const table = createMemoryTable();
  const pipeline = createPipeline(table, practice);
  // The step became due while the table was away.
  pipeline.environment.advance(hours(52));
  const progress: number[] = [];
  async function* read(): AsyncGenerator<Row[]> {
    for (const page of [rows.filter((row) => !isMailbox(row)), mailboxes]) {
      yield page;
      // The system's own sweep, which runs meanwhile.
      await pipeline.sweep();
      await pipeline.drain();
    }
  }

  const done = await putBack({ table }, read, pipeline.environment.now(), (n) => void progress.push(n));

  expect(done).toEqual({ put: rows.length, there: 0 });
  expect(progress.at(-1)).toBe(rows.length);
  expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  expect(pipeline.personMailer.sent).toEqual([]);
  expect(table.rows().filter(isMailbox).map(asBefore)).toEqual(mailboxes);
  const asked = table.rows().find(({ sk }) => sk.startsWith('~MESSAGE#nurture'));
  expect(asked).toMatchObject({ state: 'refused', refused: 'suppressed' });
});
