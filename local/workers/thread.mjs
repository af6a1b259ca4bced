// One execution environment of a function: loads the bundle, answers one
// invocation at a time. Plain JavaScript, since stripping types would cost
// every new thread 50 ms.
import { closeSync, openSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { bundleFile, exportName, logFile, functionName, functionArn, memoryMiB, clockAheadMs } = workerData;

// Written straight to the file: what was logged before a crash is there after it.
const log = openSync(logFile, 'a', 0o600);
const write = (chunk, encoding, done) => {
  const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
  writeSync(log, text);
  if (text.includes('"level":"ERROR"') || text.includes('"level":"CRITICAL"')) {
    parentPort.postMessage({ kind: 'logged-error' });
  }
  const callback = typeof encoding === 'function' ? encoding : done;
  if (callback) queueMicrotask(callback);
  return true;
};
process.stdout.write = write;
process.stderr.write = write;
process.on('exit', () => closeSync(log));

if (clockAheadMs !== 0) {
  globalThis.Date = new Proxy(Date, {
    construct: (Clock, given, made) =>
      Reflect.construct(Clock, given.length > 0 ? given : [Clock.now() + clockAheadMs], made),
    get: (Clock, name) => (name === 'now' ? () => Clock.now() + clockAheadMs : Reflect.get(Clock, name)),
  });
}

const describe = (error) => ({
  errorType: error?.name ?? 'Error',
  errorMessage: error?.message ?? String(error),
  stack: error?.stack,
});

// As in Lambda, the module is loaded before the first event, and an error in it fails that event.
const loading = import(pathToFileURL(bundleFile).href).then((module) => {
  if (typeof module[exportName] !== 'function')
    throw new Error(`${exportName} is not exported by the bundle`);
  return module[exportName];
});
loading.then(
  () => parentPort.postMessage({ kind: 'loaded' }),
  (error) => {
    write(`${JSON.stringify({ level: 'ERROR', message: 'INIT failed', ...describe(error) })}\n`);
    parentPort.postMessage({ kind: 'failed-to-load', error: describe(error) });
  },
);

const contextOf = (requestId, deadline) => ({
  functionName,
  functionVersion: '$LATEST',
  invokedFunctionArn: functionArn,
  memoryLimitInMB: String(memoryMiB),
  awsRequestId: requestId,
  logGroupName: `/aws/lambda/${functionName}`,
  logStreamName: 'local',
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => Math.max(0, deadline + clockAheadMs - Date.now()),
  done: () => {},
  fail: () => {},
  succeed: () => {},
});

parentPort.on('message', async ({ requestId, payload, deadline }) => {
  try {
    const handler = await loading;
    const result = await handler(JSON.parse(payload), contextOf(requestId, deadline));
    parentPort.postMessage({ kind: 'result', payload: JSON.stringify(result ?? null) });
  } catch (error) {
    const described = describe(error);
    writeSync(
      log,
      `${JSON.stringify({ level: 'ERROR', message: 'Invoke Error', requestId, ...described })}\n`,
    );
    parentPort.postMessage({ kind: 'error', error: described });
  }
});
