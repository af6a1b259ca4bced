/** The system under faults, in a process of its own: it is killed, now and then in the middle of a call. */
import { appendFileSync } from 'node:fs';
import type { Call, Detour } from '../../local/system.ts';
import { startLocal } from '../../local/system.ts';
import { createRandom } from '../../simulation/random.ts';
import { faultyDetour } from './detour.ts';
import type { Command, Noted, Ready, Wanted } from './messages.ts';

const wanted = JSON.parse(process.argv[2] ?? '{}') as Wanted;
process.env.TZ = 'UTC';
const sweepEveryMs = 5_000;

/** Written at once: it must be there after a kill. */
function note(noted: Noted): void {
  appendFileSync(wanted.notes, `${JSON.stringify(noted)}\n`);
}
const nowMs = (): number => Date.now() + wanted.clockAheadMs;

/** When this process kills itself: so many calls from now, before or after the last of them is done. */
let dying: Extract<Command, { do: 'die' }> | undefined;

/** The inquiry that a mail or a write is about, by its id. */
const inquiryIn = (text: string): string | undefined => /inq_[0-9A-Z]{26}/.exec(text)?.[0];

/** A mail: whom it goes to, its subject, the inquiry that it is about. */
function mailOf(request: Record<string, string>): Extract<Noted, { what: 'mail' }>['mail'] {
  const raw = Buffer.from(request['RawMessage.Data'] ?? '', 'base64').toString('utf8');
  const subject = /^Subject: (.*)$/m.exec(raw)?.[1]?.trim() ?? '';
  const inquiryId = inquiryIn(raw.replace(/=\r?\n/g, '')) ?? inquiryIn(JSON.stringify(request)) ?? '';
  return { to: request['Destinations.member.1'] ?? '', subject, inquiryId };
}

/** The inquiry whose newest mail a write marks as sent. */
function markedIn({ functionName, service, request }: Call): string | undefined {
  if (functionName !== 'notify' || service !== 'dynamodb') return undefined;
  const { Item } = request as { readonly Item?: Record<string, { readonly S?: string }> };
  return Item?.['sk']?.S === 'HEAD' && Item['mailState']?.S === 'sent'
    ? inquiryIn(Item['pk']?.S ?? '')
    : undefined;
}

/** Writes down every mail, and every mark of one as sent, at the engines: whatever the function is told. */
const noting =
  (inner: Detour): Detour =>
  async (call, forward) => {
    if (dying !== undefined) dying = { ...dying, calls: dying.calls - 1 };
    const kills = dying !== undefined && dying.calls <= 0 ? dying : undefined;
    const die = (): void => {
      note({ what: 'fault', kind: kills?.after ? 'crash_after' : 'crash_before', operation: call.operation });
      process.kill(process.pid, 'SIGKILL');
    };
    return await inner(call, async (request) => {
      if (kills && !kills.after) die();
      const mail =
        call.operation === 'SendRawEmail' ? mailOf(call.request as Record<string, string>) : undefined;
      // Before it is sent: a kill right after it must not hide it.
      if (mail) note({ what: 'mail', mail, callId: call.callId, atMs: nowMs() });
      const answer = await forward(request);
      const marked = markedIn(call);
      if (marked && answer.status === 200) note({ what: 'marked', inquiryId: marked });
      if (kills?.after) die();
      return answer;
    });
  };

const faults = faultyDetour({
  random: createRandom(wanted.seed),
  rate: wanted.rate,
  onFault: (kind, { operation }) => note({ what: 'fault', kind, operation }),
});
const system = await startLocal({
  port: 0,
  home: wanted.home,
  synthDir: wanted.synthDir,
  practice: wanted.practice,
  clockAheadMs: wanted.clockAheadMs,
  detour: noting(faults),
});

process.on('message', async (command: Command) => {
  if (command.do === 'die') dying = command;
  else {
    await system.invoke('remind', {}).catch(() => undefined);
    process.send?.({ swept: true });
  }
});
// The schedule sweeps once a minute, which is long in a life this short.
setInterval(() => void system.invoke('remind', {}).catch(() => undefined), sweepEveryMs).unref();
// Whoever started this is gone.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
const { origin, endpoints, tableName, queueUrls, home } = system;
process.send?.({ origin, endpoints, tableName, queueUrls, home } satisfies Ready);
