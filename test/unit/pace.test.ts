import { describe, expect, it } from 'vitest';
import { createPace } from '../../functions/notify/pace.ts';
import { sendToStaff } from '../../functions/notify/send-to-staff.ts';
import { friday, smallPractice } from '../support/fixtures.ts';

const practice = { ...smallPractice, messages: { ...smallPractice.messages, sendPerSecond: 2 } };
const environment = { now: () => friday, backOff: async () => {} };
const mail = { subject: 'S', text: 'T' };

it('messages to people wait for each other, and behind staff mails, which wait for nobody', async () => {
  const pace = createPace(1);
  const sent: string[] = [];
  const mailer = { send: async (to: readonly string[]) => void sent.push(...to) };
  expect(pace.turn(friday, 2, 10_000)).toBe(0);
  expect(pace.turn(friday, 2, 10_000)).toBe(500);

  await sendToStaff({ mailer, pace, environment }, practice, ['a@x.example', 'b@x.example'], mail);

  expect(sent).toEqual(['a@x.example', 'b@x.example']);
  expect(pace.turn(friday, 2, 10_000)).toBe(2_000);
  expect(pace.turn(friday, 2, 1_000)).toBeUndefined();
});

it('an address that is refused keeps no mail from the others', async () => {
  const sent: string[] = [];
  const mailer = {
    async send([to = '']: readonly string[]) {
      if (to === 'a@x.example') throw new Error('refused');
      sent.push(to);
    },
  };
  const send = (to: readonly string[]) =>
    sendToStaff({ mailer, pace: createPace(1), environment }, practice, to, mail);

  expect(await send(['a@x.example', 'b@x.example'])).toBe('mailed_in_part');
  expect(sent).toEqual(['b@x.example']);
  expect(await send([])).toBe('mail_without_recipient');
  await expect(send(['a@x.example'])).rejects.toThrow('refused');
});

describe('a mail that one address got, and another did not in passing', () => {
  const named = (name: string) => Object.assign(new Error(name), { name });
  /** Sends to two, the second of whom the service fails by each of the faults in turn. */
  async function send(faults: readonly Error[], takesMs = 0) {
    let at = friday.getTime();
    const left = [...faults];
    const tried: string[] = [];
    const pauses: number[] = [];
    const mailer = {
      async send([to = '']: readonly string[]) {
        tried.push(to);
        if (to !== 'b@x.example') return;
        at += takesMs;
        const fault = left.shift();
        if (fault) throw fault;
      },
    };
    const environment = {
      now: () => new Date(at),
      backOff: async (mostMs: number) => void pauses.push(mostMs),
    };
    const to = ['a@x.example', 'b@x.example'];
    const told = await sendToStaff({ mailer, pace: createPace(1), environment }, practice, to, mail);
    expect(tried.filter((address) => address === 'a@x.example')).toHaveLength(1);
    return { told, tries: tried.length - 1, pauses };
  }

  it.each([
    named('Throttling'),
    named('ThrottlingException'),
    named('TimeoutError'),
    Object.assign(named('InternalFailure'), { $fault: 'server' }),
    Object.assign(named('Error'), { syscall: 'connect' }),
  ])('goes to that one after a pause, and to nobody twice ($name)', async (fault) => {
    expect(await send([fault, fault])).toEqual({ told: 'mailed', tries: 3, pauses: [1_000, 2_000] });
  });

  it('is given up after some tries, or where they take long', async () => {
    const faults = Array.from({ length: 9 }, () => named('ThrottlingException'));

    expect(await send(faults)).toMatchObject({ told: 'mailed_in_part', tries: 4 });
    expect(await send(faults, 16_000)).toMatchObject({ told: 'mailed_in_part', tries: 1 });
  });

  it('is given up at once where the address is refused', async () => {
    const rejected = Object.assign(named('MessageRejected'), { $fault: 'client' });

    expect(await send([rejected])).toMatchObject({ told: 'mailed_in_part', tries: 1 });
    expect(await send([named('Throttling'), rejected])).toMatchObject({ told: 'mailed_in_part', tries: 2 });
  });
});
