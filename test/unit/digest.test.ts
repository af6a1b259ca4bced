import { describe, expect, it } from 'vitest';
import { createDigest, digestSecretSchema, equalsInConstantTime } from '../../shared/secrets/digest.ts';

const secret = { version: '1', key: 'a key for tests only' };
const digest = createDigest(secret);

describe('a digest', () => {
  it('stays the same for a key, and begins with the version of its secret', () => {
    expect(digest('email', 'maria@example.com')).toBe('1.r0-91xSIuKuNlyFW_iDxfg');
    expect(createDigest(secret)('email', 'maria@example.com')).toBe(digest('email', 'maria@example.com'));
    expect(digest('email', 'maria@example.com')).toMatch(/^1\.[\w-]{22}$/);
  });

  it('differs by purpose, value, key and version', () => {
    const purposes = ['email', 'phone', 'name', 'idempotency', 'body'] as const;
    const digests = [
      ...purposes.map((purpose) => digest(purpose, 'x')),
      digest('email', 'y'),
      digest('email', ''),
      createDigest({ ...secret, key: 'another key for tests' })('email', 'x'),
      createDigest({ ...secret, version: '2' })('email', 'x'),
    ];

    expect(new Set(digests).size).toBe(digests.length);
  });

  it('cannot be moved from the purpose into the value', () => {
    expect(digest('email', '\0x')).not.toBe(digest('email', 'x'));
    expect(digest('name', 'body\0x')).not.toBe(digest('body', 'x'));
  });

  it('needs a secret worth the name', () => {
    expect(digestSecretSchema.safeParse({ version: '1', key: 'short' }).success).toBe(false);
    expect(digestSecretSchema.safeParse({ version: '', key: secret.key }).success).toBe(false);
  });
});

it.each([
  ['key', 'key', true],
  ['key', 'kez', false],
  ['key', 'key ', false],
  ['key', '', false],
  ['', '', true],
  ['é', 'é'.normalize('NFD'), false],
])('%j and %j compare as %s', (a, b, expected) => {
  expect(equalsInConstantTime(a, b)).toBe(expected);
});
