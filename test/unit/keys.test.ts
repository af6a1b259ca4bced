import { describe, expect, it } from 'vitest';
import * as keys from '../../shared/data/keys.ts';

const pinned: readonly (readonly [made: unknown, expected: unknown])[] = [
  [keys.inquiryHead('inq_1'), { pk: 'INQ#inq_1', sk: 'HEAD' }],
  [keys.inquiryBody('inq_1'), { pk: 'INQ#inq_1', sk: 'BODY' }],
  [keys.inquiryScore('inq_1', 1), { pk: 'INQ#inq_1', sk: 'SCORE#0001' }],
  [keys.inquiryCounted('inq_1'), { pk: 'INQ#inq_1', sk: '~COUNTED' }],
  [keys.contactProfile('con_1'), { pk: 'CON#con_1', sk: 'PROFILE' }],
  [keys.contactEntry('con_1', 'ent_1'), { pk: 'CON#con_1', sk: 'ENTRY#ent_1' }],
  [keys.inquiryMessage('inq_1', 'acknowledgement'), { pk: 'INQ#inq_1', sk: '~MESSAGE#acknowledgement' }],
  [keys.inquiryNurture('inq_1', 'not-reached'), { pk: 'INQ#inq_1', sk: '~NURTURE#not-reached' }],
  [keys.contactConsent('con_1', 'inquiry'), { pk: 'CON#con_1', sk: 'CONSENT#EMAIL#inquiry' }],
  [keys.contactSequence('con_1', 'not-reached'), { pk: 'CON#con_1', sk: 'SEQUENCE#not-reached' }],
  [keys.mailbox('1.abc'), { pk: 'MAILBOX#1.abc', sk: 'STATE' }],
  [keys.configuration.messages, { pk: 'CONFIG', sk: 'MESSAGES' }],
  [keys.contactPoint('1.abc', '1.def'), { pk: 'PT#1.abc', sk: 'NAME#1.def' }],
  [keys.contactPoint('1.abc', keys.namelessDigest), { pk: 'PT#1.abc', sk: 'NAME#-' }],
  [keys.idempotency('1.abc'), { pk: 'IDEM#1.abc', sk: 'IDEM' }],
  [keys.configuration.version, { pk: 'CONFIG', sk: 'VERSION' }],
  [keys.configuration.practice, { pk: 'CONFIG', sk: 'PRACTICE' }],
  [keys.configuration.scoring, { pk: 'CONFIG', sk: 'SCORING' }],
  [keys.configuration.urgency, { pk: 'CONFIG', sk: 'URGENCY' }],
  [keys.configuration.redFlags, { pk: 'CONFIG', sk: 'RED_FLAGS' }],
  [keys.configuration.escalation, { pk: 'CONFIG', sk: 'ESCALATION' }],
  [keys.configuration.followUp, { pk: 'CONFIG', sk: 'FOLLOW_UP' }],
  [keys.configuration.digest, { pk: 'CONFIG', sk: 'DIGEST' }],
  [keys.configuration.rules, { pk: 'CONFIG', sk: 'RULES' }],
  [keys.configuration.entity('members', 'ana'), { pk: 'CONFIG', sk: 'MEMBERS#ana' }],
  [keys.publishedRules(12), { pk: 'RULES', sk: 'V#00000012' }],
  [keys.draftRules, { pk: 'RULES', sk: 'DRAFT' }],
  [keys.poolRotation('skin'), { pk: 'ROUTING', sk: 'POOL#skin' }],
  [keys.memberLoad('ana'), { pk: 'ROUTING', sk: 'MEMBER#ana' }],
  [keys.rollup('main-street', '2026-11-20'), { pk: 'ROLLUP#main-street', sk: 'DAY#2026-11-20' }],
  [keys.weeklyReport('main-street'), { pk: 'REPORT#main-street', sk: 'WEEKLY' }],
  [keys.contactTask('con_1', 'tsk_1'), { pk: 'CON#con_1', sk: 'TASK#tsk_1' }],
  [keys.contactAppointment('con_1', 'apt_1'), { pk: 'CON#con_1', sk: 'APPOINTMENT#apt_1' }],
  [keys.inquiryNotice('inq_1', 'ent_1'), { pk: 'INQ#inq_1', sk: '~NOTICE#ent_1' }],
  [keys.followAgain('0b5c'), { pk: 'AGAIN#0b5c', sk: 'PEOPLE' }],
  [keys.failureNote('0b5c'), { pk: 'FAILED#0b5c', sk: 'NOTE' }],
  [keys.dailyDigest('ana'), { pk: 'DIGEST#ana', sk: 'DAILY' }],
  [keys.queueOfTasks('ana'), 'TASKS#ana'],
  [keys.queueOfTasks(undefined), 'TASKS#-'],
  [keys.queueOfAppointments('main-street'), 'APPOINTMENTS#main-street'],
  [
    keys.auditEntry('2026-11-20T16:00:00.000Z', 'ent_1'),
    { pk: 'AUDIT#2026-11-20', sk: '2026-11-20T16:00:00.000Z#ent_1' },
  ],
  [keys.duePk(3), 'DUE#3'],
  [keys.byTime('2026-11-20T16:00:00.000Z', 'inq_1'), '2026-11-20T16:00:00.000Z#inq_1'],
  [keys.queueOfMember('ana'), 'MEMBER#ana'],
  [keys.queueOfPool('skin'), 'POOL#skin'],
  [keys.boardOfStage('new'), 'STAGE#new'],
  [keys.timelineOf('con_1'), 'TIMELINE#con_1'],
  [keys.dueShardCount, 4],
];

describe('keys', () => {
  it.each(pinned)('%j stay as they are', (made, expected) => {
    expect(made).toEqual(expected);
  });

  it('put an inquiry in the order in which a step reads it', () => {
    const { body, head, score, scoresEnd, counted } = keys.inquirySk;
    const order = [body, head, score(1), score(12), score(9_999), scoresEnd, counted];

    expect(order.toSorted()).toEqual(order);
  });

  it('find everything due by a moment, and nothing after it', () => {
    const until = keys.dueUntil('2026-11-20T16:00:00.000Z');

    expect(keys.byTime('2026-11-20T16:00:00.000Z', 'inq_Z') <= until).toBe(true);
    expect(keys.byTime('2026-11-20T16:00:00.001Z', 'inq_0') <= until).toBe(false);
  });

  it('spread over the shards of the due index, each at its fixed one', () => {
    const shards = Array.from({ length: 4_000 }, (_, i) =>
      keys.dueShardOf(keys.inquiryPk(`inq_01K${String(i * 7_919).padStart(23, '0')}`)),
    );

    for (let shard = 0; shard < keys.dueShardCount; shard++) {
      const n = shards.filter((other) => other === shard).length;
      expect(n).toBeGreaterThan(800);
      expect(n).toBeLessThan(1_200);
    }
    expect(['INQ#a', 'INQ#b', 'INQ#c', 'REPORT#x'].map(keys.dueShardOf)).toEqual([2, 3, 0, 1]);
  });
});
