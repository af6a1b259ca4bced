/** Asks for messages to people: the answer to an arrival, and what rules reply or begin afterwards. */
import type { InquiryRecord } from '../../shared/data/inquiries.ts';
import { createMessages } from '../../shared/data/messages.ts';
import type { Write } from '../../shared/data/table.ts';
import { isMinorAt, saidOfAge } from '../../shared/domain/age.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { formConsentsOf } from '../../shared/domain/messages/consent.ts';
import { asksForAnswer, repliesOf, sequencesOf } from '../../shared/domain/messages/greeting.ts';
import { enrolled } from '../../shared/domain/messages/nurture.ts';
import { asked } from '../../shared/domain/messages/record.ts';
import type { Action } from '../../shared/domain/rules/rule.ts';
import type { PersonMessage } from '../../shared/queues/messages.ts';
import type { ScoreDependencies } from './dependencies.ts';

/**
 * The messages that ask for answers to arrivals, of those inquiries that may have one. Asked for on
 * every message until somebody has the inquiry: whoever answers does so once.
 */
export async function answersToAsk(
  { practice }: Pick<ScoreDependencies, 'practice'>,
  arrived: readonly (Pick<InquiryRecord, 'head' | 'body'> & { readonly actions: readonly Action[] })[],
): Promise<PersonMessage[]> {
  const { messages } = await practice();
  return arrived
    .filter(
      ({ body, actions }) =>
        body &&
        asksForAnswer(
          { messages },
          {
            channel: body.channel,
            agreed: formConsentsOf(body.fields, false).length > 0,
            known: body.returning === true || body.writerId !== undefined,
            actions,
            isMinor: isMinorAt(saidOfAge(body.fields, body.receivedAt), body.receivedAt),
          },
        ),
    )
    .map(({ head }) => ({ kind: 'acknowledgement', inquiryId: head.id }));
}

/** What rules reply and begin after an arrival: its writes, and the messages to send once they are committed. */
export async function messagesOfRules(
  { table }: Pick<ScoreDependencies, 'table'>,
  { id: inquiryId, contactId }: Inquiry,
  actions: readonly Action[],
  { by, now }: { readonly by: string; readonly now: Date },
): Promise<{ readonly writes: readonly Write[]; readonly asked: readonly PersonMessage[] }> {
  const [templates, sequences] = [repliesOf(actions), sequencesOf(actions)];
  if (templates.length === 0 && sequences.length === 0) return { writes: [], asked: [] };
  const messages = createMessages(table);
  // Each reply and each sequence once for an inquiry: what is there already stays.
  const [records, enrolments] = await Promise.all([
    messages.ofInquiry(inquiryId),
    messages.enrolmentsOf(inquiryId),
  ]);
  const replies = templates
    .map((templateId) =>
      asked({ inquiryId, contactId, key: `reply-${templateId}`, kind: 'reply', templateId, by }, now),
    )
    .filter(({ key }) => !records.some((record) => record.key === key));
  const begun = sequences
    .filter((sequence) => !enrolments.some((enrolment) => enrolment.sequence === sequence))
    .flatMap((sequence) => enrolled({ inquiryId, contactId, sequence, by }, now) ?? []);
  return {
    writes: [...replies.map(messages.ask), ...begun.map(messages.enrol)],
    asked: replies.map(({ key }) => ({ kind: 'message', inquiryId, key })),
  };
}
