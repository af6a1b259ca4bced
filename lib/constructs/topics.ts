import { Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Subscription, SubscriptionProtocol, Topic, type TopicProps } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

export interface EncryptedTopicProps extends TopicProps {
  readonly key: IKey;
}

/** A topic under our key that takes messages over TLS only. */
export class EncryptedTopic extends Topic {
  constructor(scope: Construct, id: string, props: EncryptedTopicProps) {
    const { key, ...own } = props;
    super(scope, id, { masterKey: key, enforceSSL: true, ...own });
  }
}

export interface AlarmTopicProps extends EncryptedTopicProps {
  /** Who gets the alarms by e-mail, once they have confirmed it to SNS. */
  readonly address?: string | undefined;
}

/** Where alarms go. */
export class AlarmTopic extends EncryptedTopic {
  constructor(scope: Construct, id: string, props: AlarmTopicProps) {
    const { address, ...own } = props;
    super(scope, id, own);
    // Must be said: asking for TLS has replaced the policy that a topic has from birth.
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    if (address) this.#mailTo(address);
  }

  #mailTo(address: string): void {
    const subscription = new Subscription(this, 'Mail', {
      topic: this,
      protocol: SubscriptionProtocol.EMAIL,
      endpoint: address,
    });
    Validations.of(subscription).acknowledge({
      id: 'Serverless-SNSRedrivePolicy',
      reason:
        'SNS retries the mail for hours by itself; a queue of alarms that nobody was told of would need the very alarm that failed. The state stays visible in CloudWatch.',
    });
  }
}
