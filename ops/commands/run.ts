/** The commands of `npm run practice`, by name. */

import { Refusal } from '../terminal.ts';
import { apply, check, exportFile, plan, schema } from './configuration.ts';
import { messages } from './messages.ts';
import { replay } from './replay.ts';
import { rules } from './rules.ts';
import { tiers } from './tiers.ts';
import { verify } from './verify.ts';

const usage = `Usage: npm run practice -- <command> [...]

The practice file
  check <file>             says whether the file is valid, and what is wrong where
  plan <file>              shows what applying it would change
  apply <file>             applies it; --force also over what was changed by other means
  export [file]            writes what is in force as a file
  schema                   prints the file's JSON Schema, for editors

Triage rules; a rules file is YAML, a list of rules or rules: with one
  rules templates          lists the templates to start from
  rules template <id>      prints one filled in; --set <slot>=<value> for each slot
  rules add <id>           puts it at the end of a file: --to <rules-file>
  rules try                shows which rules hold for one inquiry, and why not the others:
                           --rules <file> --inquiry <id>
  replay                   shows which past inquiries would change, and why; writes nothing:
                           --rules <file> [--last 500] [--all]
  rules draft <file>       saves a draft beside the rules in force
  rules publish [file]     puts a file's rules in force, or the draft; --note <why>
  rules history            lists the published versions
  rules show <version>     prints one, or the draft
  rules rollback <version> puts an old version in force again

Messages to people
  messages                 lists the templates; --practice <file> for those of a file
  messages <template>      shows it as somebody would get it: [--language es | --inquiry <id>] [--html]

The practice's own inquiries
  tiers                    suggests tier cut-offs from the scores of the last 90 days
  verify                   rebuilds inquiries and people from their timelines and compares:
                           [--sample 100]

What changes something stands with your user name, or with --author <name>. A template is filled
for the practice in force, or for the one of --practice <file>.

The table is the one of the system that runs here (npm start), or the one that TABLE_NAME names, in
the AWS account and region of the environment.`;

const commands: Readonly<Record<string, (args: string[]) => Promise<void>>> = {
  check,
  plan,
  apply,
  export: exportFile,
  schema,
  rules,
  replay,
  messages,
  tiers,
  verify,
};

/**
 * Runs one command; what it has to say goes to the terminal.
 *
 * @throws Refusal for what whoever runs it can set right, in a line
 */
export async function runCommand([name, ...args]: readonly string[]): Promise<void> {
  if (name === undefined) throw new Refusal(usage);
  if (['help', '--help', '-h'].includes(name) || args.includes('--help')) return console.log(usage);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new Refusal(`There is no command ${name}. See: npm run practice -- help`);
  await command(args);
}
