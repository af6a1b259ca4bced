/**
 * Every key string of the table, made by pure functions. Keys carry ids, dates
 * and digests, never a name, an address or a number: key values reach
 * CloudTrail's data events. The strings are pinned by tests.
 */
import { placeOf } from '../domain/place.ts';

/** Primary key of one item. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** Sort keys inside an inquiry's partition; their order lets one Query read just what a step needs. */
export const inquirySk = {
  /** The alert of a red flag; sorts first, so that one Query reads everything of an inquiry. */
  alert: 'ALERT',
  body: 'BODY',
  head: 'HEAD',
  /** Scores, the first is 1. */
  score: (n: number): string => `SCORE#${String(n).padStart(4, '0')}`,
  /** Past every score and before `counted`. */
  scoresEnd: 'SCORE~',
  /** Marks the versions of the head that have been counted in the roll-ups. */
  counted: '~COUNTED',
  /** Notices that rules asked for; past whatever a step reads. */
  notice: (noticeId: string): string => `~NOTICE#${noticeId}`,
  /** A message to the person, by what names it among those of its inquiry. */
  message: (messageKey: string): string => `~MESSAGE#${messageKey}`,
  /** How far the inquiry has come in a sequence of messages. */
  nurture: (sequence: string): string => `~NURTURE#${sequence}`,
} as const;

export const inquiryPk = (inquiryId: string): string => `INQ#${inquiryId}`;
export const inquiryHead = (inquiryId: string): Key => ({ pk: inquiryPk(inquiryId), sk: inquirySk.head });
export const inquiryBody = (inquiryId: string): Key => ({ pk: inquiryPk(inquiryId), sk: inquirySk.body });
export const inquiryScore = (inquiryId: string, n: number): Key => ({
  pk: inquiryPk(inquiryId),
  sk: inquirySk.score(n),
});
export const inquiryAlert = (inquiryId: string): Key => ({ pk: inquiryPk(inquiryId), sk: inquirySk.alert });
export const inquiryCounted = (inquiryId: string): Key => ({
  pk: inquiryPk(inquiryId),
  sk: inquirySk.counted,
});

export const inquiryNotice = (inquiryId: string, noticeId: string): Key => ({
  pk: inquiryPk(inquiryId),
  sk: inquirySk.notice(noticeId),
});

export const inquiryMessage = (inquiryId: string, messageKey: string): Key => ({
  pk: inquiryPk(inquiryId),
  sk: inquirySk.message(messageKey),
});
export const inquiryNurture = (inquiryId: string, sequence: string): Key => ({
  pk: inquiryPk(inquiryId),
  sk: inquirySk.nurture(sequence),
});

export const contactPk = (contactId: string): string => `CON#${contactId}`;
export const contactProfile = (contactId: string): Key => ({ pk: contactPk(contactId), sk: 'PROFILE' });
/** A timeline entry that is an item of its own: a stage change, say. */
export const contactEntry = (contactId: string, entryId: string): Key => ({
  pk: contactPk(contactId),
  sk: `ENTRY#${entryId}`,
});

/** Everything about a person but their entries: sort keys from `MATCH#` to `RELATION#`. */
export const contactFacts = { from: 'MATCH#', to: 'RELATION~' } as const;
/** Another contact who may be the same person, for a human to decide; each of the two has one. */
export const contactMatch = (contactId: string, otherId: string): Key => ({
  pk: contactPk(contactId),
  sk: `MATCH#${otherId}`,
});
/** A contact whom this one speaks for since they were merged. */
export const contactMerged = (survivorId: string, mergedId: string): Key => ({
  pk: contactPk(survivorId),
  sk: `MERGED#${mergedId}`,
});
/** A contact point that came after the person; in their own partition. */
export const contactAddedPoint = (contactId: string, pointDigest: string): Key => ({
  pk: contactPk(contactId),
  sk: `POINT#${pointDigest}`,
});
/** Somebody a person is related to: a guardian's patient, a patient's guardian. Each of the two has one. */
export const contactRelation = (contactId: string, otherId: string): Key => ({
  pk: contactPk(contactId),
  sk: `RELATION#${otherId}`,
});

/** A task about a person; in their own partition, past everything that says who they are. */
export const contactTask = (contactId: string, taskId: string): Key => ({
  pk: contactPk(contactId),
  sk: `TASK#${taskId}`,
});
/** An appointment of a person; in their own partition. */
export const contactAppointment = (contactId: string, appointmentId: string): Key => ({
  pk: contactPk(contactId),
  sk: `APPOINTMENT#${appointmentId}`,
});

/** What a person has agreed to get by e-mail, per purpose; in their own partition. */
export const contactConsent = (contactId: string, purpose: string): Key => ({
  pk: contactPk(contactId),
  sk: `CONSENT#EMAIL#${purpose}`,
});

/** How far a person has come in a sequence of messages, by whichever of their inquiries; in their own partition. */
export const contactSequence = (contactId: string, sequence: string): Key => ({
  pk: contactPk(contactId),
  sk: `SEQUENCE#${sequence}`,
});

/** What is known of one e-mail address, whoever reads it: bounces, complaints, what its readers want no more of. */
export const mailbox = (emailDigest: string): Key => ({ pk: `MAILBOX#${emailDigest}`, sk: 'STATE' });

/** Everybody behind one e-mail address or phone number, by its digest. */
export const contactPointPk = (pointDigest: string): string => `PT#${pointDigest}`;
/** One person behind a contact point, by the digest of the normalised name; `-` is nobody by name yet. */
export const contactPoint = (pointDigest: string, nameDigest: string): Key => ({
  pk: contactPointPk(pointDigest),
  sk: `NAME#${nameDigest}`,
});
export const namelessDigest = '-';

export const idempotency = (keyDigest: string): Key => ({ pk: `IDEM#${keyDigest}`, sk: 'IDEM' });

export const configurationPk = 'CONFIG';
export const configuration = {
  version: { pk: configurationPk, sk: 'VERSION' } as Key,
  practice: { pk: configurationPk, sk: 'PRACTICE' } as Key,
  scoring: { pk: configurationPk, sk: 'SCORING' } as Key,
  urgency: { pk: configurationPk, sk: 'URGENCY' } as Key,
  redFlags: { pk: configurationPk, sk: 'RED_FLAGS' } as Key,
  escalation: { pk: configurationPk, sk: 'ESCALATION' } as Key,
  rules: { pk: configurationPk, sk: 'RULES' } as Key,
  messages: { pk: configurationPk, sk: 'MESSAGES' } as Key,
  followUp: { pk: configurationPk, sk: 'FOLLOW_UP' } as Key,
  digest: { pk: configurationPk, sk: 'DIGEST' } as Key,
  /** One configured entity: `kind` is the practice file's list, `MEMBERS` say. */
  entity: (kind: string, id: string): Key => ({ pk: configurationPk, sk: `${kind.toUpperCase()}#${id}` }),
} as const;

/** Every version of the rules that was published, and the draft beside them. */
export const rulesPk = 'RULES';
export const publishedRules = (version: number): Key => ({
  pk: rulesPk,
  sk: `V#${String(version).padStart(8, '0')}`,
});
export const draftRules: Key = { pk: rulesPk, sk: 'DRAFT' };

export const routingPk = 'ROUTING';
export const poolRotation = (poolId: string): Key => ({ pk: routingPk, sk: `POOL#${poolId}` });
export const memberLoad = (memberId: string): Key => ({ pk: routingPk, sk: `MEMBER#${memberId}` });

/** Counters of one location, by the local date of receipt (`2026-11-20`). */
export const rollupPk = (locationId: string): string => `ROLLUP#${locationId}`;
export const rollup = (locationId: string, date: string): Key => ({
  pk: rollupPk(locationId),
  sk: `DAY#${date}`,
});

/** The weekly report of a location: a due item of its own. */
export const weeklyReport = (locationId: string): Key => ({ pk: `REPORT#${locationId}`, sk: 'WEEKLY' });

/** The digest of a member's working mornings: a due item of its own. */
export const dailyDigest = (memberId: string): Key => ({ pk: `DIGEST#${memberId}`, sk: 'DAILY' });

/** Asks `people` to follow a row once more, as though it were new. */
export const followAgain = (id: string): Key => ({ pk: `AGAIN#${id}`, sk: 'PEOPLE' });

/** Why something failed: by a message's id, or a stream record's sequence number. */
export const failureNote = (of: string): Key => ({ pk: `FAILED#${of}`, sk: 'NOTE' });

/** Audit entries of one UTC day, in order of time. */
export const auditPk = (date: string): string => `AUDIT#${date}`;
export const auditEntry = (at: string, entryId: string): Key => ({
  pk: auditPk(at.slice(0, 10)),
  sk: `${at}#${entryId}`,
});

/** Shards of the due index; a sweep reads each of them. */
export const dueShardCount = 4;

export const duePk = (shard: number): string => `DUE#${shard}`;

/** The shard of an item, fixed by its partition key. */
export const dueShardOf = (pk: string): number => placeOf(pk, dueShardCount);

/** Sort key by time, then by what it is about, so that no two are equal. */
export const byTime = (at: string, id: string): string => `${at}#${id}`;
/** Past every entry due at or before `at`. */
export const dueUntil = (at: string): string => `${at}~`;

export const queueOfMember = (memberId: string): string => `MEMBER#${memberId}`;
export const queueOfPool = (poolId: string): string => `POOL#${poolId}`;
/** Open tasks by who has them, on the queue index; `-` is nobody. */
export const queueOfTasks = (memberId: string | undefined): string => `TASKS#${memberId ?? '-'}`;
/** Appointments to come, by location, on the queue index. */
export const queueOfAppointments = (locationId: string): string => `APPOINTMENTS#${locationId}`;
export const boardOfStage = (stage: string): string => `STAGE#${stage}`;
/** Suggested matches by state, `open` or `decided`, on the board index. */
export const boardOfMatches = (state: string): string => `MATCHES#${state}`;
export const timelineOf = (contactId: string): string => `TIMELINE#${contactId}`;
