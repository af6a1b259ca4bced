/** The stages that an inquiry can have, by the service line that it is about. */
import { stageTransitions } from './inquiry/stage.ts';
import type { Transitions } from './inquiry/state.ts';
import type { Practice } from './practice.ts';
import { type Stage, stages } from './stages.ts';

type ServiceLine = Practice['serviceLines'][number];

/** The line of a service; undefined where none names it, and so all stages are its. */
const lineOf = (
  { serviceLines }: Pick<Practice, 'serviceLines'>,
  serviceId: string | undefined,
): ServiceLine | undefined =>
  serviceId === undefined ? undefined : serviceLines.find(({ services }) => services.includes(serviceId));

/**
 * From each stage, the stages that a line lets follow. Where it has no consult, a
 * booking is taken back to contacted; whoever stands at a stage that it has no more
 * goes on as usual.
 */
function transitionsOfLine({ stages: own, transitions = {} }: ServiceLine): Transitions {
  const usual = (from: Stage): readonly Stage[] => {
    const list = stageTransitions[from].filter((to) => own.includes(to));
    return from === 'booked' && !own.includes('consult') ? ['contacted', ...list] : list;
  };
  return Object.fromEntries(stages.map((from) => [from, transitions[from] ?? usual(from)])) as Record<
    Stage,
    readonly Stage[]
  >;
}

/** From each stage, the stages that an inquiry about a service may be brought to. */
export function transitionsFor(
  practice: Pick<Practice, 'serviceLines'>,
  serviceId: string | undefined,
): Transitions {
  const line = lineOf(practice, serviceId);
  return line ? transitionsOfLine(line) : stageTransitions;
}

/** Whether an inquiry about any of some services, or about whichever where none are named, can have a stage. */
export function isStageOfAny(
  { serviceLines, services }: Pick<Practice, 'serviceLines' | 'services'>,
  stage: Stage,
  serviceIds: readonly string[] = services.map(({ id }) => id),
): boolean {
  return serviceIds.some((id) => lineOf({ serviceLines }, id)?.stages.includes(stage) ?? true);
}
