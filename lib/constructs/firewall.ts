import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Stage } from 'aws-cdk-lib/aws-apigateway';
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import type { Route } from '../../shared/http/routes.ts';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import { stageName } from './inquiry-api.ts';
import { problemBody } from './problem-responses.ts';
import type { Surroundings } from './surroundings.ts';

type Rule = CfnWebACL.RuleProperty;
type Statement = CfnWebACL.StatementProperty;

/** Larger bodies are refused everywhere. */
const maximumBodyBytes = 32 * 1024;

/**
 * What a suspected inquiry carries on to `capture`. WAF puts its own prefix
 * before the name: the function sees `x-amzn-waf-firstcall-suspected: managed-rules`.
 */
const suspectedHeader = { name: 'firstcall-suspected', value: 'managed-rules' } as const;

/** AWS's rule groups, and the labels by which a match of theirs is known. */
const managedGroups = [
  {
    name: 'AWSManagedRulesCommonRuleSet',
    labels: [{ scope: 'NAMESPACE', key: 'awswaf:managed:aws:core-rule-set:' }],
  },
  {
    name: 'AWSManagedRulesKnownBadInputsRuleSet',
    labels: [{ scope: 'NAMESPACE', key: 'awswaf:managed:aws:known-bad-inputs:' }],
  },
  {
    // Not by namespace: its third list only counts by AWS's own choice.
    name: 'AWSManagedRulesAmazonIpReputationList',
    labels: [
      { scope: 'LABEL', key: 'awswaf:managed:aws:amazon-ip-list:AWSManagedIPReputationList' },
      { scope: 'LABEL', key: 'awswaf:managed:aws:amazon-ip-list:AWSManagedReconnaissanceList' },
    ],
  },
];

/** Samples would show whole requests, and so patients, in the console: off throughout. */
const visible = (metricName: string): CfnWebACL.VisibilityConfigProperty => ({
  cloudWatchMetricsEnabled: true,
  metricName,
  sampledRequestsEnabled: false,
});

const asIs = [{ priority: 0, type: 'NONE' }];

/** A route's path as a regular expression; the first of all is also reached by the stage alone. */
const pathPattern = ({ path }: Route): string =>
  path === '/'
    ? `|${stageName}`
    : path
        .slice(1)
        .replaceAll('.', '\\.')
        .replaceAll(/\{\w+\}/g, '[^/]+');

/** Exact paths: what is written in any other way, percent-encoded say, does not get the milder treatment. */
function isForAnybody(routes: readonly Route[]): Statement {
  const byMethod = Map.groupBy(
    routes.filter(({ access }) => access === 'public'),
    ({ method }) => method,
  );
  const statements = [...byMethod].map(([method, ofMethod]) => ({
    andStatement: {
      statements: [
        {
          byteMatchStatement: {
            fieldToMatch: { method: {} },
            positionalConstraint: 'EXACTLY',
            searchString: method,
            textTransformations: asIs,
          },
        },
        {
          regexMatchStatement: {
            // The stage is part of the path unless the practice's own domain stands before it.
            fieldToMatch: { uriPath: {} },
            regexString: `^/(${stageName}/)?(${ofMethod.map(pathPattern).join('|')})$`,
            textTransformations: asIs,
          },
        },
      ],
    },
  }));
  return { orStatement: { statements } };
}

export interface FirewallProps {
  readonly surroundings: Surroundings;
  readonly stage: Stage;
  readonly routes: readonly Route[];
}

/**
 * The firewall before the API. Two rules of ours block everywhere: too many
 * requests from one address, and a body too large. AWS's rules only label; what
 * they label is blocked on the routes of staff. Where anybody may come it is let
 * through and marked: a patient who writes `<b>`, pastes a long letter or shares an
 * address with somebody bad is quarantined, sees the form, and can unsubscribe.
 */
export class Firewall extends Construct {
  constructor(scope: Construct, id: string, props: FirewallProps) {
    super(scope, id);
    const { surroundings, stage, routes } = props;
    const { config } = surroundings;

    const suspected: Statement = {
      orStatement: {
        statements: managedGroups
          .flatMap(({ labels }) => labels)
          .map((label) => ({ labelMatchStatement: label })),
      },
    };
    const forAnybody = isForAnybody(routes);

    const rules: Omit<Rule, 'priority' | 'visibilityConfig'>[] = [
      {
        name: 'TooManyRequests',
        statement: {
          rateBasedStatement: {
            aggregateKeyType: 'IP',
            evaluationWindowSec: 300,
            limit: config.requestsPerAddress,
          },
        },
        action: this.#refuseWith(429, 'tooManyRequests', { name: 'retry-after', value: '300' }),
      },
      {
        name: 'BodyTooLarge',
        statement: {
          sizeConstraintStatement: {
            // Beyond what is inspected it is too large for certain.
            fieldToMatch: { body: { oversizeHandling: 'MATCH' } },
            comparisonOperator: 'GT',
            size: maximumBodyBytes,
            textTransformations: asIs,
          },
        },
        action: this.#refuseWith(413, 'bodyTooLarge'),
      },
      ...managedGroups.map(({ name }) => ({
        name,
        statement: { managedRuleGroupStatement: { vendorName: 'AWS', name } },
        overrideAction: { count: {} },
      })),
      {
        name: 'MarkSuspectedRequest',
        statement: { andStatement: { statements: [forAnybody, suspected] } },
        action: { count: { customRequestHandling: { insertHeaders: [suspectedHeader] } } },
      },
      {
        name: 'BlockSuspectedRequest',
        statement: {
          andStatement: { statements: [{ notStatement: { statement: forAnybody } }, suspected] },
        },
        action: { block: {} },
      },
    ];

    const acl = new CfnWebACL(this, 'Acl', {
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visible('Firewall'),
      // By default only 16 KB are looked at, less than our limit.
      associationConfig: { requestBody: { API_GATEWAY: { defaultSizeInspectionLimit: 'KB_64' } } },
      customResponseBodies: {
        tooManyRequests: refusal(429, 'Too Many Requests', 'Please wait five minutes and try again.'),
        bodyTooLarge: refusal(413, 'Content Too Large', `At most ${maximumBodyBytes} bytes are taken.`),
      },
      rules: rules.map((rule, priority) => ({ ...rule, priority, visibilityConfig: visible(rule.name) })),
    });
    new CfnWebACLAssociation(this, 'OfStage', { webAclArn: acl.attrArn, resourceArn: stage.stageArn });
    this.#logBlockedRequests(acl, surroundings);
  }

  #refuseWith(
    responseCode: number,
    customResponseBodyKey: string,
    ...headers: CfnWebACL.CustomHTTPHeaderProperty[]
  ): CfnWebACL.RuleActionProperty {
    const responseHeaders = [{ name: 'cache-control', value: 'no-store' }, ...headers];
    return { block: { customResponse: { responseCode, customResponseBodyKey, responseHeaders } } };
  }

  /**
   * Only what was blocked: a record cannot be without the sender's address, and
   * whoever sent an inquiry is not to be found in a log.
   */
  #logBlockedRequests(acl: CfnWebACL, surroundings: Surroundings): void {
    const logGroup = new EncryptedLogGroup(this, 'Logs', {
      surroundings,
      // WAF accepts no other beginning.
      logGroupName: `aws-waf-logs-${surroundings.config.prefix}`,
    });
    const logging = new CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: acl.attrArn,
      // Without the `:*` at the end that a log group's own ARN has.
      logDestinationConfigs: [
        Stack.of(this).formatArn({
          service: 'logs',
          resource: 'log-group',
          resourceName: logGroup.logGroupName,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
      loggingFilter: {
        DefaultBehavior: 'DROP',
        Filters: [
          {
            Behavior: 'KEEP',
            Requirement: 'MEETS_ANY',
            Conditions: [{ ActionCondition: { Action: 'BLOCK' } }],
          },
        ],
      },
      redactedFields: [
        { queryString: {} },
        ...['authorization', 'cookie', 'referer'].map((name) => ({ singleHeader: { Name: name } })),
      ],
    });
    logging.node.addDependency(logGroup);
  }
}

/** WAF knows three types of content, and problem details are not among them. */
const refusal = (status: number, title: string, detail: string): CfnWebACL.CustomResponseBodyProperty => ({
  contentType: 'APPLICATION_JSON',
  content: problemBody({ status, title, detail }),
});
