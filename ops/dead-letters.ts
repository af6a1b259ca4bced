/** The queues of dead letters: which there are, and how their letters are looked at, sent again and taken out. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';

/** One kind of dead letters. */
export interface DeadLetters {
  /** What commands and alarms call it. */
  readonly name: string;
  /** The queue's logical id in the stack `Pipeline`, without its digest. */
  readonly queue: string;
  /** The function that failed. */
  readonly of: string;
  /**
   * What a letter is: a `message` of a queue, an `event` that a function was called with, or a
   * `position`: where in the table's stream the records stood, not the records.
   */
  readonly holds: 'message' | 'event' | 'position';
  /** Of messages: the queue that they came from. */
  readonly source?: string;
  /** What does not happen until it is seen to. */
  readonly means: string;
}

export const deadLetterQueues: readonly DeadLetters[] = [
  {
    name: 'score',
    queue: 'ScoreQueueDeadLetters',
    of: 'score',
    holds: 'message',
    source: 'ScoreQueue',
    means: 'inquiries without a score: given to nobody',
  },
  {
    name: 'route',
    queue: 'RouteQueueDeadLetters',
    of: 'route',
    holds: 'message',
    source: 'RouteQueue',
    means: 'inquiries that were given to nobody',
  },
  {
    name: 'mail',
    queue: 'MailQueueDeadLetters',
    of: 'notify',
    holds: 'message',
    source: 'MailQueue',
    means: 'e-mails that were not sent',
  },
  {
    name: 'feedback',
    queue: 'LostFeedback',
    of: 'feedback',
    holds: 'event',
    means: 'bounces and complaints that were not taken up',
  },
  { name: 'sweeps', queue: 'MissedSweeps', of: 'remind', holds: 'event', means: 'sweeps that were missed' },
  {
    name: 'figures',
    queue: 'UncountedChanges',
    of: 'report',
    holds: 'position',
    means: 'changes that the reports do not count',
  },
  {
    name: 'people',
    queue: 'UnfollowedPeople',
    of: 'people',
    holds: 'position',
    means: 'new contacts and points that nobody compared',
  },
];

/** A letter while we have it: nobody else sees it until we give it back, or are too slow. */
export interface Letter {
  readonly id: string;
  readonly handle: string;
  readonly body: string;
  readonly attributes: NonNullable<Message['MessageAttributes']>;
  /** When the work was first asked for. */
  readonly sentAt: Date;
}

/** The most messages of one call. */
const perCall = 10;
/** For so long a letter is ours; what is interrupted lies there again after it. */
const heldSeconds = 60;

const inTens = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / perCall) }, (_, i) =>
    items.slice(i * perCall, (i + 1) * perCall),
  );

/** How many letters lie in a queue, those that somebody looks at included. */
export async function depthOf(sqs: SQSClient, url: string): Promise<number> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const { Attributes: found } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...names] }),
  );
  return names.reduce((sum, name) => sum + Number(found?.[name] ?? 0), 0);
}

/** Letters, up to ten at a time, each once, until there are no more. */
export async function* takeLetters(sqs: SQSClient, url: string): AsyncGenerator<Letter[]> {
  const seen = new Set<string>();
  for (;;) {
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: perCall,
        VisibilityTimeout: heldSeconds,
        // Waiting asks all of the queue's servers: an empty answer is one.
        WaitTimeSeconds: 1,
        MessageSystemAttributeNames: ['SentTimestamp'],
        MessageAttributeNames: ['All'],
      }),
    );
    const letters = messages.map(
      (message): Letter => ({
        id: message.MessageId ?? '',
        handle: message.ReceiptHandle ?? '',
        body: message.Body ?? '',
        attributes: message.MessageAttributes ?? {},
        sentAt: new Date(Number(message.Attributes?.SentTimestamp ?? 0)),
      }),
    );
    const fresh = letters.filter(({ id }) => !seen.has(id));
    // Nothing more, or they come round again: we have had each.
    if (fresh.length === 0) return;
    for (const { id } of fresh) seen.add(id);
    yield fresh;
  }
}

/** Lets others see letters again at once. */
export async function giveBack(sqs: SQSClient, url: string, letters: readonly Letter[]): Promise<void> {
  for (const some of inTens(letters)) {
    const Entries = some.map(({ handle }, i) => ({
      Id: String(i),
      ReceiptHandle: handle,
      VisibilityTimeout: 0,
    }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }));
  }
}

/** Takes letters out for good. */
export async function discard(sqs: SQSClient, url: string, letters: readonly Letter[]): Promise<void> {
  for (const some of inTens(letters)) {
    const Entries = some.map(({ handle }, i) => ({ Id: String(i), ReceiptHandle: handle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
  }
}

/** Looks at every letter and leaves all of them there. */
export async function lookAt(sqs: SQSClient, url: string, most: number): Promise<Letter[]> {
  const letters: Letter[] = [];
  try {
    for await (const some of takeLetters(sqs, url)) {
      letters.push(...some);
      if (letters.length >= most) break;
    }
  } finally {
    await giveBack(sqs, url, letters);
  }
  return letters;
}

/**
 * Sends letters to the queue that they came from, and only then takes them out: what is interrupted
 * in between comes there twice, which every step takes. Gives how many were sent again.
 *
 * @param isChosen - which of them; the others stay
 */
export async function sendAgain(
  sqs: SQSClient,
  { from, to }: { readonly from: string; readonly to: string },
  isChosen: (letter: Letter) => boolean,
  onProgress: (sent: number) => void,
): Promise<number> {
  const startedAt = Date.now();
  const left: Letter[] = [];
  let sent = 0;
  try {
    for await (const letters of takeLetters(sqs, from)) {
      // What was sent again and failed again meanwhile was sent after this began: it stays.
      const chosen = letters.filter((letter) => letter.sentAt.getTime() <= startedAt && isChosen(letter));
      left.push(...letters.filter((letter) => !chosen.includes(letter)));
      if (chosen.length === 0) continue;
      const { Failed: failed = [] } = await sqs.send(
        new SendMessageBatchCommand({
          QueueUrl: to,
          Entries: chosen.map(({ body, attributes }, i) => ({
            Id: String(i),
            MessageBody: body,
            ...(Object.keys(attributes).length > 0 && { MessageAttributes: attributes }),
          })),
        }),
      );
      const refused = new Set(failed.map(({ Id }) => Number(Id)));
      left.push(...chosen.filter((_, i) => refused.has(i)));
      const taken = chosen.filter((_, i) => !refused.has(i));
      await discard(sqs, from, taken);
      sent += taken.length;
      onProgress(sent);
    }
  } finally {
    await giveBack(sqs, from, left);
  }
  return sent;
}
