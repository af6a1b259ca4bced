/** Sends staff mails; whatever they are about, they go out by the same rules. */
import type { Environment } from '../../shared/domain/ids.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { Mail } from './mails.ts';
import type { Pace } from './pace.ts';
import type { Mailer } from './ses-mailer.ts';

export interface StaffMailDependencies {
  readonly mailer: Mailer;
  readonly pace: Pace;
  readonly environment: Pick<Environment, 'now'>;
}

export type StaffMailed =
  | 'mailed'
  /** Some of its recipients could not be written to. */
  | 'mailed_in_part'
  | 'mail_without_recipient';

/**
 * Sends a mail to each by itself: an address that is refused must not keep it from the others. It is
 * out once one of them has it.
 *
 * @throws the first of the faults, where nobody could be written to
 */
export async function sendToStaff(
  { mailer, pace, environment }: StaffMailDependencies,
  { messages }: Pick<Practice, 'messages'>,
  to: readonly string[],
  mail: Mail,
): Promise<StaffMailed> {
  if (to.length === 0) return 'mail_without_recipient';
  const sent = await Promise.allSettled(
    to.map((address) => {
      pace.staffMail(environment.now(), messages.sendPerSecond);
      return mailer.send([address], mail);
    }),
  );
  const refused = sent.filter((one) => one.status === 'rejected');
  if (refused.length === sent.length) throw refused[0]?.reason;
  return refused.length > 0 ? 'mailed_in_part' : 'mailed';
}
