/** Secrets, read once per function instance. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type * as z from 'zod';

/**
 * A secret that is fetched on first use and then kept. A fetch that failed is
 * tried again by the next caller.
 */
export function createSecret<Schema extends z.ZodType>(
  client: SecretsManagerClient,
  secretArn: string,
  schema: Schema,
): () => Promise<z.output<Schema>> {
  let loaded: Promise<z.output<Schema>> | undefined;
  const load = async (): Promise<z.output<Schema>> => {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
    return schema.parse(JSON.parse(SecretString ?? '{}'));
  };
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}
