/** The rungs of the escalation ladder, without its clock. */

/** What a rung may do. */
export const escalationActions = ['remind', 'warn', 'notify_manager', 'reassign'] as const;
export type EscalationAction = (typeof escalationActions)[number];

export interface Rung {
  /** Part of the time to the first call, 100 being its end. */
  readonly atPercent: number;
  readonly do: readonly EscalationAction[];
}
