/** Whether the HMAC secret is the one that a table's keys were made with: without it nobody is found again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import type { Row } from '../shared/data/table.ts';
import { createDigest, type Digest, digestSecretSchema } from '../shared/secrets/digest.ts';
import type { System } from './system.ts';

const storedSchema = z.record(z.string(), z.object({ secretString: z.string() }));

function parseSecret(text: string | undefined): z.infer<typeof digestSecretSchema> | undefined {
  try {
    return digestSecretSchema.safeParse(JSON.parse(text ?? '')).data;
  } catch {
    return undefined;
  }
}

/** The secret of the system: of the one that runs here, or the one that HMAC_SECRET_ARN names; else undefined. */
async function findSecret({ home }: Pick<System, 'home'>) {
  if (home !== undefined) {
    const stored = storedSchema.parse(JSON.parse(readFileSync(join(home, 'secrets.json'), 'utf8')));
    return Object.values(stored)
      .map(({ secretString }) => parseSecret(secretString))
      .find((secret) => secret !== undefined);
  }
  const id = process.env['HMAC_SECRET_ARN'];
  if (!id) return undefined;
  const client = new SecretsManagerClient({});
  try {
    return parseSecret((await client.send(new GetSecretValueCommand({ SecretId: id }))).SecretString);
  } finally {
    client.destroy();
  }
}

const profileSchema = z.object({
  sk: z.literal('PROFILE'),
  email: z.string().optional(),
  phone: z.string().optional(),
  pointDigests: z.object({ email: z.string().optional(), phone: z.string().optional() }),
});

export interface SecretCheck {
  readonly checked: number;
  readonly fitting: number;
}

/** How many contact points of some rows lead to the digests that stand for them in keys. */
function checkRows(digest: Digest, rows: readonly Row[]): SecretCheck {
  const points = rows.flatMap((row) => {
    const { data } = profileSchema.safeParse(row);
    return (['email', 'phone'] as const).flatMap((kind) => {
      const [value, stored] = [data?.[kind], data?.pointDigests[kind]];
      return value === undefined || stored === undefined ? [] : [digest(kind, value) === stored];
    });
  });
  return { checked: points.length, fitting: points.filter(Boolean).length };
}

/** Enough to know: either all of them fit, or none does. */
const enough = 100;

/** Looks at some people of a table; undefined where the secret is not known here. */
export async function checkSecret(
  system: Pick<System, 'home'>,
  pages: AsyncIterable<readonly Row[]>,
): Promise<SecretCheck | undefined> {
  const secret = await findSecret(system);
  if (!secret) return undefined;
  const digest = createDigest(secret);
  let [checked, fitting] = [0, 0];
  for await (const page of pages) {
    const found = checkRows(digest, page);
    checked += found.checked;
    fitting += found.fitting;
    if (checked >= enough) break;
  }
  return { checked, fitting };
}
