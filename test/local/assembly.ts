// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders of CloudFormation
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Assembly, type Json, readAssembly } from '../../local/template/assembly.ts';

const bucket = { 'Fn::Sub': 'cdk-assets-${AWS::AccountId}-${AWS::Region}' };

/** A function as the CDK writes it, with `overrides` on its properties. */
export const functionResource = (environment: Json = {}): Json => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: { S3Bucket: bucket, S3Key: 'abc.zip' },
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    Timeout: 10,
    MemorySize: 256,
    Environment: { Variables: environment },
  },
});

/** Writes stacks as `cdk synth` does, each with one asset `abc`, and reads them back. */
export function assemblyOf(stacks: Record<string, Json>): Assembly {
  const directory = mkdtempSync(join(tmpdir(), 'firstcall-assembly-'));
  const artifacts: Json = {};
  for (const [name, template] of Object.entries(stacks)) {
    writeFileSync(join(directory, `${name}.template.json`), JSON.stringify(template));
    artifacts[name] = {
      type: 'aws:cloudformation:stack',
      properties: { templateFile: `${name}.template.json` },
    };
    writeFileSync(
      join(directory, `${name}.assets.json`),
      JSON.stringify({ files: { abc: { source: { path: 'asset.abc', packaging: 'zip' } } } }),
    );
    artifacts[`${name}.assets`] = {
      type: 'cdk:asset-manifest',
      properties: { file: `${name}.assets.json` },
    };
  }
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ artifacts }));
  try {
    return readAssembly(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
