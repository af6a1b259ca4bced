/** Scores one inquiry and asks for its routing. */
import type { Inquiries, InquiryBody } from '../../shared/data/inquiries.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import { awaitsRouting } from '../../shared/domain/inquiry.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { type ScoredFacts, score } from '../../shared/domain/scoring.ts';
import type { Queue, StepMessage } from '../../shared/queues/messages.ts';

export interface ScoreDependencies {
  readonly inquiries: Inquiries;
  readonly practice: () => Promise<Practice>;
  readonly routeQueue: Queue<StepMessage>;
  readonly environment: Environment;
}

export type Scored =
  | 'scored'
  | 'scored_before'
  | 'score_race_lost'
  | 'score_not_due'
  | 'score_unknown_inquiry';

/** What of an inquiry counts for its score. */
export function scoredFacts(body: InquiryBody): ScoredFacts {
  const given = (field: string): boolean => body.fields[field] !== undefined;
  const reachable = (point: 'email' | 'phone'): boolean =>
    given(point) && !body.invalidPoints?.includes(point);
  return {
    sourceId: body.sourceId,
    serviceId: body.serviceId,
    has: {
      phone: reachable('phone'),
      email: reachable('email'),
      name: given('name'),
      service: given('service'),
      insurance: given('insurance'),
      preferred_time: given('preferredTime'),
    },
  };
}

export async function scoreInquiry(dependencies: ScoreDependencies, message: StepMessage): Promise<Scored> {
  const { inquiries, routeQueue, environment } = dependencies;
  const record = await inquiries.find(message.inquiryId);
  if (!record?.body) return 'score_unknown_inquiry';
  if (!awaitsRouting(record.head)) return 'score_not_due';

  const next: StepMessage = { inquiryId: record.head.id, version: record.head.version };
  if (record.score) {
    // Scored, and yet not routed: the message to route may never have been sent.
    await routeQueue.send(next);
    return 'scored_before';
  }
  const result = score(scoredFacts(record.body), await dependencies.practice());
  const stored = await inquiries.saveScore(record.head.id, result, environment.now());
  if (stored === 'scored_before') return 'score_race_lost';
  await routeQueue.send(next);
  return 'scored';
}
