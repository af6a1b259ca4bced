import { Aws, CfnOutput, Duration } from 'aws-cdk-lib';
import {
  AccountRecovery,
  CfnManagedLoginBranding,
  FeaturePlan,
  ManagedLoginVersion,
  Mfa,
  OAuthScope,
  ResourceServerScope,
  StandardThreatProtectionMode,
  UserPool,
  type UserPoolClient,
  UserPoolClientIdentityProvider,
  type UserPoolProps,
} from 'aws-cdk-lib/aws-cognito';
import type { Construct } from 'constructs';
import type { Configuration } from '../config.ts';
import { removalOf } from './retention.ts';

/** The roles, most powerful first: where somebody has several, Cognito puts the first to the front. */
const roles = ['admin', 'manager', 'coordinator', 'marketer'] as const;

const apiScope = { server: 'firstcall', scope: 'staff' } as const;

/** A method that asks for this scope takes access tokens only: an id token carries none. */
export const staffScope = `${apiScope.server}/${apiScope.scope}`;

export interface StaffPoolProps extends UserPoolProps {
  readonly config: Configuration;
}

/** Who works here: invited, never self-registered, with a second factor. */
export class StaffPool extends UserPool {
  readonly client: UserPoolClient;

  constructor(scope: Construct, id: string, props: StaffPoolProps) {
    const { config, ...own } = props;
    super(scope, id, {
      userPoolName: config.prefix,
      selfSignUpEnabled: false,
      // The access token's `username` is then the name that a member is configured with, not a generated id.
      signInAliases: { username: true, email: true },
      signInCaseSensitive: false,
      mfa: Mfa.REQUIRED,
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: {
        minLength: 14,
        requireLowercase: true,
        requireUppercase: true,
        requireDigits: true,
        requireSymbols: true,
        passwordHistorySize: 5,
        tempPasswordValidity: Duration.days(3),
      },
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      featurePlan: FeaturePlan.PLUS,
      standardThreatProtectionMode: StandardThreatProtectionMode.FULL_FUNCTION,
      deletionProtection: config.keepData,
      removalPolicy: removalOf(config),
      ...own,
    });

    roles.forEach((role, precedence) => {
      this.addGroup(role, { groupName: role, precedence });
    });

    const staff = new ResourceServerScope({
      scopeName: apiScope.scope,
      scopeDescription: 'Work with inquiries as far as the role allows',
    });
    const server = this.addResourceServer('Api', { identifier: apiScope.server, scopes: [staff] });

    // A public client: the console runs in a browser and can keep no secret, so PKCE stands for it.
    this.client = this.addClient('Console', {
      userPoolClientName: `${config.prefix}-console`,
      generateSecret: false,
      // Sign-in happens on Cognito's own page; naming a flow keeps the unrotated refresh out of the defaults.
      authFlows: { userSrp: true },
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID, OAuthScope.resourceServer(server, staff)],
        callbackUrls: [`${config.consoleUrl}/signed-in`],
        logoutUrls: [`${config.consoleUrl}/signed-out`],
      },
      supportedIdentityProviders: [UserPoolClientIdentityProvider.COGNITO],
      accessTokenValidity: Duration.minutes(config.accessTokenMinutes),
      idTokenValidity: Duration.minutes(config.accessTokenMinutes),
      refreshTokenValidity: Duration.hours(config.refreshTokenHours),
      refreshTokenRotationGracePeriod: Duration.seconds(10),
      enableTokenRevocation: true,
      preventUserExistenceErrors: true,
    });

    // The prefix is shared by all of AWS's customers in the region, hence the account's number.
    const domain = this.addDomain('SignIn', {
      cognitoDomain: { domainPrefix: `${config.prefix}-${Aws.ACCOUNT_ID}` },
      managedLoginVersion: ManagedLoginVersion.NEWER_MANAGED_LOGIN,
    });
    // Without a style, if only Cognito's own, the newer sign-in page stays blank.
    new CfnManagedLoginBranding(this, 'SignInStyle', {
      userPoolId: this.userPoolId,
      clientId: this.client.userPoolClientId,
      useCognitoProvidedValues: true,
    });

    new CfnOutput(this, 'SignInUrl', { value: domain.baseUrl() });
    new CfnOutput(this, 'ClientId', { value: this.client.userPoolClientId });
    new CfnOutput(this, 'PoolId', { value: this.userPoolId });
  }
}
