/** Secrets, read once per function instance. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type * as z from 'zod';

/**
 * A secret that is fetched on first use and then kept for `maxAgeMs`: one that
 * people change must be taken up without a deployment. A fetch that failed is
 * tried again by the next caller.
 */
export function createSecret<Schema extends z.ZodType>(
  client: SecretsManagerClient,
  secretArn: string,
  schema: Schema,
  maxAgeMs = Number.POSITIVE_INFINITY,
): () => Promise<z.output<Schema>> {
  let loaded: Promise<z.output<Schema>> | undefined;
  const load = async (): Promise<z.output<Schema>> => {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
    return schema.parse(JSON.parse(SecretString ?? '{}'));
  };
  let loadedAt = 0;
  return () => {
    if (Date.now() - loadedAt > maxAgeMs) loaded = undefined;
    if (!loaded) loadedAt = Date.now();
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}
