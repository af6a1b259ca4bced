/** After a run: its mails in the local inbox, and the local system on its data, until somebody has seen enough. */
import { join, relative } from 'node:path';
import { SESClient } from '@aws-sdk/client-ses';
import {
  BatchWriteCommand,
  type BatchWriteCommandInput,
  type BatchWriteCommandOutput,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import { createSesPersonMailer } from '../functions/notify/person-mailer.ts';
import { createSesMailer } from '../functions/notify/ses-mailer.ts';
import { localCredentials } from '../local/engines/tables.ts';
import { homeAt } from '../local/home.ts';
import { digestOfSources, isCurrent } from '../local/synth.ts';
import { type LocalSystem, startLocal } from '../local/system.ts';
import { region } from '../local/template/identity.ts';
import { createDocumentClient } from '../shared/data/dynamo-table.ts';
import type { Row } from '../shared/data/table.ts';
import type { Simulated } from './simulate.ts';

/** The most rows that one BatchWriteItem takes. */
const rowsAtOnce = 25;
const batchesAtOnce = 8;

async function importRows(client: DynamoDBDocumentClient, tableName: string, rows: Row[]): Promise<void> {
  const writeBatch = async (batch: readonly Row[]): Promise<void> => {
    let left: BatchWriteCommandInput['RequestItems'] = {
      [tableName]: batch.map((Item) => ({ PutRequest: { Item } })),
    };
    while (left && Object.keys(left).length > 0) {
      const answer: BatchWriteCommandOutput = await client.send(
        new BatchWriteCommand({ RequestItems: left }),
      );
      left = answer.UnprocessedItems;
    }
  };
  const worker = async (): Promise<void> => {
    for (let batch = rows.splice(0, rowsAtOnce); batch.length > 0; batch = rows.splice(0, rowsAtOnce)) {
      await writeBatch(batch);
    }
  };
  await Promise.all(Array.from({ length: batchesAtOnce }, worker));
}

async function sendMails(system: LocalSystem, { world }: Simulated): Promise<void> {
  const client = new SESClient({ endpoint: system.endpoints.ses, region, credentials: localCredentials });
  const sender = {
    address: 'firstcall@simulation.example',
    configurationSet: 'simulation',
    trackedConfigurationSet: 'simulation',
  };
  const mailer = createSesMailer(client, sender);
  try {
    // One after the other: the inbox shows them in the order in which they came.
    for (const { again, toPerson } of world.mails) {
      const personMailer = createSesPersonMailer(
        client,
        sender,
        async () => () => toPerson?.unsubscribeUrl ?? '',
      );
      await again({ mailer, personMailer });
    }
  } finally {
    client.destroy();
  }
}

/**
 * Starts the local system on what a run left, in a state folder of its own that is begun anew each
 * time. Queues, stream and sweep are paused, or they would chase what is long past.
 *
 * @throws LocalProblem saying in one line what to do
 */
export async function openInbox(
  simulated: Simulated,
  options: { readonly port: number; readonly report: (line: string) => void },
): Promise<LocalSystem> {
  const { report } = options;
  const everyday = homeAt();
  const rows = simulated.world.table.rows();
  const system = await startLocal({
    home: join(everyday.directory, 'simulation'),
    port: options.port,
    fresh: true,
    // Begun anew each time, and so much quicker.
    inMemory: true,
    practice: null,
    paused: true,
    secrets: { key: simulated.world.hmac.key },
    // What `npm start` has synthesized is as good.
    ...(isCurrent(everyday.assembly, digestOfSources()) && { synthDir: everyday.assembly }),
    fill: async ({ tableName, endpoint }) => {
      report(`storing ${rows.length} rows of the run`);
      const client = createDocumentClient({ endpoint, region, credentials: localCredentials });
      await importRows(client, tableName, rows);
      client.destroy();
    },
    report,
  });
  report(`putting ${simulated.world.mails.length} mails into the inbox`);
  await sendMails(system, simulated);
  return system;
}

/** What to look at, and how. */
export function inboxText(system: LocalSystem): string {
  const home = relative(process.cwd(), system.home) || system.home;
  return `The run can be looked at until Ctrl-C.

  Inbox          ${system.inboxUrl}/   (as JSON: ${system.inboxUrl}/store)
  Inquiry form   ${system.origin}/
  As staff       curl -s ${system.origin}/v1/queue -H "authorization: Bearer $(FIRSTCALL_HOME=${home} npm run -s token -- coordinator --member <id>)"

Queues, stream and sweep stand still: what is stored is as the run left it, until somebody changes it.
`;
}
