import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Construct } from 'constructs';
import type { Surroundings } from './surroundings.ts';

export interface ImpactAlarmProps extends Partial<Omit<AlarmProps, 'alarmDescription'>> {
  readonly surroundings: Pick<Surroundings, 'alarms'>;
  readonly metric: IMetric;
  /** What it means for patients and staff, in words that need no engineer. */
  readonly errorImpact: string;
}

/** An alarm that says what is at stake. Rings at the first occurrence, and again when all is well. */
export class ImpactAlarm extends Alarm {
  constructor(scope: Construct, id: string, props: ImpactAlarmProps) {
    const { surroundings, errorImpact, ...own } = props;
    super(scope, id, {
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...own,
      alarmDescription: errorImpact,
    });
    const tell = new SnsAction(surroundings.alarms);
    this.addAlarmAction(tell);
    this.addOkAction(tell);
  }
}
