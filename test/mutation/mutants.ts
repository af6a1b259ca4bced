/**
 * What the promises rest on: conditions, version checks, the record of answers, the sweep, the wiring of
 * dead letters. Each is taken away in turn, and the tests that are named must notice.
 */

export interface Mutant {
  /** What is taken away. */
  readonly what: string;
  readonly file: string;
  /** The text that is there just once. */
  readonly find: string;
  readonly replace: string;
  /** Test files that must fail without it. */
  readonly tests: readonly string[];
}

const unit = (...names: string[]): string[] => names.map((name) => `test/unit/${name}.test.ts`);
const adapters = (...names: string[]): string[] => names.map((name) => `test/adapters/${name}.test.ts`);
const stacks = (...names: string[]): string[] => names.map((name) => `test/stacks/${name}.test.ts`);

/** A condition that goes: the text before it, to find it by, and the condition itself. */
const without = (
  what: string,
  file: string,
  before: string,
  condition: string,
  after = '',
  tests: readonly string[] = unit('conditions'),
): Mutant => ({ what, file, find: before + condition + after, replace: before + after, tests });

const atVersion = ', when: atVersion(next.version - 1)';
const absent = ', when: absent';

export const mutants: readonly Mutant[] = [
  // Conditions of the table's items.
  without('version of an inquiry', 'shared/data/inquiries.ts', 'put: headRow(next)', atVersion),
  without('body once', 'shared/data/inquiries.ts', 'put: bodyRow(body)', absent),
  without('score once', 'shared/data/inquiries.ts', 'put: scoreRow(score, now)', absent),
  without(
    'alert once',
    'shared/data/inquiries.ts',
    'put: alertRow(raised(inquiryId, contactId, flags, now)),\n',
    '      when: absent,\n',
  ),
  without('version of an alert', 'shared/data/inquiries.ts', 'put: alertRow(next)', atVersion),
  {
    what: 'lease of an alert',
    file: 'shared/data/inquiries.ts',
    find: "            ['stateAt', '<=', new Date(now.getTime() - leaseMs).toISOString()],\n",
    replace: '',
    tests: unit('conditions'),
  },
  {
    what: 'lease of a mail',
    file: 'shared/data/claim-mail.ts',
    find: "      ['mailAt', '<=', new Date(now.getTime() - leaseMs).toISOString()],\n",
    replace: '',
    tests: unit('send-mail'),
  },
  {
    what: 'claim of a mail that is not asked for',
    file: 'shared/data/claim-mail.ts',
    find: "    [['mailState', '=', 'pending']],",
    replace: "    [['mailState', 'present']],",
    tests: unit('send-mail'),
  },
  {
    what: 'a claim that was refused is none',
    file: 'shared/data/claim-mail.ts',
    find: 'return written.committed ? written.row : undefined;',
    replace: 'return written.committed ? written.row : written.existing;',
    tests: unit('send-mail'),
  },
  {
    what: 'an answer in force is not overwritten',
    file: 'shared/data/idempotency.ts',
    find: "    when: [[['pk', 'absent']], [['expiresAt', '<=', seconds]]],\n",
    replace: '',
    tests: unit('capture-inquiry'),
  },
  {
    what: 'an answer that expired is overwritten',
    file: 'shared/data/idempotency.ts',
    find: "[['pk', 'absent']], [['expiresAt', '<=', seconds]]",
    replace: "[['pk', 'absent']]",
    tests: unit('capture-inquiry'),
  },
  without('task once', 'shared/data/tasks.ts', 'put: taskRow(task)', absent),
  without('version of a task', 'shared/data/tasks.ts', 'put: taskRow(next)', atVersion),
  without(
    'version of a head that tasks follow',
    'shared/data/tasks.ts',
    'add: { version: 1 },\n',
    '      when: atVersion(version),\n',
  ),
  without('appointment once', 'shared/data/appointments.ts', 'put: appointmentRow(appointment)', absent),
  without('version of an appointment', 'shared/data/appointments.ts', 'put: appointmentRow(next)', atVersion),
  without('message once', 'shared/data/messages.ts', 'put: messageRow(record)', absent),
  without('version of a message', 'shared/data/messages.ts', 'put: messageRow(next)', atVersion),
  without('sequence once', 'shared/data/messages.ts', 'put: enrolmentRow(enrolment)', absent),
  without(
    'version of a sequence',
    'shared/data/messages.ts',
    'put: enrolmentRow(next),\n',
    '      when: atVersion(next.version - 1),\n',
  ),
  without('notice once', 'shared/data/notices.ts', 'put: noticeRow(notice)', absent),
  without('version of a notice', 'shared/data/notices.ts', 'put: noticeRow(next)', atVersion),
  without('digest once', 'shared/data/digests.ts', 'put: digestRow(digest)', absent),
  without(
    'version of a digest',
    'shared/data/digests.ts',
    'put: digestRow(next)',
    ', when: standingAt(next.version - 1)',
  ),
  without(
    'version of a weekly report',
    'shared/data/weekly-reports.ts',
    'put: weeklyReportRow(next)',
    ', when: standingAt(next.version - 1)',
  ),
  without(
    'version of a mailbox',
    'shared/data/mailboxes.ts',
    '...next, schemaVersion },\n',
    '      when: atVersion(next.version - 1),\n',
  ),
  without(
    'version of a rotation',
    'shared/data/rotation.ts',
    '...(waiting !== 0 && { waiting }) },\n',
    "      ...(lags && { when: version === 0 ? [[['version', 'absent']]] : atVersion(version) }),\n",
  ),
  without(
    'version of a load',
    'shared/data/rotation.ts',
    'add: { open, uncalled, version: 1 },\n',
    '      when: atVersion(before.version),\n',
  ),
  without(
    'contact once',
    'shared/data/contacts/people.ts',
    '        createdAt: now.toISOString(),\n        schemaVersion,\n      },\n',
    '      when: absent,\n',
  ),
  without(
    'a point under a name has one holder',
    'shared/data/contacts/points.ts',
    'contactId, schemaVersion },\n',
    "      when: [[['pk', 'absent']], [['named', '=', true]]],\n",
  ),
  without(
    'a holder is released once, by themselves',
    'shared/data/contacts/points.ts',
    'named: true, schemaVersion },\n',
    "      when: [\n        [\n          ['contactId', '=', contactId],\n          ['named', 'absent'],\n        ],\n      ],\n",
  ),
  {
    what: 'a name that somebody got meanwhile stays',
    file: 'shared/data/contacts/people.ts',
    find: "          ['name', 'absent'],\n",
    replace: '',
    tests: unit('conditions'),
  },
  without(
    'version of a contact',
    'shared/data/contacts/people.ts',
    'add: { version: 1 },\n',
    '        when: [asRead(contact)],\n',
  ),
  without(
    'what speaks for others is not merged away',
    'shared/data/contacts/merges.ts',
    '[...asRead(contact)',
    ", ['mergedInto', 'absent']",
  ),
  without(
    'version of a merged contact',
    'shared/data/contacts/merges.ts',
    'add: { version: 1 },\n',
    '          when: speaksForItself(merged),\n',
  ),
  without(
    'a merge is undone by whom it made',
    'shared/data/contacts/merges.ts',
    'add: { version: 1 },\n',
    "        when: [[['mergedInto', '=', survivorId]]],\n",
  ),
  without(
    'a match is suggested once',
    'shared/data/contacts/matches.ts',
    "listing('open', now.toISOString(), id, otherId),\n          schemaVersion,\n        },\n",
    '        when: absent,\n',
  ),
  {
    what: 'a match is decided once',
    file: 'shared/data/contacts/matches.ts',
    find: "            ['state', '<>', state],\n",
    replace: '',
    tests: unit('conditions'),
  },
  without(
    'entry once',
    'shared/data/contacts/people.ts',
    '...checkedEntry(entry),\n        schemaVersion,\n      },\n',
    '      when: absent,\n',
  ),
  {
    what: 'what somebody said later stays',
    file: 'shared/data/consents.ts',
    find: "      when: [[['pk', 'absent']], [['at', given ? '<' : '<=', at]]],\n",
    replace: '',
    tests: unit('conditions'),
  },
  {
    what: 'of one instant, what takes back wins',
    file: 'shared/data/consents.ts',
    find: "given ? '<' : '<='",
    replace: "'<='",
    tests: unit('conditions'),
  },
  {
    what: 'each version is counted once',
    file: 'shared/data/rollups.ts',
    find: "          when: [names.map((name) => [name, 'absent'])],\n",
    replace: '',
    tests: unit('count-change'),
  },
  without(
    'version of the configuration',
    'shared/data/apply-configuration.ts',
    'schemaVersion: 1 },\n',
    '  when: atVersion(version),\n',
    '});',
    unit('conditions'),
  ),
  {
    what: 'version of an entity of the configuration',
    file: 'shared/data/apply-configuration.ts',
    find: '  const when = atVersion(change.version);',
    replace: '  const when: readonly [] | undefined = undefined;',
    tests: unit('conditions'),
  },
  without(
    'version of a draft of rules',
    'shared/data/rules.ts',
    'put: { ...draftRules, ...draft }',
    ', when: atVersion(before)',
    '',
    ['test/table/rules.test.ts'],
  ),
  {
    what: 'what cannot be read is put off once',
    file: 'functions/remind/sweep.ts',
    find: "      when: [[['dueSk', '=', String(row['dueSk'])]]],\n",
    replace: '',
    tests: unit('sweep'),
  },

  // Only the invocation whose write committed goes on.
  {
    what: 'routing in which the write was refused asks for no mail',
    file: 'functions/route/route-inquiry.ts',
    find: '      if (done.committed) {\n        await mailQueue',
    replace: '      {\n        await mailQueue',
    tests: unit('route-inquiry', 'rotation'),
  },
  {
    what: 'a batch whose write was refused is not routed',
    file: 'functions/route/route-inquiry.ts',
    find: "  if (!done.committed) return 'refused';",
    replace: '',
    tests: unit('route-inquiry', 'rotation'),
  },
  {
    what: 'a routing writes the rotation with it',
    file: 'functions/route/route-inquiry.ts',
    find: 'inquiries.save(next), ...turns.save(routingStates)]',
    replace: 'inquiries.save(next)]',
    tests: unit('route-inquiry', 'rotation'),
  },
  {
    what: 'a first score is stored once',
    file: 'functions/score/score-inquiry.ts',
    find: "outcome: written.committed ? 'scored' : 'score_race_lost'",
    replace: "outcome: 'scored'",
    tests: unit('score-inquiry'),
  },
  {
    what: 'a later score that was refused is not taken for done',
    file: 'functions/score/score-inquiry.ts',
    find: "  if (!committed) return 'refused';",
    replace: '',
    tests: unit('triage-inquiry', 'score-inquiry'),
  },
  {
    what: 'a mail that is not due is not sent',
    file: 'functions/notify/send-mail.ts',
    find: '  const claimed = await claim(dependencies, inquiryId);\n',
    replace:
      '  const claimed = (await claim(dependencies, inquiryId)) ?? (await dependencies.inquiries.findHead(inquiryId));\n',
    tests: unit('send-mail'),
  },

  // The record of answers.
  {
    what: 'an inquiry is stored with its answer',
    file: 'functions/capture/capture-inquiry.ts',
    find: '      recordAnswer(keyDigest, { inquiryId: id, receivedAt, bodyDigest }, now),\n',
    replace: '',
    tests: unit('capture-inquiry'),
  },
  {
    what: 'what came before is answered as it was',
    file: 'functions/capture/capture-inquiry.ts',
    find: '    if (earlier) return repetition(parseIdempotencyRecord(earlier), bodyDigest);\n',
    replace: '    if (earlier) parseIdempotencyRecord(earlier);\n',
    tests: unit('capture-inquiry'),
  },
  {
    what: 'a key that comes with other content is a conflict',
    file: 'functions/capture/capture-inquiry.ts',
    find: "earlier.bodyDigest === bodyDigest ? 'repeated' : 'conflict'",
    replace: "'repeated'",
    tests: unit('capture-inquiry'),
  },
  {
    what: 'a queue that refuses costs no answer',
    file: 'functions/capture/capture-inquiry.ts',
    find: '          .catch((error: unknown) => dependencies.onEnqueueFailure(id, error));',
    replace: ';',
    tests: unit('capture-inquiry'),
  },

  // The sweep.
  {
    what: 'a claim that others were faster with asks for nothing',
    file: 'functions/remind/sweep.ts',
    find: 'if (due && (await write(due, now))) return due;',
    replace: 'if (due) {\n      await write(due, now);\n      return due;\n    }',
    tests: unit('sweep'),
  },
  {
    what: 'what is stuck before its score is enqueued',
    file: 'functions/remind/sweep.ts',
    find: '      dependencies.scoreQueue.sendAll(steps.score),\n',
    replace: '',
    tests: unit('sweep'),
  },
  {
    what: 'what is to go to somebody else is enqueued',
    file: 'functions/remind/sweep.ts',
    find: '      dependencies.routeQueue.sendAll(steps.route),\n',
    replace: '',
    tests: unit('left-behind', 'escalation'),
  },
  {
    what: 'what waits in a pool is handed out',
    file: 'functions/remind/sweep.ts',
    find: "    await dependencies.routeQueue.sendAll(asked.map((poolId) => ({ kind: 'pool', poolId })));\n",
    replace: '',
    tests: unit('route-inquiry', 'sweep'),
  },
  {
    what: 'mails that are due are enqueued',
    file: 'functions/remind/sweep.ts',
    find: '      dependencies.mailQueue.sendAll(mails),\n',
    replace: '',
    tests: unit('sweep'),
  },
  {
    what: 'an entry that cannot be read holds up no other',
    file: 'functions/remind/sweep.ts',
    find: '    await forEachConcurrently(broken, ({ row, error }) => putOff(row, error));\n',
    replace: '    if (broken[0]) throw broken[0].error;\n',
    tests: unit('sweep'),
  },
  {
    what: 'each shard is swept',
    file: 'functions/remind/sweep.ts',
    find: 'Array.from({ length: dueShardCount }',
    replace: 'Array.from({ length: 1 }',
    tests: unit('sweep'),
  },
  {
    what: 'every page of a shard is swept',
    file: 'functions/remind/sweep.ts',
    find: 'while (after !== undefined && dependencies',
    replace: 'while (false as boolean && after !== undefined && dependencies',
    tests: unit('sweep'),
  },
  {
    what: 'others that are due are claimed before they are asked for',
    file: 'functions/remind/due-kinds.ts',
    find: 'return written?.committed ? next : undefined;',
    replace: 'return next;',
    tests: unit('sweep', 'tasks', 'weekly-report', 'daily-digest', 'person-mails'),
  },
  {
    what: 'every open inquiry has a next action',
    file: 'shared/domain/inquiry/state.ts',
    find: 'return times[0] ?? (isOpen(inquiry) ? inquiry.receivedAt : undefined);',
    replace: 'return times[0];',
    tests: unit('inquiry'),
  },
  {
    what: 'a step that was not done is asked for again',
    file: 'shared/domain/inquiry/due.ts',
    find: '      timers: { ...seen.timers, step: after(now, pause) },\n',
    replace: '      timers: { ...seen.timers, step: undefined },\n',
    tests: unit('inquiry', 'sweep'),
  },

  // What the adapters make of the services' answers.
  {
    what: 'a transaction that meets another may be tried again',
    file: 'shared/data/dynamo-table.ts',
    find: "new Set(['TransactionConflict', ",
    replace: 'new Set([',
    tests: adapters('dynamo-table'),
  },
  {
    what: 'keys that were left unprocessed are read',
    file: 'shared/data/dynamo-table.ts',
    find: 'if (!wanted?.[tableName]?.Keys?.length) return rows;',
    replace: 'return rows;',
    tests: adapters('dynamo-table'),
  },
  {
    what: 'messages that were not taken are a fault',
    file: 'shared/queues/sqs-queue.ts',
    find: 'if (Failed.length > 0) {',
    replace: 'if (Failed.length > 10) {',
    tests: adapters('sqs-queue'),
  },
  {
    what: 'a message that failed comes again',
    file: 'shared/runtime/queue-handler.ts',
    find: '      await options.noteFailure(record.messageId, error);\n      throw error;\n',
    replace: '      await options.noteFailure(record.messageId, error);\n',
    tests: adapters('queue-handler'),
  },
  {
    what: 'a batch that fails in one go is worked on one by one',
    file: 'shared/runtime/queue-handler.ts',
    find: "      logger.warn('batch not handled in one go', describeError(error));",
    replace: '      throw error;',
    tests: adapters('queue-handler'),
  },

  // The wiring of dead letters.
  {
    what: 'a queue has its dead letters',
    file: 'lib/constructs/work-queue.ts',
    find: '      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },\n',
    replace: '',
    tests: stacks('pipeline'),
  },
  {
    what: 'what failed of a batch is reported by itself',
    file: 'lib/constructs/work-queue.ts',
    find: '      reportBatchItemFailures: true,\n',
    replace: '',
    tests: stacks('pipeline'),
  },
  {
    what: 'a message stays hidden while it is worked on',
    file: 'lib/constructs/work-queue.ts',
    find: 'consumerTimeout.toSeconds() * 6',
    replace: 'consumerTimeout.toSeconds()',
    tests: stacks('pipeline'),
  },
  {
    what: 'a dead letter rings',
    file: 'lib/constructs/work-queue.ts',
    find: "    new ImpactAlarm(this, 'DepthAlarm', {",
    replace: "    if (props.fifo) new ImpactAlarm(this, 'DepthAlarm', {",
    tests: stacks('pipeline'),
  },
  {
    what: 'changes that were not counted are kept',
    file: 'lib/stacks/pipeline.ts',
    find: '        onFailure: new SqsDlq(uncounted),\n',
    replace: '',
    tests: stacks('pipeline'),
  },
  {
    what: 'changes of people that were not followed are kept',
    file: 'lib/stacks/pipeline.ts',
    find: '        onFailure: new SqsDlq(unfollowed),\n',
    replace: '',
    tests: stacks('pipeline'),
  },
  {
    what: 'a sweep that failed is kept',
    file: 'lib/stacks/pipeline.ts',
    find: '      onFailure: new SqsDestination(missed),\n',
    replace: '',
    tests: stacks('pipeline'),
  },
  {
    what: 'a sweep that was not started is kept',
    file: 'lib/stacks/pipeline.ts',
    find: '          deadLetterQueue: missed,\n',
    replace: '',
    tests: stacks('pipeline'),
  },
  {
    what: 'feedback that was not taken is kept',
    file: 'lib/stacks/pipeline.ts',
    find: '      onFailure: new SqsDestination(lost),\n',
    replace: '',
    tests: stacks('pipeline'),
  },
];
