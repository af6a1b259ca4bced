import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

/**
 * The secret behind every digest in a key: `{ "version": "1", "key": "…" }`.
 * Never change how it is generated: CloudFormation would draw a new one, and no
 * contact could be found again. It is kept in every environment.
 */
export class DigestSecret extends Secret {
  constructor(scope: Construct, id: string, encryptionKey: IKey) {
    super(scope, id, {
      description:
        'Digests contact points and names into keys. Never rotated: a new one orphans every contact',
      encryptionKey,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ version: '1' }),
        generateStringKey: 'key',
        passwordLength: 64,
        excludePunctuation: true,
      },
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const reason =
      'A rotation would orphan every contact, since keys are digests made with it. Re-keying is a planned migration with dual look-up, never a timer.';
    Validations.of(this).acknowledge(
      { id: 'HIPAA.Security-SecretsManagerRotationEnabled', reason },
      { id: 'AwsSolutions-SMG4', reason },
    );
  }
}

/** What senders of webhooks prove themselves with: `{ "googleAdsKey": "…" }`. */
export class WebhookSecret extends Secret {
  constructor(scope: Construct, id: string, encryptionKey: IKey) {
    super(scope, id, {
      description: 'The key that is typed into the Google Ads lead form',
      encryptionKey,
      generateSecretString: {
        secretStringTemplate: '{}',
        generateStringKey: 'googleAdsKey',
        // Google's field takes no more.
        passwordLength: 50,
        excludePunctuation: true,
      },
    });
    const reason =
      'Somebody types its value into the ad platform by hand: a rotation by timer would refuse every lead until then.';
    Validations.of(this).acknowledge(
      { id: 'HIPAA.Security-SecretsManagerRotationEnabled', reason },
      { id: 'AwsSolutions-SMG4', reason },
    );
  }
}
