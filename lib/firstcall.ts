import { type App, Tags, Validations } from 'aws-cdk-lib';
import { type Configuration, unsetKeys } from './config.ts';
import { ApiStack } from './stacks/api.ts';
import { FoundationStack } from './stacks/foundation.ts';
import { PipelineStack } from './stacks/pipeline.ts';

export interface Firstcall {
  readonly foundation: FoundationStack;
  readonly pipeline: PipelineStack;
  readonly api: ApiStack;
}

/** Adds the three stacks of one environment. What is kept lives in the first; the other two may be rebuilt. */
export function addFirstcall(app: App, config: Configuration): Firstcall {
  const stackName = (part: string): string => `Firstcall-${config.env}-${part}`;

  const foundation = new FoundationStack(app, stackName('Foundation'), { config });
  const pipeline = new PipelineStack(app, stackName('Pipeline'), { config, foundation });
  const api = new ApiStack(app, stackName('Api'), { config, foundation, pipeline });

  Tags.of(app).add('application', 'firstcall');
  Tags.of(app).add('environment', config.env);

  const unset = config.env === 'prod' ? unsetKeys(config) : [];
  if (unset.length > 0) {
    Validations.of(foundation).addWarning(
      'firstcall:example-values',
      `Before deploying, set ${unset.join(', ')} in lib/config.ts or with -c ${unset[0]}=…: they still hold examples.`,
    );
  }
  return { foundation, pipeline, api };
}
