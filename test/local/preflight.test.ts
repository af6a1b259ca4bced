import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePort } from '../../local/preflight.ts';

it('a free port is none that the system hands out to somebody else meanwhile', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));

  for (const port of ports) expect([port, port >= 20_000 && port < 32_000]).toEqual([port, true]);
});

it('the preferred port is taken where nobody has it, and another where somebody has', async () => {
  const wanted = await freePort();
  expect(await freePort(wanted)).toBe(wanted);

  const other = createServer();
  await new Promise<void>((resolve) => other.listen(wanted, '127.0.0.1', resolve));
  try {
    expect(await freePort(wanted)).not.toBe(wanted);
  } finally {
    await new Promise((resolve) => other.close(resolve));
  }
});
