import { expect, it } from 'vitest';
import { createPace } from '../../functions/notify/pace.ts';
import { sendToStaff } from '../../functions/notify/send-to-staff.ts';
import { friday, smallPractice } from '../support/fixtures.ts';

const practice = { ...smallPractice, messages: { ...smallPractice.messages, sendPerSecond: 2 } };
const environment = { now: () => friday };
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
