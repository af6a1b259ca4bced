import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { credentials } from './engines/tables.ts';
import { projectRoot } from './home.ts';
import { LocalProblem } from './problem.ts';
import { region } from './template/identity.ts';

/** The practice that a first start is given. */
export const demoPractice = join('practices', 'demo.yaml');

/**
 * Applies a practice file with the project's own command.
 *
 * @throws LocalProblem with what the command printed
 */
export async function applyPractice(
  file: string,
  system: { readonly home: string; readonly tableName: string; readonly dynamodb: string },
): Promise<void> {
  const command = join('ops', 'practice.ts');
  if (!existsSync(join(projectRoot, command)))
    throw new LocalProblem(`${command} is missing: cannot apply ${file}.`);
  const { accessKeyId, secretAccessKey } = credentials();
  const child = spawn(process.execPath, [command, 'apply', file], {
    cwd: projectRoot,
    env: {
      ...process.env,
      // Else the command would look for the file where npm was called.
      INIT_CWD: projectRoot,
      FIRSTCALL_HOME: system.home,
      TABLE_NAME: system.tableName,
      AWS_ENDPOINT_URL_DYNAMODB: system.dynamodb,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8');
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0)
    throw new LocalProblem(`The practice file ${file} could not be applied:\n${printed.trim()}`);
}
