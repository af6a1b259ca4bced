/** What scoring works with. */
import type { Inquiries } from '../../shared/data/inquiries.ts';
import type { Notices } from '../../shared/data/notices.ts';
import type { RoutingStates } from '../../shared/data/rotation.ts';
import type { Table } from '../../shared/data/table.ts';
import type { Tasks } from '../../shared/data/tasks.ts';
import type { Timelines } from '../../shared/data/timeline.ts';
import type { Environment } from '../../shared/domain/ids.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import type { RuleFault } from '../../shared/domain/rules/compile.ts';
import type { MailMessage, Queue, RouteMessage } from '../../shared/queues/messages.ts';
import type { PeopleOfScore } from './person.ts';

export interface ScoreDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
  readonly contacts: PeopleOfScore;
  readonly timelines: Pick<Timelines, 'wasBooked'>;
  readonly tasks: Pick<Tasks, 'create' | 'save'>;
  readonly notices: Pick<Notices, 'create'>;
  readonly routingStates: Pick<RoutingStates, 'follow' | 'forgetLook'>;
  readonly practice: () => Promise<Practice>;
  readonly routeQueue: Queue<RouteMessage>;
  readonly mailQueue: Queue<MailMessage>;
  readonly environment: Environment;
  /** Called for a rule that could not be looked at; it counts as one that does not hold. */
  readonly onRuleFault: (inquiryId: string, fault: RuleFault) => void;
}
