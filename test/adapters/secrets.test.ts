import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createSecret } from '../../shared/secrets/secrets.ts';

const client = new SecretsManagerClient({ region: 'us-east-1' });
const secrets = mockClient(client);
const schema = z.object({ key: z.string() });

beforeEach(() => secrets.reset());

describe('a secret', () => {
  it('is fetched once, on first use, however many ask at the same time', async () => {
    secrets.on(GetSecretValueCommand, { SecretId: 'arn' }).resolves({ SecretString: '{"key":"k"}' });
    const secret = createSecret(client, 'arn', schema);
    expect(secrets.calls()).toHaveLength(0);

    const values = await Promise.all([secret(), secret(), secret()]);

    expect([...values, await secret()]).toEqual(Array.from({ length: 4 }, () => ({ key: 'k' })));
    expect(secrets.calls()).toHaveLength(1);
  });

  it('that could not be fetched is tried again by the next who asks', async () => {
    secrets
      .on(GetSecretValueCommand)
      .rejectsOnce(new Error('throttled'))
      .resolves({ SecretString: '{"key":"k"}' });
    const secret = createSecret(client, 'arn', schema);

    await expect(secret()).rejects.toThrow('throttled');

    expect(await secret()).toEqual({ key: 'k' });
  });

  it.each([{}, { SecretString: '{"other":1}' }, { SecretString: 'plain' }])(
    'that is not what was expected (%j) is refused',
    async (answer) => {
      secrets.on(GetSecretValueCommand).resolves(answer);

      await expect(createSecret(client, 'arn', schema)()).rejects.toThrow();
    },
  );
});
