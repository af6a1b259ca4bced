import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  ConfigurationSet,
  type ConfigurationSetProps,
  ConfigurationSetTlsPolicy,
  EmailIdentity,
  EmailSendingEvent,
  EventDestination,
  Identity,
  SuppressionReasons,
} from 'aws-cdk-lib/aws-ses';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { ImpactAlarm } from './impact-alarm.ts';
import type { Surroundings } from './surroundings.ts';
import { EncryptedTopic } from './topics.ts';

/** At these rates SES puts an account under review: its own published figures. */
const reviewRates = { bounce: 0.05, complaint: 0.001 };

const troubles = [
  EmailSendingEvent.BOUNCE,
  EmailSendingEvent.COMPLAINT,
  EmailSendingEvent.REJECT,
  EmailSendingEvent.RENDERING_FAILURE,
];

/** How all mail goes out: over TLS or not at all, and not again to whom it bounced. */
class MailKind extends ConfigurationSet {
  constructor(
    scope: Construct,
    id: string,
    props: ConfigurationSetProps & { events: EmailSendingEvent[]; topic: ITopic },
  ) {
    const { events, topic, ...own } = props;
    super(scope, id, {
      tlsPolicy: ConfigurationSetTlsPolicy.REQUIRE,
      reputationMetrics: true,
      suppressionReasons: SuppressionReasons.BOUNCES_AND_COMPLAINTS,
      ...own,
    });
    // CDK lets exactly this configuration set publish to the topic.
    this.addEventDestination('Events', { destination: EventDestination.snsTopic(topic), events });
  }
}

/** The sender, and the two kinds of mail. */
export class Mail extends Construct {
  readonly identity: EmailIdentity;
  /** Staff and transactional mail; nothing in it is tracked. */
  readonly staff: ConfigurationSet;
  /** Mail to patients who agreed to just that: SES tells when one is opened. No link in it is changed. */
  readonly patients: ConfigurationSet;
  /** Bounces, complaints and openings. They name recipients, so they never share the alarms' topic. */
  readonly events: EncryptedTopic;

  readonly #senderAddress: string;

  constructor(scope: Construct, id: string, surroundings: Surroundings) {
    super(scope, id);
    const { config, key } = surroundings;
    this.#senderAddress = config.senderAddress;

    const topic = new EncryptedTopic(this, 'Events', { key });
    this.events = topic;
    this.staff = new MailKind(this, 'Staff', {
      configurationSetName: `${config.prefix}-staff`,
      events: troubles,
      topic,
    });
    this.patients = new MailKind(this, 'Patients', {
      configurationSetName: `${config.prefix}-patients`,
      events: [...troubles, EmailSendingEvent.OPEN],
      topic,
    });

    const domain = config.senderAddress.slice(config.senderAddress.indexOf('@') + 1);
    const byDomain = config.senderIdentity === 'domain';
    this.identity = new EmailIdentity(this, 'Sender', {
      identity: byDomain ? Identity.domain(domain) : Identity.email(config.senderAddress),
      // For a mail that names none: never without TLS.
      configurationSet: this.staff,
    });
    if (byDomain) {
      this.identity.dkimRecords.forEach(({ name, value }, index) => {
        new CfnOutput(this, `Dkim${index + 1}`, {
          description: 'A CNAME record to add to the DNS of the sender',
          value: `${name} CNAME ${value}`,
        });
      });
    }

    const reputation = (name: string): Metric =>
      new Metric({
        namespace: 'AWS/SES',
        metricName: `Reputation.${name}`,
        period: Duration.hours(1),
        statistic: 'Average',
      });
    new ImpactAlarm(this, 'BounceAlarm', {
      surroundings,
      errorImpact:
        'So many e-mails bounce that AWS may stop sending ours: then nobody is told of a new inquiry. Look for staff addresses that no longer exist.',
      metric: reputation('BounceRate'),
      threshold: reviewRates.bounce,
    });
    new ImpactAlarm(this, 'ComplaintAlarm', {
      surroundings,
      errorImpact:
        'So many recipients mark our e-mails as spam that AWS may stop sending them: then nobody is told of a new inquiry.',
      metric: reputation('ComplaintRate'),
      threshold: reviewRates.complaint,
    });
  }

  /** Sending from the one address, by either kind. */
  maySend(): PolicyStatement {
    const configurationSets = [this.staff, this.patients].map(({ configurationSetName }) =>
      Stack.of(this).formatArn({
        service: 'ses',
        resource: 'configuration-set',
        resourceName: configurationSetName,
      }),
    );
    return new PolicyStatement({
      actions: ['ses:SendRawEmail'],
      resources: [this.identity.emailIdentityArn, ...configurationSets],
      conditions: { StringEquals: { 'ses:FromAddress': this.#senderAddress } },
    });
  }
}
