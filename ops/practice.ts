/**
 * `npm run practice -- <command>`: the practice's configuration from a file, its triage rules and what
 * can be learned from its own inquiries. One file in `commands/` for each group of commands.
 */
import { apply, check, exportFile, plan, schema } from './commands/configuration.ts';
import { codeOf } from './system.ts';
import { Refusal } from './terminal.ts';

const usage = `Usage: npm run practice -- <command> [...]

The practice file
  check <file>             says whether the file is valid, and what is wrong where
  plan <file>              shows what applying it would change
  apply <file>             applies it; --force also over what was changed by other means
  export [file]            writes what is in force as a file
  schema                   prints the file's JSON Schema, for editors

apply stands with your user name, or with --author <name>.

The table is the one of the system that runs here (npm start), or the one that TABLE_NAME names, in
the AWS account and region of the environment.`;

const commands: Readonly<Record<string, (args: string[]) => Promise<void>>> = {
  check,
  plan,
  apply,
  export: exportFile,
  schema,
};

async function main([name, ...args]: readonly string[]): Promise<void> {
  if (name === undefined) throw new Refusal(usage);
  if (['help', '--help', '-h'].includes(name) || args.includes('--help')) return console.log(usage);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new Refusal(`There is no command ${name}. See: npm run practice -- help`);
  await command(args);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const ours = error instanceof Refusal || codeOf(error).startsWith('ERR_PARSE_ARGS');
  console.error(ours ? (error as Error).message : error);
  process.exitCode = 1;
}
