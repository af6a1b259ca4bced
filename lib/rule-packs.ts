import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, HIPAASecurityChecks, ServerlessChecks } from 'cdk-nag';
import { FirstcallChecks } from './firstcall-checks.ts';

/** The rule packs that every synthesis answers to. An acknowledgement stands beside the construct it is for. */
export const rulePacks = (app: App) => [
  new HIPAASecurityChecks(app),
  new AwsSolutionsChecks(app),
  new ServerlessChecks(app),
  new FirstcallChecks(app),
];

/** Makes synthesis fail on a finding that nobody has acknowledged. */
export function addRulePacks(app: App): void {
  Validations.of(app).addPlugins(...rulePacks(app));
}
