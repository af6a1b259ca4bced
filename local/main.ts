import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { LocalProblem, messageOf } from './problem.ts';

/** `npm start`: runs Firstcall on this machine until Ctrl-C. */
async function main(): Promise<void> {
  const started = performance.now();
  const { values } = parseArgs({ options: { fresh: { type: 'boolean', default: false } } });
  // As in Lambda, and for every thread.
  process.env.TZ = 'UTC';

  const report = (line: string): void => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(ready ? `· ${line}` : `· ${seconds.padStart(4)} s  ${line}`);
  };
  let ready = false;
  let end: ((signal: NodeJS.Signals) => void) | undefined;
  let signalled: NodeJS.Signals | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // The second time at once; the engines' guard then sees to its child.
      if (signalled) process.exit(130);
      signalled = signal;
      if (!end) process.exit(130);
      end(signal);
    });
  }
  endWithParent();

  const { startLocal } = await import('./system.ts');
  const system = await startLocal({
    port: Number(process.env.PORT ?? 4000),
    fresh: values.fresh,
    watch: true,
    report,
  });
  end = (signal) => {
    console.log(signal === 'SIGINT' ? '\n· stopping (Ctrl-C again: at once)' : '· stopping');
    system.stop().then(
      () => process.exit(0),
      (error) => {
        console.error(messageOf(error));
        process.exit(1);
      },
    );
  };
  ready = true;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  // The jar binds to every address and takes no other; whoever runs this should know.
  const openPort = process.env.AWS_ENDPOINT_URL_DYNAMODB
    ? ''
    : `\n  DynamoDB Local ${system.endpoints.dynamodb}   (open on every interface: made-up data only, or a firewall)`;
  console.log(`
Firstcall is running (${seconds} s).

  Inquiry form   ${system.origin}/
  Inbox          ${system.inboxUrl}/   (as JSON: ${system.inboxUrl}/store)
  Logs           ${relative(process.cwd(), `${system.home}/logs`) || system.home}/${openPort}

Send an inquiry:

  curl -i ${system.origin}/v1/inquiries -H 'content-type: application/json' \\
    -d '{"name":"Maria Lopez","email":"maria@example.com","phone":"(650) 555-0188","service":"dermatology-acne","location":"mountain-view"}'

See it as staff, with the id of the answer:

  curl -s ${system.origin}/v1/inquiries/<id> -H "authorization: Bearer $(npm run -s token -- coordinator)"

Ctrl-C stops; \`npm start -- --fresh\` begins anew. Changes in functions/ and shared/ are taken up.
`);
}

/**
 * npm starts this through a shell, which ends without a word when npm is told to
 * end: stop then too, or the port would stay taken.
 */
function endWithParent(): void {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  timer.unref();
}

main().catch((error: unknown) => {
  if (error instanceof LocalProblem) console.error(error.message);
  else if (error instanceof TypeError && 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    console.error(`${error.message.split('.')[0]}: npm start takes only -- --fresh.`);
  } else console.error(error);
  process.exit(1);
});
