import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { readOptional, writePrivate } from '../home.ts';
import { accountId, region } from '../template/identity.ts';
import type { SecretPlan } from '../template/plan.ts';

/** The values a person needs to know to try things out by hand. */
const wellKnown: Record<string, string> = { googleAdsKey: 'local-google-key' };

interface StoredSecret {
  readonly arn: string;
  readonly secretString: string;
}

/**
 * Makes the secrets' values at a first start, as the templates ask, and keeps
 * them: a new HMAC key would orphan every contact.
 *
 * @param given - values by their property's name, in place of random ones
 */
export function prepareSecrets(
  file: string,
  plans: readonly SecretPlan[],
  given: Readonly<Record<string, string>> = {},
): Record<string, StoredSecret> {
  const stored = readOptional<Record<string, StoredSecret>>(file) ?? {};
  let changed = false;
  for (const plan of plans) {
    if (stored[plan.name]?.arn === plan.arn) continue;
    stored[plan.name] = {
      arn: plan.arn,
      secretString: stored[plan.name]?.secretString ?? generate(plan, given),
    };
    changed = true;
  }
  if (changed) writePrivate(file, stored);
  return stored;
}

function generate(plan: SecretPlan, given: Readonly<Record<string, string>>): string {
  if (plan.fixed !== undefined) return plan.fixed;
  const length = plan.generate?.length ?? 32;
  const random = randomBytes(length).toString('base64url').slice(0, length);
  if (!plan.generate || !('key' in plan.generate)) return random;
  const { template, key } = plan.generate;
  return JSON.stringify({ ...template, [key]: given[key] ?? wellKnown[key] ?? random });
}

/** A Secrets Manager that can do what the functions ask: GetSecretValue. */
export async function startSecrets(secrets: Record<string, StoredSecret>): Promise<Server> {
  const byId = new Map<string, { name: string; secret: StoredSecret }>();
  for (const [name, secret] of Object.entries(secrets)) {
    byId.set(name, { name, secret });
    byId.set(secret.arn, { name, secret });
    // An ARN without the random suffix is accepted too.
    byId.set(`arn:aws:secretsmanager:${region}:${accountId}:secret:${name}`, { name, secret });
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    };
    if (request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue') {
      answer(400, { __type: 'InvalidRequestException', message: 'Only GetSecretValue is known here.' });
      return;
    }
    const { SecretId } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { SecretId: string };
    const found = byId.get(SecretId);
    if (!found) {
      answer(400, {
        __type: 'ResourceNotFoundException',
        message: "Secrets Manager can't find the specified secret.",
      });
      return;
    }
    answer(200, {
      ARN: found.secret.arn,
      Name: found.name,
      SecretString: found.secret.secretString,
      VersionId: 'local',
      VersionStages: ['AWSCURRENT'],
      CreatedDate: 1_767_225_600,
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
