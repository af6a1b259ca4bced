import { describe, expect, test } from 'vitest';
import { withPreflights } from '../../lib/constructs/inquiry-api.ts';
import { routes } from '../../shared/http/routes.ts';
import { asList, type Json, ofType, readable, synthesized, the } from './synthesized.ts';

describe.each(['dev', 'prod'] as const)('API of %s', (env) => {
  const { api, config } = synthesized(env);
  const kept = env === 'prod';

  /** Methods of the template by `VERB /path`. */
  const methods = new Map<string, Json>();
  const resources = new Map(ofType(api, 'AWS::ApiGateway::Resource'));
  const pathOf = (resourceId: Json): string => {
    const resource = resourceId.Ref && resources.get(resourceId.Ref)?.Properties;
    return resource ? `${pathOf(resource.ParentId)}/${resource.PathPart}` : '';
  };
  for (const [, { Properties }] of ofType(api, 'AWS::ApiGateway::Method')) {
    methods.set(`${Properties.HttpMethod} ${pathOf(Properties.ResourceId) || '/'}`, Properties);
  }

  test('signs staff in by the name they are configured with', () => {
    const { Properties } = the(api, 'AWS::Cognito::UserPool', 'Staff');

    // With an address as the user name, tokens would name a generated id that no member is known by.
    expect(Properties.UsernameAttributes).toBeUndefined();
    expect(Properties.AliasAttributes).toEqual(['email']);
  });

  test('has every route of the table of routes, an OPTIONS for each staff path, and nothing else', () => {
    const expected = withPreflights(routes).map(({ method, path }) => `${method} ${path}`);

    expect([...methods.keys()].sort()).toEqual([...expected].sort());
    for (const { path } of routes.filter(({ access }) => access === 'staff')) {
      expect(methods.has(`OPTIONS ${path}`)).toBe(true);
    }
  });

  test.each(withPreflights(routes))('$method $path is for $access and answered by $answeredBy', (route) => {
    const method = methods.get(`${route.method} ${route.path}`);

    expect(readable(method.Integration.Uri)).toMatch(
      new RegExp(
        `functions/${{ api: 'Api', capture: 'Capture', unsubscribe: 'Unsubscribe' }[route.answeredBy]}\\.Arn/invocations$`,
      ),
    );
    if (route.access === 'staff') {
      expect(method.AuthorizationType).toBe('COGNITO_USER_POOLS');
      expect(method.AuthorizationScopes).toEqual(['firstcall/staff']);
    } else {
      expect(method.AuthorizationType).toBe('NONE');
      expect(method.AuthorizationScopes).toBeUndefined();
    }
  });

  test('each function is permitted once, for the whole API', () => {
    const permitted = ofType(api, 'AWS::Lambda::Permission').map(([, { Properties }]) => [
      readable(Properties.FunctionName),
      readable(Properties.SourceArn).replace(/^.*AccountId:/, ''),
    ]);

    expect(permitted.sort()).toEqual([
      ['Api.Arn', 'RestApi/*/*/*'],
      ['Capture.Arn', 'RestApi/*/*/*'],
      ['Unsubscribe.Arn', 'RestApi/*/*/*'],
    ]);
  });

  test('handlers get bodies as the bytes that were sent', () => {
    expect(the(api, 'AWS::ApiGateway::RestApi', 'RestApi').Properties.BinaryMediaTypes).toEqual([
      'application/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
    ]);
  });

  test('the stage is throttled, caches nothing, logs no body and traces no sender', () => {
    const [[, stage] = []] = ofType(api, 'AWS::ApiGateway::Stage');

    // A trace of API Gateway holds the sender's address and agent, and the URL with its query.
    expect(stage?.Properties).toMatchObject({ StageName: 'live', TracingEnabled: false });
    expect(stage?.Properties.CacheClusterEnabled).toBeUndefined();
    expect(stage?.Properties.MethodSettings).toEqual([
      {
        HttpMethod: '*',
        ResourcePath: '/*',
        DataTraceEnabled: false,
        LoggingLevel: 'ERROR',
        MetricsEnabled: true,
        ThrottlingRateLimit: config.requestsPerSecond,
        ThrottlingBurstLimit: config.requestBurst,
      },
    ]);
  });

  test('the access log names no person: no address, agent, path, query or caller', () => {
    const [[, stage] = []] = ofType(api, 'AWS::ApiGateway::Stage');
    const format: string = stage?.Properties.AccessLogSetting.Format;

    expect(format).toContain('$context.resourcePath');
    expect(format).not.toMatch(/identity|\$context\.path"|authorizer|queryString|\.header|body/i);
  });

  test('the log group of the gateway itself is made before the gateway would', () => {
    const [[, stage] = []] = ofType(api, 'AWS::ApiGateway::Stage');
    const [id, group] = ofType(api, 'AWS::Logs::LogGroup').find(([each]) =>
      each.includes('ExecutionLogs'),
    ) as [string, Json];

    expect(readable(group.Properties.LogGroupName)).toBe('API-Gateway-Execution-Logs_RestApi/live');
    expect(stage?.DependsOn).toContain(id);
  });

  test('refusals of the gateway are problem details that repeat nothing of the request', () => {
    const responses = ofType(api, 'AWS::ApiGateway::GatewayResponse').map(([, { Properties }]) => Properties);
    const types = responses.map(({ ResponseType }) => ResponseType);
    expect(types).toEqual(
      expect.arrayContaining([
        'DEFAULT_4XX',
        'DEFAULT_5XX',
        'UNAUTHORIZED',
        'ACCESS_DENIED',
        'MISSING_AUTHENTICATION_TOKEN',
        'REQUEST_TOO_LARGE',
        'THROTTLED',
        'WAF_FILTERED',
      ]),
    );
    for (const { StatusCode, ResponseParameters, ResponseTemplates } of responses) {
      expect(ResponseParameters).toEqual({
        'gatewayresponse.header.access-control-allow-origin': `'${new URL(config.consoleUrl).origin}'`,
        'gatewayresponse.header.cache-control': "'no-store'",
        'gatewayresponse.header.content-type': "'application/problem+json'",
        'gatewayresponse.header.vary': "'Origin'",
      });
      expect(Object.keys(ResponseTemplates)).toEqual(['application/json']);
      const body = JSON.parse(ResponseTemplates['application/json']);
      expect(body).toEqual({
        type: 'about:blank',
        title: expect.any(String),
        status: Number(StatusCode),
        detail: expect.any(String),
      });
      expect(ResponseTemplates['application/json']).not.toContain('$');
    }
    const missing = responses.find(({ ResponseType }) => ResponseType === 'MISSING_AUTHENTICATION_TOKEN');
    expect(missing?.StatusCode).toBe('404');
  });

  describe('firewall', () => {
    const [[, acl] = []] = ofType(api, 'AWS::WAFv2::WebACL');
    const rules: Json[] = acl?.Properties.Rules;
    const rule = (name: string): Json => rules.find(({ Name }) => Name === name);

    test('stands before the stage', () => {
      const [[, association] = []] = ofType(api, 'AWS::WAFv2::WebACLAssociation');
      expect(readable(association?.Properties.ResourceArn)).toMatch(
        /:apigateway:AWS::Region::\/restapis\/RestApi\/stages\/RestApiDeploymentStagelive$/,
      );
    });

    test('looks at 64 KB of a body and refuses one over 32 KB everywhere', () => {
      expect(acl?.Properties.AssociationConfig).toEqual({
        RequestBody: { API_GATEWAY: { DefaultSizeInspectionLimit: 'KB_64' } },
      });
      expect(rule('BodyTooLarge').Statement.SizeConstraintStatement).toMatchObject({
        FieldToMatch: { Body: { OversizeHandling: 'MATCH' } },
        ComparisonOperator: 'GT',
        Size: 32768,
      });
      expect(rule('BodyTooLarge').Action.Block.CustomResponse.ResponseCode).toBe(413);
    });

    test('refuses too many requests of one address everywhere', () => {
      expect(rule('TooManyRequests').Statement.RateBasedStatement).toEqual({
        AggregateKeyType: 'IP',
        EvaluationWindowSec: 300,
        Limit: config.requestsPerAddress,
      });
      expect(rule('TooManyRequests').Action.Block.CustomResponse.ResponseCode).toBe(429);
    });

    test('what it answers are problem details', () => {
      for (const { Action } of [rule('TooManyRequests'), rule('BodyTooLarge')]) {
        const { ResponseCode, CustomResponseBodyKey } = Action.Block.CustomResponse;
        const body = acl?.Properties.CustomResponseBodies[CustomResponseBodyKey];
        expect(body.ContentType).toBe('APPLICATION_JSON');
        expect(JSON.parse(body.Content)).toMatchObject({ type: 'about:blank', status: ResponseCode });
      }
    });

    test("AWS's rules only label", () => {
      const managed = rules.filter(({ Statement }) => Statement.ManagedRuleGroupStatement);

      expect(managed).toHaveLength(3);
      for (const { OverrideAction, Action } of managed) {
        expect(OverrideAction).toEqual({ Count: {} });
        expect(Action).toBeUndefined();
      }
    });

    test('what is labelled is marked and let through where it is for anybody, and blocked elsewhere', () => {
      const mark = rule('MarkSuspectedRequest');
      const block = rule('BlockSuspectedRequest');
      const [forAnybody, labels] = mark.Statement.AndStatement.Statements;

      expect(mark.Action.Count.CustomRequestHandling.InsertHeaders).toEqual([
        { Name: 'firstcall-suspected', Value: 'managed-rules' },
      ]);
      expect(block.Action).toEqual({ Block: {} });
      expect(block.Statement.AndStatement.Statements).toEqual([
        { NotStatement: { Statement: forAnybody } },
        labels,
      ]);
      const lastLabel = Math.max(
        ...rules.filter(({ OverrideAction }) => OverrideAction).map((r) => r.Priority),
      );
      expect(mark.Priority).toBeGreaterThan(lastLabel);
      expect(block.Priority).toBeGreaterThan(lastLabel);
    });

    describe('for anybody is exactly a public route', () => {
      const { Statements } = rule('MarkSuspectedRequest').Statement.AndStatement.Statements[0].OrStatement;
      const isMarked = (method: string, path: string): boolean =>
        Statements.some(({ AndStatement }: Json) => {
          const [{ ByteMatchStatement: byMethod }, { RegexMatchStatement: byPath }] = AndStatement.Statements;
          expect(byMethod.PositionalConstraint).toBe('EXACTLY');
          expect(byPath.RegexString.length).toBeLessThanOrEqual(512);
          return byMethod.SearchString === method && new RegExp(byPath.RegexString).test(path);
        });

      // Whoever shares an address with somebody bad can still open the form and write; a link to
      // unsubscribe works whatever program clicks it.
      test.each([
        ['GET', '/'],
        ['GET', '/live'],
        ['GET', '/live/'],
        ['GET', '/live/thank-you'],
        ['POST', '/live/v1/inquiries'],
        ['POST', '/v1/inquiries'],
        ['OPTIONS', '/live/v1/inquiries'],
        ['POST', '/live/v1/webhooks/google-ads'],
        ['GET', '/live/v1/unsubscribe/con_1.inquiry.1.abc'],
        ['POST', '/v1/unsubscribe/con_1.inquiry.1.abc'],
      ])('%s %s is', (method, path) => expect(isMarked(method, path)).toBe(true));

      test.each([
        ['GET', '/live/v1/inquiries'],
        ['PATCH', '/live/v1/inquiries'],
        ['POST', '/live/v1/inquiries/inq_1'],
        ['GET', '/live/v1/inquiries/inq_1'],
        ['GET', '/live/v1/queue'],
        ['POST', '/v1/inquiriesx'],
        ['POST', '/x/v1/inquiries'],
        ['POST', '/live/v1/contacts/search'],
        ['GET', '/live/v1/unsubscribe/a/b'],
        ['GET', '/live/v1/unsubscribe/'],
        ['GET', '/live/thank%2dyou'],
        ['OPTIONS', '/live/v1/queue'],
      ])('%s %s is not', (method, path) => expect(isMarked(method, path)).toBe(false));

      test.each(routes.filter(({ access }) => access === 'staff'))('$method $path is not', (route) =>
        expect(isMarked(route.method, route.path.replaceAll(/\{\w+\}/g, 'inq_1'))).toBe(false),
      );
    });

    test('keeps no samples, and logs what it blocked without query and credentials', () => {
      for (const { VisibilityConfig } of [acl?.Properties, ...rules]) {
        expect(VisibilityConfig.SampledRequestsEnabled).toBe(false);
      }
      api.hasResourceProperties('AWS::WAFv2::LoggingConfiguration', {
        LoggingFilter: { DefaultBehavior: 'DROP' },
        RedactedFields: [
          { QueryString: {} },
          { SingleHeader: { Name: 'authorization' } },
          { SingleHeader: { Name: 'cookie' } },
          { SingleHeader: { Name: 'referer' } },
        ],
      });
    });
  });

  describe('staff', () => {
    test('are invited, with a second factor that is not a text message', () => {
      const [[, pool] = []] = ofType(api, 'AWS::Cognito::UserPool');

      expect(pool?.Properties).toMatchObject({
        AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
        MfaConfiguration: 'ON',
        EnabledMfas: ['SOFTWARE_TOKEN_MFA'],
        UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' },
        DeletionProtection: kept ? 'ACTIVE' : 'INACTIVE',
      });
      expect(pool?.DeletionPolicy).toBe(kept ? 'RetainExceptOnCreate' : 'Delete');
    });

    test('have the four roles', () => {
      const groups = ofType(api, 'AWS::Cognito::UserPoolGroup').map(
        ([, { Properties }]) => Properties.GroupName,
      );
      expect(groups.sort()).toEqual(['admin', 'coordinator', 'manager', 'marketer']);
    });

    test('sign in by code with a public client, for minutes, with rotated refresh tokens', () => {
      const [[, client] = []] = ofType(api, 'AWS::Cognito::UserPoolClient');
      const properties = client?.Properties;

      expect(properties).toMatchObject({
        AllowedOAuthFlows: ['code'],
        GenerateSecret: false,
        AccessTokenValidity: config.accessTokenMinutes,
        TokenValidityUnits: { AccessToken: 'minutes' },
        RefreshTokenRotation: { Feature: 'ENABLED' },
        PreventUserExistenceErrors: 'ENABLED',
        EnableTokenRevocation: true,
        CallbackURLs: [`${config.consoleUrl}/signed-in`],
      });
      // Cognito refuses rotation together with the plain refresh flow.
      expect(properties.ExplicitAuthFlows).toEqual(['ALLOW_USER_SRP_AUTH']);
      expect(asList(properties.AllowedOAuthScopes).map(readable)).toEqual(['openid', 'StaffApi/staff']);
    });

    test('get access tokens for the scope that staff methods ask for, and expired ones are refused at once', () => {
      api.hasResourceProperties('AWS::Cognito::UserPoolResourceServer', {
        Identifier: 'firstcall',
        Scopes: [{ ScopeName: 'staff' }],
      });
      api.hasResourceProperties('AWS::ApiGateway::Authorizer', {
        Type: 'COGNITO_USER_POOLS',
        AuthorizerResultTtlInSeconds: 0,
      });
    });
  });
});
