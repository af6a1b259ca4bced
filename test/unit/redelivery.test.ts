/** Whatever is delivered twice, late, out of order or never: each thing is done once, and nothing is left undone. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sendMail } from '../../functions/notify/send-mail.ts';
import { handleMessage } from '../../functions/route/handle-message.ts';
import { scoreInquiry } from '../../functions/score/score-inquiry.ts';
import { changeStage } from '../../shared/domain/inquiry/stage.ts';
import { isOpen } from '../../shared/domain/inquiry/state.ts';
import { withTrigger } from '../../shared/domain/inquiry/triggers.ts';
import { listeningFor } from '../../shared/domain/listening.ts';
import { ruleSchema } from '../../shared/domain/schema/rule.ts';
import type { Stage } from '../../shared/domain/stages.ts';
import type { MailMessage, RouteMessage, StepMessage } from '../../shared/queues/messages.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, digest, hours, minutes } from '../support/fixtures.ts';

const rules = [
  {
    id: 'arrived',
    actions: [
      { do: 'tag', tag: 'arrived' },
      { do: 'respond_within', minutes: 30 },
    ],
  },
  { id: 'moved', on: ['stage_change'], actions: [{ do: 'tag', tag: 'moved' }] },
  {
    id: 'called',
    on: ['disposition'],
    actions: [{ do: 'lower_tier' }, { do: 'set_stage', stage: 'consult' }],
  },
  { id: 'quiet', on: ['silence'], silentHours: 2, actions: [{ do: 'tag', tag: 'quiet' }] },
].map((rule) => ruleSchema.parse({ name: rule.id, ...rule }));

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ what: fc.constant('deliver' as const), from: fc.nat(), keep: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('lose' as const), from: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('sweep' as const), minutes: fc.constantFrom(0, 1, 5, 200) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('call' as const, 'phone' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('stage' as const),
      to: fc.constantFrom<Stage>('contacted', 'booked', 'closed'),
    }),
  },
);

type Message =
  | { readonly queue: 'score'; readonly message: StepMessage }
  | { readonly queue: 'route'; readonly message: RouteMessage }
  | { readonly queue: 'mail'; readonly message: MailMessage };

it('brings an inquiry, its rules and its alert to their end, each once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(step, { maxLength: 40 }), async (flagged, steps) => {
      const table = createMemoryTable();
      const pipeline = createPipeline(table);
      pipeline.change((practice) => {
        practice.rules = rules;
      });
      const { inquiries, contacts, environment, dependencies, queues } = pipeline;
      const fields = { name: 'Maria Lopez', email: 'maria@example.com' };
      const id = await pipeline.captured({ phone: undefined, fields });
      const { contactId } = await pipeline.head(id);
      if (flagged) await table.write(inquiries.raiseAlert(id, contactId, ['stroke'], environment.now()));

      /** Messages on their way, in no order. */
      const underWay: Message[] = [];
      const collect = (): void => {
        underWay.push(...queues.score.take().map((message) => ({ queue: 'score' as const, message })));
        underWay.push(...queues.route.take().map((message) => ({ queue: 'route' as const, message })));
        underWay.push(...queues.mail.take().map((message) => ({ queue: 'mail' as const, message })));
      };
      const work = (one: Message): Promise<string> => {
        if (one.queue === 'score') return scoreInquiry(dependencies, one.message);
        if (one.queue === 'route') return handleMessage(dependencies, one.message);
        return sendMail(dependencies, one.message);
      };
      const asked = { stage_change: 0, disposition: 0 };

      const happen = async (one: (typeof steps)[number]): Promise<void> => {
        const head = await pipeline.head(id);
        const now = environment.now();
        if (one.what === 'deliver' || one.what === 'lose') {
          const at = one.from % Math.max(1, underWay.length);
          const message = underWay[at];
          if (!message) return;
          if (one.what === 'lose' || !one.keep) underWay.splice(at, 1);
          if (one.what === 'deliver') await work(message);
        } else if (one.what === 'sweep') {
          environment.advance(minutes(one.minutes));
          await pipeline.sweep();
        } else if (one.what === 'call') {
          const listening = listeningFor(pipeline.state.practice, head, now, 'disposition');
          const raised = { ...head, version: head.version + 1 };
          const called = { kind: 'disposition', disposition: 'voicemail' } as const;
          await table.write(inquiries.save(withTrigger(raised, called, now, listening)));
          asked.disposition++;
        } else if (one.what === 'phone') {
          const value = '+16505550199';
          const point = { kind: 'phone' as const, value, digest: digest('phone', value) };
          await table.write(contacts.addPoint(contactId, point, now));
          await queues.score.send({ inquiryId: id, version: head.version });
        } else if ('to' in one) {
          const listening = listeningFor(pipeline.state.practice, head, now, 'stage_change');
          const change = changeStage(head, one.to, one.to === 'closed' ? 'spam' : undefined, now, listening);
          if (change.outcome !== 'changed') return;
          await table.write(inquiries.save(change.next));
          asked.stage_change++;
        }
        collect();
      };
      collect();
      for (const one of steps) {
        await happen(one);
        const row = table.rows().find(({ pk, sk }) => pk === `INQ#${id}` && sk === 'HEAD');
        const head = await pipeline.head(id);
        expect(row?.['dueSk'] !== undefined).toBe(isOpen(head) || head.trigger !== undefined);
      }

      // From here on nothing is lost: the sweep makes up for all that was.
      for (let round = 0; round < 8; round++) {
        environment.advance(hours(1));
        await pipeline.sweep();
        collect();
        while (underWay.length > 0) {
          const [message] = underWay.splice(0, 1);
          if (message) await work(message);
          collect();
        }
      }

      const record = await inquiries.find(id);
      const head = record?.head;
      expect(head?.trigger).toBeUndefined();
      // What was booked before its mail went out has its member, and no mail any more.
      if (head && isOpen(head)) expect(['routed', 'notified']).toContain(head.progress);
      // What was asked for again and again and never reached anybody is given up, and the timeline says so.
      const isGivenUp = table.rows().some(({ kind }) => kind === 'mail_failed');
      expect(['sent', undefined, ...(isGivenUp ? ['failed'] : [])]).toContain(head?.mailState);
      const applied = table.rows().filter(({ kind }) => kind === 'rules_applied');
      const of = (trigger: string) =>
        applied.filter(({ details }) => (details as { trigger: string }).trigger === trigger).length;
      expect({ stage_change: of('stage_change'), disposition: of('disposition') }).toEqual({
        stage_change: Math.min(asked.stage_change, of('stage_change')),
        disposition: Math.min(asked.disposition, of('disposition')),
      });
      // More than six at once are never kept; fewer are all looked at.
      if (asked.stage_change + asked.disposition <= 6) {
        expect([of('stage_change'), of('disposition')]).toEqual([asked.stage_change, asked.disposition]);
      }
      expect(record?.scores).toBeLessThanOrEqual(2);
      expect(record?.alert?.state).toBe(flagged ? 'sent' : undefined);
      const subjects = pipeline.mailer.sent.map(({ mail }) => mail.subject);
      expect(subjects.filter((subject) => subject.includes('human now'))).toHaveLength(flagged ? 1 : 0);
      expect(subjects.filter((subject) => subject.startsWith('New inquiry')).length).toBeLessThanOrEqual(1);
      const tags = (await contacts.find(contactId))?.tags ?? [];
      expect(new Set(tags).size).toBe(tags.length);
    }),
    { numRuns: 150 },
  );
});
