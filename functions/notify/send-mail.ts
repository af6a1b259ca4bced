/**
 * Sends staff mails. Whoever claims one sends it; a claim that was never
 * finished, by a crash, may be taken over once its lease is over, so that a mail
 * goes out at least once, and once more per crash at the most.
 */
import { writeTogether } from '../../shared/data/write-together.ts';
import {
  type Alert,
  alertedInstead,
  alertedMembers,
  alertLeaseMs,
  alertSent,
} from '../../shared/domain/alert.ts';
import { mailSent } from '../../shared/domain/inquiry/mail.ts';
import { type Inquiry, mailLeaseMs } from '../../shared/domain/inquiry/state.ts';
import { listeningFor } from '../../shared/domain/listening.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { MailMessage, Queue, RouteMessage } from '../../shared/queues/messages.ts';
import { alertMail, inquiryMail } from './mails.ts';
import { type PersonDependencies, sendToPerson, type ToldPerson } from './person-mails.ts';
import { managers } from './recipients.ts';
import {
  handTasksOver,
  type OwnMailDependencies,
  sendDigest,
  sendNotice,
  sendTaskMail,
  sendWeeklyReport,
} from './send-own-mail.ts';
import { type StaffMailed, sendToStaff } from './send-to-staff.ts';

export interface NotifyDependencies extends PersonDependencies, OwnMailDependencies {
  readonly routeQueue: Queue<RouteMessage>;
  /** Called where routing could not be asked about what was noted; the sweep will. */
  readonly onEnqueueFailure: (inquiryId: string, error: unknown) => void;
}

export type Notified = ToldPerson | StaffMailed | 'mail_not_due';

/**
 * Who is told: the assignee, or whoever sees to what is parked; the managers, too,
 * where it was escalated, and in their place where nobody has it yet or they are no
 * longer here.
 */
function recipients(inquiry: Inquiry, practice: Practice): string[] {
  const { mailKind, hold, assignedTo } = inquiry;
  const whose = mailKind === 'parked' && hold?.kind === 'parked' ? hold.owner : assignedTo;
  const theirs = practice.members.find((member) => member.id === whose);
  if (!theirs?.enabled || mailKind === 'review') return managers(practice);
  return mailKind === 'escalated' ? [...new Set([theirs.email, ...managers(practice)])] : [theirs.email];
}

/** A mail that is out, and the claim it went out by. */
interface Sent {
  readonly claimed: Inquiry;
  readonly told: StaffMailed;
}

/** Claims the mail of an inquiry; undefined where it is not due, or another sends it. */
const claim = ({ inquiries, environment }: NotifyDependencies, id: string): Promise<Inquiry | undefined> =>
  inquiries.claimMail(id, environment.now(), mailLeaseMs);

/** Sends the mail of an inquiry that is claimed. */
async function send(dependencies: NotifyDependencies, claimed: Inquiry): Promise<Sent> {
  const practice = await dependencies.practice();
  // Before the mail, whose claim comes again where this fails.
  if (claimed.mailKind === 'assigned') await handTasksOver(dependencies, claimed);
  const to = recipients(claimed, practice);
  const mail = inquiryMail(claimed, practice, dependencies.consoleUrl);
  return { claimed, told: await sendToStaff(dependencies, practice, to, mail) };
}

/**
 * Notes of a mail that it is out: whatever was changed meanwhile is kept, and this is added to it. Of an
 * escalation routing waited for that: it is asked for somebody else at once.
 */
async function noteSent(
  { table, inquiries, environment, routeQueue, onEnqueueFailure, ...dependencies }: NotifyDependencies,
  claimed: Inquiry,
): Promise<void> {
  const { id: inquiryId } = claimed;
  const practice = await dependencies.practice();
  let current: Inquiry | undefined = claimed;
  while (current?.mailState === 'sending' && current.mailAt === claimed.mailAt) {
    const now = environment.now();
    const next = mailSent(current, now, listeningFor(practice, current, now));
    const written = await table.write(inquiries.save(next));
    if (written.committed) {
      if (next.reassign)
        await routeQueue
          .send({ inquiryId, version: next.version })
          .catch((error: unknown) => onEnqueueFailure(inquiryId, error));
      return;
    }
    current = await inquiries.findHead(inquiryId);
  }
}

async function sendInquiryMail(dependencies: NotifyDependencies, inquiryId: string): Promise<Notified> {
  const claimed = await claim(dependencies, inquiryId);
  if (!claimed) return 'mail_not_due';
  const { told } = await send(dependencies, claimed);
  await noteSent(dependencies, claimed);
  return told;
}

/**
 * Claims in one transaction, or each by itself where that is refused. Where its answer was lost, what it
 * claimed is told by the instant of the claim: else a lease would hold up every mail of the batch.
 */
async function claimAll(
  dependencies: NotifyDependencies,
  ids: readonly string[],
): Promise<Map<string, Promise<Inquiry | undefined>>> {
  const { inquiries, environment } = dependencies;
  const now = environment.now();
  let isUnknown = false;
  const together =
    ids.length > 1 &&
    (await inquiries.claimMails(ids, now, mailLeaseMs).catch(() => {
      isUnknown = true;
      return undefined;
    }));
  const byItself = async (id: string): Promise<Inquiry | undefined> => {
    const claimed = await claim(dependencies, id);
    if (claimed || !isUnknown) return claimed;
    const head = await inquiries.findHead(id);
    return head?.mailState === 'sending' && head.mailAt === now.toISOString() ? head : undefined;
  };
  return new Map(
    ids.map((id) => [id, together ? Promise.resolve(together.find((one) => one.id === id)) : byItself(id)]),
  );
}

/**
 * Sends the mails of the inquiries that several messages ask for: claimed in one transaction, and in
 * one noted as sent. Gives what became of each, by position: an error where it has to come again, and
 * undefined for every other kind of message.
 */
export async function sendTogether(
  dependencies: NotifyDependencies,
  messages: readonly MailMessage[],
): Promise<(Notified | Error | undefined)[]> {
  const ids = messages.map((message) => (message.kind === 'inquiry' ? message.inquiryId : undefined));
  const claims = await claimAll(dependencies, [...new Set(ids.filter((id) => id !== undefined))]);
  const outcomes = new Map<string, Notified | Error>();
  const sent: Sent[] = [];
  await Promise.all(
    [...claims].map(async ([id, claiming]) => {
      try {
        const claimed = await claiming;
        if (claimed) sent.push(await send(dependencies, claimed));
        else outcomes.set(id, 'mail_not_due');
      } catch (error) {
        outcomes.set(id, asError(error));
      }
    }),
  );
  const noted = await writeTogether(
    dependencies.table,
    sent.map(
      ({ claimed }) =>
        (table) =>
          noteSent({ ...dependencies, table }, claimed),
    ),
  );
  for (const [i, { claimed, told }] of sent.entries()) {
    const note = noted[i];
    outcomes.set(claimed.id, note?.status === 'rejected' ? asError(note.reason) : told);
  }
  // The second message about one inquiry finds its mail taken.
  const answered = new Set<string>();
  return ids.map((id) => {
    if (id === undefined) return undefined;
    if (answered.has(id)) return 'mail_not_due';
    answered.add(id);
    return outcomes.get(id);
  });
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(typeof thrown));

/**
 * Sends the alert of a red flag. Where there is nobody to send it to, it stays due.
 *
 * @throws the first of the faults, where nobody could be written to
 */
async function sendAlert(dependencies: NotifyDependencies, inquiryId: string): Promise<Notified> {
  const { table, inquiries, environment, consoleUrl } = dependencies;
  const practice = await dependencies.practice();
  const claimed = await inquiries.claimAlert(inquiryId, environment.now(), alertLeaseMs);
  if (!claimed) return 'mail_not_due';
  const lead = alertedMembers(practice);
  const members =
    lead.length > 0 ? lead : alertedInstead(practice, (await inquiries.findHead(inquiryId))?.assignedTo);
  const to = [...new Set(members.map(({ email }) => email))];
  // The sweep asks again once the claim's lease is over: by then somebody may be enabled.
  if (to.length === 0) return 'mail_without_recipient';
  const told = await sendToStaff(dependencies, practice, to, alertMail(inquiryId, practice, consoleUrl));

  let current: Alert | undefined = claimed;
  // The mail is out, whatever time the sweep has set meanwhile to ask for it again.
  while (current?.state === 'sending' && current.stateAt === claimed.stateAt) {
    const written = await table.write(inquiries.saveAlert(alertSent(current, environment.now())));
    if (written.committed) break;
    current = await inquiries.findAlert(inquiryId);
  }
  return told;
}

export function sendMail(dependencies: NotifyDependencies, message: MailMessage): Promise<Notified> {
  switch (message.kind) {
    case 'inquiry':
      return sendInquiryMail(dependencies, message.inquiryId);
    case 'alert':
      return sendAlert(dependencies, message.inquiryId);
    case 'acknowledgement':
    case 'message':
    case 'nurture':
      return sendToPerson(dependencies, message);
    case 'weekly_report':
      return sendWeeklyReport(dependencies, message.locationId);
    case 'task':
      return sendTaskMail(dependencies, message.contactId, message.taskId);
    case 'notice':
      return sendNotice(dependencies, message.inquiryId, message.noticeId);
    case 'digest':
      return sendDigest(dependencies, message.memberId);
  }
}
