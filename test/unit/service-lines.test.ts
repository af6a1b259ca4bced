import { describe, expect, it } from 'vitest';
import { stageTransitions } from '../../shared/domain/inquiry/stage.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { practiceSchema } from '../../shared/domain/schema/practice.ts';
import { isStageOfAny, transitionsFor } from '../../shared/domain/service-lines.ts';
import { stages } from '../../shared/domain/stages.ts';
import { smallPractice } from '../support/fixtures.ts';
import { bodyOf, callers, createStaff } from '../support/staff.ts';

const dental = {
  id: 'dental',
  name: 'Dental',
  services: ['implant'],
  stages: ['new', 'contacted', 'booked', 'closed'],
};
const parse = (...serviceLines: object[]) => practiceSchema.safeParse({ ...smallPractice, serviceLines });
const withLines = (...lines: object[]): Practice => parse(...lines).data as Practice;
const problems = (...lines: object[]): string[] =>
  parse(...lines).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('a service line', () => {
  it('leaves out stages, and what leads to them; a booking is still taken back', () => {
    expect(transitionsFor(withLines(dental), 'implant')).toEqual({
      new: ['contacted', 'booked', 'closed'],
      contacted: ['booked', 'closed'],
      consult: ['contacted', 'booked', 'closed'],
      booked: ['contacted', 'closed'],
      closed: ['contacted'],
    });
  });

  it('is no matter to services of no line', () => {
    expect(transitionsFor(withLines(dental), 'acne')).toBe(stageTransitions);
    expect(transitionsFor(withLines(dental), undefined)).toBe(stageTransitions);
    expect(transitionsFor(smallPractice, 'implant')).toBe(stageTransitions);
  });

  it('may say what follows what', () => {
    const strict = {
      ...dental,
      transitions: { new: ['contacted', 'closed'], closed: ['contacted', 'booked'] },
    };

    expect(transitionsFor(withLines(strict), 'implant')).toMatchObject(strict.transitions);
  });

  it('whatever it says, every open stage leads to closed, and none back to new', () => {
    for (const serviceId of ['implant', 'acne']) {
      const transitions = transitionsFor(withLines(dental), serviceId);
      for (const from of stages) {
        if (from !== 'closed') expect(transitions[from]).toContain('closed');
        expect(transitions[from]).not.toContain('new');
      }
    }
  });

  it.each([
    [{ stages: ['new', 'closed'] }, 'serviceLines.0.stages: must have new, contacted, closed'],
    [{ stages: ['new', 'new', 'contacted', 'closed'] }, 'serviceLines.0.stages: has a stage twice'],
    [{ services: ['whitening'] }, 'serviceLines.0.services.0: no service has the id whitening'],
    [{ transitions: { new: ['contacted'] } }, 'serviceLines.0.transitions.new: must lead to closed'],
    [
      { transitions: { booked: ['consult', 'closed'] } },
      'serviceLines.0.transitions.booked.0: consult is not among the stages of this line',
    ],
    [
      { transitions: { closed: ['new'] } },
      'serviceLines.0.transitions.closed.0: no inquiry goes back to new',
    ],
    [{ transitions: { closed: [] } }, 'serviceLines.0.transitions.closed: must lead somewhere'],
  ])('with %j is refused', (change, problem) => {
    expect(problems({ ...dental, ...change })).toContain(problem);
  });

  it('shares no service with another', () => {
    expect(problems(dental, { ...dental, id: 'other' })).toContain(
      'serviceLines.1.services.0: implant is of the line dental already',
    );
  });

  it('tells which stages a rule can set', () => {
    const all = withLines({ ...dental, services: ['implant', 'acne'] });

    expect(isStageOfAny(all, 'consult')).toBe(false);
    expect(isStageOfAny(withLines(dental), 'consult')).toBe(true);
    expect(isStageOfAny(withLines(dental), 'consult', ['implant'])).toBe(false);
  });

  it('holds for staff', async () => {
    const staff = createStaff(withLines(dental));
    const id = await staff.pipeline.mailed({ serviceId: 'implant' });

    const answer = await staff.call('PATCH /v1/inquiries/{id}', {
      pathParameters: { id },
      claims: callers.coordinator,
      body: JSON.stringify({ stage: 'consult' }),
      headers: { 'content-type': 'application/json', 'if-match': '"4"' },
    });

    expect(answer.statusCode).toBe(409);
    expect(bodyOf(answer)).toMatchObject({
      errors: [{ field: 'stage', reason: 'must be one of contacted, booked, closed' }],
    });
  });
});
