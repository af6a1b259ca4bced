import { randomUUID } from 'node:crypto';
import { accountId, arn, region } from '../template/identity.ts';
import type { SchedulePlan } from '../template/plan.ts';
import type { EventSource } from './pausable.ts';

const unitMs: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Milliseconds from `now` until a schedule's next run.
 *
 * @param expression `rate(1 minute)` or `cron(minutes hours day-of-month month day-of-week year)`, in UTC
 * @throws Error if the expression is neither
 */
export function untilNextMs(expression: string, now: Date): number {
  const [, amount, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (amount && unit) {
    const period = Number(amount) * (unitMs[unit] as number);
    return period - (now.getTime() % period);
  }
  const fields = /^cron\(([^)]+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
  if (fields?.length !== 6) throw new Error(`the schedule ${expression} cannot be read`);
  const matches = cronMatcher(fields);
  const start = Math.floor(now.getTime() / 60_000) * 60_000;
  // A schedule comes round within a few years, if it ever does.
  for (let minute = 1; minute <= 4 * 366 * 1440; minute += 1) {
    const at = new Date(start + minute * 60_000);
    if (matches(at)) return at.getTime() - now.getTime();
  }
  throw new Error(`the schedule ${expression} never comes`);
}

const names: Record<string, number> = Object.fromEntries([
  ...['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'].map((name, at) => [
    name,
    at + 1,
  ]),
  ...['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'].map((name, at) => [name, at + 1]),
]);

function cronMatcher(fields: readonly string[]): (at: Date) => boolean {
  const tests = fields.map(fieldMatcher);
  return (at) =>
    [
      at.getUTCMinutes(),
      at.getUTCHours(),
      at.getUTCDate(),
      at.getUTCMonth() + 1,
      // EventBridge counts the days of the week from Sunday, 1.
      at.getUTCDay() + 1,
      at.getUTCFullYear(),
    ].every((value, index) => tests[index]?.(value));
}

function fieldMatcher(field: string): (value: number) => boolean {
  if (field === '*' || field === '?') return () => true;
  const number = (text: string): number => {
    const value = names[text.toUpperCase()] ?? Number(text);
    if (!Number.isInteger(value)) throw new Error(`the schedule's field ${field} cannot be read`);
    return value;
  };
  const parts = field.split(',').map((part) => {
    const [range = '', step] = part.split('/');
    const [from, to] = range.split('-');
    const first = range === '*' ? 0 : number(from as string);
    const last = to ? number(to) : step || range === '*' ? Number.MAX_SAFE_INTEGER : first;
    return { first, last, step: step ? number(step) : 1 };
  });
  return (value) =>
    parts.some(({ first, last, step }) => value >= first && value <= last && (value - first) % step === 0);
}

export interface ScheduleOptions {
  readonly plan: SchedulePlan;
  invoke(functionName: string, event: unknown): Promise<unknown>;
  onError(what: string, error: unknown): void;
}

/**
 * Runs a function on its schedule, and once at the start, so that what an
 * earlier run left undone goes on at once.
 */
export function startSchedule({ plan, invoke, onError }: ScheduleOptions): EventSource {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let paused = false;

  const run = async (): Promise<void> => {
    try {
      await invoke(plan.functionName, plan.input ? JSON.parse(plan.input) : scheduledEvent(plan));
    } catch (error) {
      onError(`${plan.ruleName}: the scheduled run failed`, error);
    }
  };
  const runOnce = (): void => {
    // A run that takes longer than its period is not overtaken by the next.
    running ??= run().finally(() => {
      running = undefined;
    });
  };
  const planNext = (): void => {
    // A timer's longest wait is 24 days; looking again each day is enough.
    const wait = untilNextMs(plan.expression, new Date());
    timer = setTimeout(
      () => {
        if (wait <= 86_400_000) runOnce();
        planNext();
      },
      Math.min(wait, 86_400_000),
    );
  };
  runOnce();
  planNext();

  return {
    pause: async () => {
      paused = true;
      clearTimeout(timer);
      await running;
    },
    resume: () => {
      if (!paused) return;
      paused = false;
      planNext();
    },
    stop: () => clearTimeout(timer),
  };
}

const scheduledEvent = (plan: SchedulePlan): object => ({
  version: '0',
  id: randomUUID(),
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  account: accountId,
  time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  region,
  resources: [arn('events', `rule/${plan.ruleName}`)],
  detail: {},
});
