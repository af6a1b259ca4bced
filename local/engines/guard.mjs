// Runs one program and ends it when its own parent is gone, however that died:
// then the pipe on standard input closes. Started in a process group of its
// own, so that Ctrl-C reaches only the parent, which ends things in order.
import { spawn } from 'node:child_process';

const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
process.send?.({ pid: child.pid });

const end = () => {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), 3000).unref();
};
process.stdin.on('end', end).on('error', end).resume();
process.on('SIGTERM', end);
process.on('SIGINT', () => {});
child.on('error', () => process.exit(127));
child.on('exit', (code) => process.exit(code ?? 0));
