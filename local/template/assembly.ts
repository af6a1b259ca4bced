import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalProblem } from '../problem.ts';

/** JSON as it stands in a template: not yet resolved, so nothing is known of its shape. */
// biome-ignore lint/suspicious/noExplicitAny: templates are untyped JSON; the interpreter checks what it reads
export type Json = any;

/** One resource of a template. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Record<string, Json>;
  readonly Condition?: string;
  readonly Metadata?: Record<string, Json>;
}

/** What local/ reads of a CloudFormation template. */
export interface Template {
  readonly Resources?: Record<string, TemplateResource>;
  readonly Parameters?: Record<string, { Default?: Json }>;
  readonly Conditions?: Record<string, Json>;
  readonly Mappings?: Record<string, Record<string, Record<string, Json>>>;
  readonly Outputs?: Record<string, { Value: Json; Export?: { Name: Json } }>;
}

/** A synthesized stack: its name and its template. */
export interface Stack {
  readonly name: string;
  readonly template: Template;
}

/** A folder written by `cdk synth`. */
export interface Assembly {
  readonly directory: string;
  readonly stacks: readonly Stack[];
  /** Folder of a bundled asset, by its hash. */
  readonly assets: ReadonlyMap<string, string>;
}

const readJson = (file: string): Json => JSON.parse(readFileSync(file, 'utf8'));

/** Reads every stack and asset of a synthesized CDK app. */
export function readAssembly(directory: string): Assembly {
  const manifestFile = join(directory, 'manifest.json');
  if (!existsSync(manifestFile)) {
    throw new LocalProblem(`${directory} holds no synthesized stacks: run \`npx cdk synth\` first.`);
  }
  const artifacts = Object.values<Json>(readJson(manifestFile).artifacts ?? {});
  const stacks: Stack[] = [];
  const assets = new Map<string, string>();
  for (const artifact of artifacts) {
    if (artifact.type === 'aws:cloudformation:stack') {
      const file: string = artifact.properties.templateFile;
      stacks.push({
        name: artifact.properties.stackName ?? file.replace('.template.json', ''),
        template: readJson(join(directory, file)),
      });
    } else if (artifact.type === 'cdk:asset-manifest') {
      const { files } = readJson(join(directory, artifact.properties.file));
      for (const [hash, asset] of Object.entries<Json>(files ?? {})) {
        assets.set(hash, join(directory, asset.source.path));
      }
    } else if (artifact.type === 'cdk:cloud-assembly') {
      const nested = readAssembly(join(directory, artifact.properties.directoryName));
      stacks.push(...nested.stacks);
      for (const [hash, path] of nested.assets) assets.set(hash, path);
    }
  }
  return { directory, stacks, assets };
}
