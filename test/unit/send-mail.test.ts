import { beforeEach, describe, expect, it } from 'vitest';
import { inquiryMail, weeklyReportMail } from '../../functions/notify/mails.ts';
import { sendMail, sendTogether } from '../../functions/notify/send-mail.ts';
import { weeklyReportRow } from '../../shared/data/weekly-reports.ts';
import { changeStage } from '../../shared/domain/inquiry/stage.ts';
import { summarize } from '../../shared/domain/rollup.ts';
import type { Stage } from '../../shared/domain/stages.ts';
import { nextReportAt } from '../../shared/domain/weekly-report.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, enable, hours, minutes, smallPractice } from '../support/fixtures.ts';

let pipeline: ReturnType<typeof createPipeline>;
beforeEach(() => {
  pipeline = createPipeline(createMemoryTable());
});

/** An inquiry whose mail is asked for and not yet sent. */
async function routed(): Promise<string> {
  const id = await pipeline.captured();
  await pipeline.score(id);
  await pipeline.route(id);
  for (const queue of Object.values(pipeline.queues)) queue.take();
  return id;
}
async function setStage(id: string, stage: Stage): Promise<void> {
  const change = changeStage(await pipeline.head(id), stage, 'spam', pipeline.environment.now());
  if (change.outcome !== 'changed') throw new Error(`not to ${stage}`);
  expect(await pipeline.table.write(pipeline.inquiries.save(change.next))).toMatchObject({ committed: true });
}

describe('the mails of a batch', () => {
  const together = (...ids: readonly string[]) =>
    sendTogether(
      pipeline.dependencies,
      ids.map((inquiryId) => ({ kind: 'inquiry' as const, inquiryId, version: 1 })),
    );
  const manyRouted = async (n: number): Promise<string[]> => {
    const ids: string[] = [];
    for (let i = 0; i < n; i++) ids.push(await routed());
    return ids;
  };

  it('are claimed in one transaction, and noted as sent in another', async () => {
    const ids = await manyRouted(3);
    const { transact } = pipeline.table;
    let transactions = 0;
    pipeline.table.transact = async (writes) => {
      transactions++;
      return transact(writes);
    };
    pipeline.table.write = () => Promise.reject(new Error('one by one'));

    expect(await together(...ids)).toEqual(['mailed', 'mailed', 'mailed']);

    expect(transactions).toBe(2);
    expect(pipeline.mailer.sent).toHaveLength(3);
    for (const id of ids) {
      expect(await pipeline.head(id)).toMatchObject({ progress: 'notified', mailState: 'sent' });
    }
  });

  it('are each sent once, of however many batches at once and however often they are in one', async () => {
    const ids = await manyRouted(4);

    const outcomes = await Promise.all([
      together(...ids),
      together(...ids.toReversed(), ...ids),
      ...ids.map((id) => pipeline.notify(id)),
    ]);

    expect(outcomes.flat().filter((outcome) => outcome === 'mailed')).toHaveLength(4);
    expect(pipeline.mailer.sent).toHaveLength(4);
  });

  it('of which some are not due are sent all the same', async () => {
    const ids = await manyRouted(3);
    await pipeline.notify(String(ids[1]));

    expect(await together(...ids)).toEqual(['mailed', 'mail_not_due', 'mailed']);
    expect(pipeline.mailer.sent).toHaveLength(3);
  });

  it('of which one cannot be sent go out but for that one, which comes again', async () => {
    const ids = await manyRouted(3);
    let tried = 0;
    pipeline.mailer.onSend = async () => {
      tried++;
      if (tried === 2) throw new Error('refused');
    };

    expect(await together(...ids)).toEqual(['mailed', expect.any(Error), 'mailed']);

    expect((await pipeline.head(String(ids[1]))).mailState).toBe('sending');
    pipeline.environment.advance(minutes(1.5));
    expect(await together(...ids)).toEqual(['mail_not_due', 'mailed', 'mail_not_due']);
  });

  it('go out at once though the answer to their claims was lost, or the look at what was claimed', async () => {
    const ids = await manyRouted(3);
    const { transact, batchGet } = pipeline.table;
    pipeline.table.transact = async (writes) => {
      await transact(writes);
      pipeline.table.transact = transact;
      throw new Error('timed out');
    };
    expect(await together(...ids)).toEqual(['mailed', 'mailed', 'mailed']);

    const others = await manyRouted(3);
    pipeline.table.batchGet = async () => {
      pipeline.table.batchGet = batchGet;
      throw new Error('throttled');
    };
    expect(await together(...others)).toEqual(['mailed', 'mailed', 'mailed']);
    expect(pipeline.mailer.sent).toHaveLength(6);
  });

  it('that another claimed at another instant are left to them, though the answer was lost', async () => {
    const ids = await manyRouted(2);
    for (const id of ids) await pipeline.inquiries.claimMail(id, pipeline.environment.now(), minutes(1.5));
    pipeline.environment.advance(1);
    pipeline.table.transact = () => Promise.reject(new Error('timed out'));

    expect(await together(...ids)).toEqual(['mail_not_due', 'mail_not_due']);
  });

  it('keep what staff changed of one while they were on their way', async () => {
    const ids = await manyRouted(2);
    let sent = 0;
    pipeline.mailer.onSend = async () => {
      sent++;
      if (sent === 1) await setStage(String(ids[1]), 'contacted');
    };

    expect(await together(...ids)).toEqual(['mailed', 'mailed']);

    expect(await pipeline.head(String(ids[0]))).toMatchObject({ stage: 'new', mailState: 'sent' });
    expect(await pipeline.head(String(ids[1]))).toMatchObject({ stage: 'contacted', mailState: 'sent' });
  });

  it('leave every other kind of message to a look of its own', async () => {
    const [id] = await manyRouted(1);
    const messages = [
      { kind: 'alert' as const, inquiryId: String(id) },
      { kind: 'inquiry' as const, inquiryId: String(id), version: 1 },
    ];

    expect(await sendTogether(pipeline.dependencies, messages)).toEqual([undefined, 'mailed']);
  });
});

describe('the mail of an inquiry', () => {
  it('tells the assignee the tier, the clock and a link, and nothing of the person', async () => {
    const id = await routed();

    expect(await pipeline.notify(id)).toBe('mailed');

    const [sent] = pipeline.mailer.sent;
    expect(sent?.to).toEqual(['ana@bayview.example']);
    expect(sent?.mail.subject).toBe('New inquiry: tier B, call by Fri 20 Nov, 10:00 AM PST');
    expect(sent?.mail.text).toContain(`https://console.example/v1/inquiries/${id}`);
    expect(JSON.stringify(sent)).not.toMatch(/maria|lopez|650|0188|acne/i);
    expect(await pipeline.head(id)).toMatchObject({ progress: 'notified', mailState: 'sent' });
  });

  it('delivered many times at once is sent once', async () => {
    const id = await routed();

    const outcomes = await Promise.all(Array.from({ length: 20 }, () => pipeline.notify(id)));

    expect(outcomes.filter((outcome) => outcome === 'mailed')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['mailed', 'mail_not_due']));
    expect(pipeline.mailer.sent).toHaveLength(1);
  });

  it('of a sender that crashed is sent by another, but not before its lease is over', async () => {
    const id = await routed();
    pipeline.mailer.onSend = async () => {
      throw new Error('crash');
    };
    await expect(pipeline.notify(id)).rejects.toThrow('crash');
    pipeline.mailer.onSend = async () => {};

    pipeline.environment.advance(minutes(1.5) - 1);
    expect(await pipeline.notify(id)).toBe('mail_not_due');
    pipeline.environment.advance(1);
    expect(await pipeline.notify(id)).toBe('mailed');

    expect(pipeline.mailer.sent).toHaveLength(1);
  });

  it('of a sender that crashed comes by the sweep alone', async () => {
    const id = await routed();
    pipeline.mailer.onSend = async () => {
      pipeline.mailer.onSend = async () => {};
      throw new Error('crash');
    };
    await expect(pipeline.notify(id)).rejects.toThrow('crash');

    for (let minute = 0; minute < 3; minute++) {
      pipeline.environment.advance(minutes(1));
      await pipeline.sweep();
      await pipeline.drain();
    }

    expect(pipeline.mailer.sent).toHaveLength(1);
    expect((await pipeline.head(id)).progress).toBe('notified');
  });

  it('keeps what staff changed while it was on its way', async () => {
    const id = await routed();
    pipeline.mailer.onSend = () => setStage(id, 'contacted');

    await pipeline.notify(id);

    expect(await pipeline.head(id)).toMatchObject({
      stage: 'contacted',
      progress: 'notified',
      mailState: 'sent',
      firstContactedAt: '2026-11-20T16:00:00.000Z',
      timers: { followUp: '2026-11-22T16:00:00.000Z' },
      version: 5,
    });
  });

  it('leaves alone an inquiry that was closed while it was on its way', async () => {
    const id = await routed();
    pipeline.mailer.onSend = () => setStage(id, 'closed');

    await pipeline.notify(id);

    expect(await pipeline.head(id)).toMatchObject({ stage: 'closed', version: 4, timers: {} });
    expect(await pipeline.notify(id)).toBe('mail_not_due');
  });

  it('of an inquiry closed before is not sent', async () => {
    const id = await routed();
    await setStage(id, 'closed');

    expect(await pipeline.notify(id)).toBe('mail_not_due');
    expect(pipeline.mailer.sent).toEqual([]);
  });

  it('goes to the managers where the assignee has been disabled since', async () => {
    const id = await routed();
    pipeline.change(enable(false, 'ana'));

    await pipeline.notify(id);

    expect(pipeline.mailer.sent.map(({ to }) => to)).toEqual([['mia@bayview.example']]);
  });

  it('to review a quarantined one goes to the managers, else to the admins, else nowhere', async () => {
    const id = await pipeline.captured({ quarantine: ['honeypot'] });
    const review = async () => {
      pipeline.environment.advance(hours(24));
      await pipeline.sweep();
      pipeline.queues.mail.take();
      return pipeline.notify(id);
    };

    expect(await review()).toBe('mailed');
    pipeline.change(enable(false, 'mia'));
    expect(await review()).toBe('mailed');
    pipeline.change(enable(false, 'ada'));
    expect(await review()).toBe('mail_without_recipient');

    expect(pipeline.mailer.sent.map(({ to }) => to)).toEqual([
      ['mia@bayview.example'],
      ['ada@bayview.example'],
    ]);
    expect(pipeline.mailer.sent[0]?.mail.subject).toBe('Quarantined inquiry to review');
    expect((await pipeline.head(id)).progress).toBe('quarantined');
  });
});

describe('the mails of the ladder', () => {
  const kinds = ['reminder', 'warning', 'escalated', 'woken', 'parked', 'assigned'] as const;

  it.each(kinds)('%s says tier, clock and link, and nothing of the person', async (mailKind) => {
    const id = await pipeline.mailed();
    const head = await pipeline.head(id);
    const hold = { kind: 'parked', reason: 'insurance', owner: 'ben', by: 'ana' } as const;
    const at = pipeline.environment.now().toISOString();
    const aside = mailKind === 'parked' ? { hold: { ...hold, since: at, until: at } } : {};

    const { subject, text } = inquiryMail(
      { ...head, ...aside, mailKind, mailAt: at, reminders: 1, hadBy: ['ben'] },
      smallPractice,
      'https://console.example',
    );

    expect(subject).toMatch(/tier B/);
    expect(text).toContain(`https://console.example/v1/inquiries/${id}`);
    expect(subject + text).not.toMatch(/maria|lopez|650|0188|acne|insurance|\bana\b|\bben\b/i);
  });
});

describe('the mail of an escalation that takes it from whoever has it, once it is out', () => {
  const escalated = async (): Promise<string> => {
    const id = await pipeline.mailed();
    const head = await pipeline.head(id);
    const asks = { mailKind: 'escalated', mailState: 'pending', reassign: true } as const;
    await pipeline.table.write(pipeline.inquiries.save({ ...head, version: head.version + 1, ...asks }));
    return id;
  };

  it.each(['alone', 'in a batch'])('asks routing for somebody else at once: %s', async (how) => {
    const id = await escalated();
    const message = { kind: 'inquiry', inquiryId: id, version: 1 } as const;

    if (how === 'alone') await sendMail(pipeline.dependencies, message);
    else
      await sendTogether(pipeline.dependencies, [
        message,
        { ...message, inquiryId: await pipeline.mailed({ email: 'b@example.com' }) },
      ]);

    const { version } = await pipeline.head(id);
    expect(pipeline.queues.route.take()).toEqual([{ inquiryId: id, version }]);
    await sendMail(pipeline.dependencies, message);
    expect(pipeline.queues.route.take()).toEqual([]);
  });

  it('leaves that to the sweep where the queue cannot be reached', async () => {
    const id = await escalated();
    pipeline.queues.route.broken = true;

    expect(await pipeline.notify(id)).toBe('mailed');

    expect(pipeline.enqueueFailures).toEqual([id]);
    pipeline.queues.route.broken = false;
    pipeline.environment.advance(minutes(1));
    await pipeline.sweep();
    expect(pipeline.queues.route.take()).toMatchObject([{ inquiryId: id }]);
  });

  it('asks for nothing where nobody is to take it', async () => {
    await pipeline.notify(await routed());

    expect(pipeline.queues.route.take()).toEqual([]);
  });
});

describe('the weekly report', () => {
  const locationId = 'main-street';
  beforeEach(async () => {
    const nextAt = nextReportAt(
      pipeline.environment.now(),
      smallPractice.locations[0] ?? { timeZone: 'UTC' },
    );
    await pipeline.table.write({ put: weeklyReportRow({ locationId, version: 0, nextAt }) });
    pipeline.environment.set(nextAt);
    await pipeline.sweep();
  });

  it('goes to the managers once, with the counts of its week, however often it is delivered', async () => {
    const counts = { inquiries: 1, 'source:website': 1 };
    await pipeline.rollups.count(
      [{ inquiryId: 'inq_1', version: 1, locationId, date: '2026-11-22', counts }],
      pipeline.environment.now(),
    );
    const [message] = pipeline.queues.mail.take();
    expect(message).toEqual({ kind: 'weekly_report', locationId, version: 1 });

    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () =>
        sendMail(pipeline.dependencies, { kind: 'weekly_report', locationId, version: 1 }),
      ),
    );

    expect(outcomes.toSorted()).toEqual([...Array.from({ length: 4 }, () => 'mail_not_due'), 'mailed']);
    expect(pipeline.mailer.sent.map(({ to, mail }) => [to, mail.subject])).toEqual([
      [['mia@bayview.example'], 'Week of 2026-11-16, Main Street: 1 inquiries'],
    ]);
    pipeline.environment.advance(hours(24));
    await pipeline.sweep();
    expect(pipeline.queues.mail.sent).toEqual([]);
  });

  it('of a sender that crashed is sent by the sweep', async () => {
    pipeline.mailer.onSend = async () => {
      pipeline.mailer.onSend = async () => {};
      throw new Error('crash');
    };
    await expect(pipeline.drain()).rejects.toThrow('crash');

    for (let minute = 0; minute < 4; minute++) {
      pipeline.environment.advance(minutes(1));
      await pipeline.sweep();
      await pipeline.drain();
    }

    expect(pipeline.mailer.sent).toHaveLength(1);
  });

  it('reads as numbers, largest first', () => {
    const summary = summarize([
      { inquiries: 3, 'source:a': 1, 'source:b': 2, responses: 2, responseMinutes: 9 },
    ]);

    const { text } = weeklyReportMail(smallPractice, locationId, '2026-11-16', summary);

    expect(text).toContain('By source\n  b: 2\n  a: 1\n');
    expect(text).toContain('First response: 2 inquiries, mean 4.5 minutes, 0 in time');
  });
});
