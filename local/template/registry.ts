import { LocalProblem } from '../problem.ts';
import type { Resource } from './resolve.ts';

/** Types that `local/` runs. */
export const runTypes: ReadonlySet<string> = new Set([
  'AWS::ApiGateway::Authorizer',
  'AWS::ApiGateway::GatewayResponse',
  'AWS::ApiGateway::Method',
  'AWS::ApiGateway::Resource',
  'AWS::ApiGateway::RestApi',
  'AWS::ApiGateway::Stage',
  'AWS::CloudWatch::Alarm',
  'AWS::Cognito::UserPool',
  'AWS::Cognito::UserPoolClient',
  'AWS::DynamoDB::Table',
  'AWS::Events::Rule',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function',
  'AWS::SNS::Subscription',
  'AWS::SQS::Queue',
  'AWS::SecretsManager::Secret',
  'AWS::WAFv2::WebACL',
]);

/**
 * Types known to change nothing on one machine, with why. A type must be
 * listed to be passed over: whoever adds one to the stacks decides here what
 * it means locally.
 */
export const inertTypes: Readonly<Record<string, string>> = {
  'AWS::ApiGateway::Account': 'logging role of the account',
  'AWS::ApiGateway::Deployment': 'the local gateway serves the template as it is',
  'AWS::ApiGateway::Model': 'used by request validation only, which methods here do not ask for',
  'AWS::ApiGateway::RequestValidator': 'methods that ask for models or required parameters are refused',
  'AWS::ApiGateway::UsagePlan': 'throttling per client',
  'AWS::Backup::BackupPlan': 'backups',
  'AWS::Backup::BackupSelection': 'backups',
  'AWS::Backup::BackupVault': 'backups',
  'AWS::CDK::Metadata': 'statistics of the CDK',
  'AWS::CloudWatch::CompositeAlarm': 'alarms',
  'AWS::CloudWatch::Dashboard': 'dashboards',
  'AWS::Cognito::ManagedLoginBranding': 'sign-in pages; the local issuer has none',
  'AWS::Cognito::UserPoolDomain': 'sign-in pages; the local issuer has none',
  'AWS::Cognito::UserPoolGroup': 'the local issuer puts the role into the token',
  'AWS::Cognito::UserPoolResourceServer': 'the local issuer puts the scope into the token',
  'AWS::IAM::ManagedPolicy': 'permissions',
  'AWS::IAM::Policy': 'permissions',
  'AWS::IAM::Role': 'permissions',
  'AWS::KMS::Alias': 'encryption at rest',
  'AWS::KMS::Key': 'encryption at rest',
  'AWS::Lambda::EventInvokeConfig': 'retries of asynchronous invocations',
  'AWS::Lambda::Permission': 'permissions',
  'AWS::Logs::LogGroup': 'logs go to files',
  'AWS::Logs::MetricFilter': 'metrics',
  'AWS::Logs::ResourcePolicy': 'permissions',
  'AWS::SES::ConfigurationSet': 'the local inbox takes every mail',
  'AWS::SES::ConfigurationSetEventDestination':
    'told of mail to the mailbox simulator; of openings, where it asks for them',
  'AWS::SES::EmailIdentity': 'the local inbox takes every sender',
  'AWS::SNS::Topic': 'alarms',
  'AWS::SNS::TopicPolicy': 'permissions',
  'AWS::SQS::QueuePolicy': 'permissions',
  'AWS::SecretsManager::ResourcePolicy': 'permissions',
  'AWS::WAFv2::LoggingConfiguration': 'logs',
  'AWS::WAFv2::WebACLAssociation': 'the firewall stands before the one API there is',
};

/** An error that names a resource which cannot be run here, and what to do. */
export const cannotRun = (resource: Resource, why: string): LocalProblem =>
  new LocalProblem(
    `local/ cannot run ${resource.type} ${resource.logicalId} (stack ${resource.stack}): ${why}`,
  );

/**
 * Refuses resources of types that nobody has decided about.
 *
 * @throws LocalProblem naming type, logical id and stack of each
 */
export function assertAllKnown(resources: readonly Resource[]): void {
  const unknown = resources.filter(({ type }) => !runTypes.has(type) && !(type in inertTypes));
  if (unknown.length === 0) return;
  const names = unknown.map(({ type, logicalId, stack }) => `${type} ${logicalId} (stack ${stack})`);
  throw new LocalProblem(
    `local/ cannot run ${names.join(', ')}: teach it the type, or list it as inert, in local/template/registry.ts.`,
  );
}
