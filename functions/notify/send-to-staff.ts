/** Sends staff mails; whatever they are about, they go out by the same rules. */
import type { Environment } from '../../shared/domain/ids.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { Mail } from './mails.ts';
import type { Pace } from './pace.ts';
import type { Mailer } from './ses-mailer.ts';

export interface StaffMailDependencies {
  readonly mailer: Mailer;
  readonly pace: Pace;
  readonly environment: Pick<Environment, 'now' | 'backOff'>;
}

export type StaffMailed =
  | 'mailed'
  /** Some of its recipients could not be written to. */
  | 'mailed_in_part'
  | 'mail_without_recipient';

/** Names of faults that say nothing about the mail: SES is asked too fast, or does not answer. */
const passing: ReadonlySet<string> = new Set([
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TimeoutError',
]);

/** Whether the same mail may well go out a moment later; else SES refuses it, or its address. */
const isPassing = (error: unknown): boolean =>
  error instanceof Error &&
  (passing.has(error.name) ||
    ('$fault' in error && error.$fault === 'server') ||
    // Of the network: there was nobody to answer.
    'syscall' in error);

/** In the pauses between them a rate of mails per second has room again. */
const mostAttempts = 4;
const pauseMs = 1_000;
/** No try begins later: together with a last one that is not answered, well within the function's time. */
const tryingMs = 5_000;

/**
 * Sends a mail to each by itself: an address that is refused must not keep it from the others. It is
 * out once one of them has it; whom it failed to reach in passing is tried again then, since nobody
 * would ask for it once more.
 *
 * @throws the first of the faults, where nobody could be written to
 */
export async function sendToStaff(
  dependencies: StaffMailDependencies,
  practice: Pick<Practice, 'messages'>,
  to: readonly string[],
  mail: Mail,
): Promise<StaffMailed> {
  if (to.length === 0) return 'mail_without_recipient';
  const { environment } = dependencies;
  const untilMs = environment.now().getTime() + tryingMs;
  let failed = await sendToEach(dependencies, practice, to, mail);
  if (failed.length === to.length) throw failed[0]?.reason;
  for (let attempt = 1; attempt < mostAttempts; attempt++) {
    const again = failed.filter(({ reason }) => isPassing(reason)).map(({ address }) => address);
    if (again.length === 0) break;
    await environment.backOff(pauseMs * attempt);
    if (environment.now().getTime() > untilMs) break;
    const refused = failed.filter(({ address }) => !again.includes(address));
    failed = [...refused, ...(await sendToEach(dependencies, practice, again, mail))];
  }
  return failed.length > 0 ? 'mailed_in_part' : 'mailed';
}

interface Failed {
  readonly address: string;
  readonly reason: unknown;
}

/** Gives those who could not be written to. */
async function sendToEach(
  { mailer, pace, environment }: StaffMailDependencies,
  { messages }: Pick<Practice, 'messages'>,
  to: readonly string[],
  mail: Mail,
): Promise<Failed[]> {
  const failed = await Promise.all(
    to.map(async (address): Promise<Failed[]> => {
      try {
        pace.staffMail(environment.now(), messages.sendPerSecond);
        await mailer.send([address], mail);
        return [];
      } catch (reason) {
        return [{ address, reason }];
      }
    }),
  );
  return failed.flat();
}
