import { parseArgs } from 'node:util';
import { openIssuer, type Role, roles } from './engines/issuer.ts';
import { homeAt } from './home.ts';
import { messageOf } from './problem.ts';

const usage = `Usage: npm run token -- <${roles.join('|')}> [--member <sign-in name>]`;

/** `npm run token`: prints an access token of the local issuer, and nothing else. */
async function main(): Promise<string> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { member: { type: 'string' } },
  });
  const role = roles.find((name) => name === positionals[0]) as Role | undefined;
  if (!role || positionals.length > 1) throw new Error(usage);
  const issuer = await openIssuer(homeAt().issuer);
  if (!issuer) throw new Error('There is no local issuer yet: run `npm start` once.');
  return await issuer.token(role, values.member);
}

main().then(
  (token) => console.log(token),
  (error: unknown) => {
    console.error(messageOf(error));
    process.exit(1);
  },
);
