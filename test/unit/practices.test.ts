/** The three practices that ship, by examples: who is called first, where they go, and by when. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPracticeFile } from '../../ops/practice-file.ts';
import { findUrgency } from '../../shared/domain/clinical-urgency.ts';
import { findPool, findService, type Practice } from '../../shared/domain/practice.ts';
import { findRedFlags } from '../../shared/domain/red-flags.ts';
import { gatherFacts, type KnownPerson, writtenText } from '../../shared/domain/rules/gather.ts';
import { triage } from '../../shared/domain/rules/triage.ts';
import { type CompletenessFact, score } from '../../shared/domain/scoring.ts';
import { sharesOf } from '../../shared/domain/tier-cutoffs.ts';

const read = (name: string): Practice =>
  readPracticeFile(readFileSync(`practices/${name}.yaml`, 'utf8')).practice as Practice;
const dermatology = read('dermatology');
const dental = read('dental');
const physicalTherapy = read('physical-therapy');

interface Example {
  readonly source?: string;
  readonly channel?: 'web_form' | 'missed_call' | 'referral';
  readonly fields?: Readonly<Record<string, string>>;
  readonly returning?: boolean;
  readonly person?: KnownPerson;
}

const reachable = { name: 'Maria Lopez', phone: '(650) 555-0188', email: 'maria@example.com' };
const complete = { ...reachable, insurance: 'Blue Shield', preferredTime: 'evening' };

/** What a practice makes of an inquiry that arrives on a Friday at noon in New York. */
function decide(practice: Practice, example: Example) {
  const fields: Readonly<Record<string, string>> = { ...complete, ...example.fields };
  const body = { fields, returning: example.returning === true };
  const serviceId = findService(practice, fields['service'])?.id;
  const sourceId = example.source ?? 'website';
  const given = (fact: string): boolean => fields[fact] !== undefined;
  const has: Record<CompletenessFact, boolean> = {
    phone: given('phone'),
    email: given('email'),
    name: given('name'),
    service: serviceId !== undefined,
    insurance: given('insurance'),
    preferred_time: given('preferredTime'),
  };
  const scored = score({ sourceId, serviceId, has }, practice);
  const urgency = findUrgency(practice.urgency, { serviceId, text: writtenText(body) });
  const facts = gatherFacts(practice, {
    trigger: 'arrival',
    head: {
      locationId: practice.locations[0]?.id ?? '',
      channel: example.channel ?? 'web_form',
      sourceId,
      serviceId,
      receivedAt: '2026-11-20T17:00:00.000Z',
      stage: 'new',
    },
    body,
    person: example.person,
    score: scored,
    urgency: urgency.level,
  });
  const { score: after, decision } = triage(practice, { facts, score: scored, urgency });
  return {
    total: after.total,
    tier: after.tier,
    pool: decision.poolId ?? findPool(practice, serviceId).id,
    minutes: decision.respondWithinMinutes,
    clock: decision.clock,
    rules: (decision.hits ?? []).map(({ rule }) => rule),
    ...(decision.urgency && { urgency: decision.urgency }),
    ...(decision.memberId && { member: decision.memberId }),
    ...(decision.tags && { tags: decision.tags }),
    ...(decision.recorded && {
      recorded: decision.recorded.map((action) => action.do),
    }),
  };
}
const asking = (service: string, more: Readonly<Record<string, string>> = {}) => ({
  fields: { service, ...more },
});

describe('the dermatology practice', () => {
  it('scores acne from the website B, and a referred Mohs surgery A', () => {
    expect(decide(dermatology, asking('Acne'))).toMatchObject({
      total: 28 + 10 + 20,
      tier: 'B',
      pool: 'medical',
      minutes: 60,
    });
    expect(decide(dermatology, { source: 'physician-referral', ...asking('mohs') })).toMatchObject({
      total: 40 + 29 + 20,
      tier: 'A',
      minutes: 5,
    });
    expect(decide(dermatology, { source: 'unknown', ...asking('Skin check') })).toMatchObject({ tier: 'C' });
  });

  it('sees a changing mole the same day, whatever it scores and wherever it was written', () => {
    const written = asking('Skin check', { message: 'I have a changing mole on my back' });

    for (const example of [asking('Changing mole'), { source: 'unknown', ...written }]) {
      expect(decide(dermatology, example)).toMatchObject({
        urgency: 'same_day',
        minutes: 15,
        clock: 'urgency same_day',
        pool: 'medical',
      });
    }
  });

  it('parks an HMO without its referral, but not one that cannot wait, nor a referred or a public one', () => {
    const hmo = { insurance: 'Aetna HMO' };

    expect(decide(dermatology, asking('Acne', hmo))).toMatchObject({
      tier: 'C',
      minutes: 240,
      tags: ['needs-referral'],
      recorded: ['make_task'],
    });
    expect(decide(dermatology, asking('Changing mole', hmo))).toMatchObject({ minutes: 15 });
    expect(decide(dermatology, { source: 'physician-referral', ...asking('Acne', hmo) }).rules).toEqual([]);
    expect(decide(dermatology, asking('Acne', { insurance: 'Medicare HMO' })).rules).toEqual([]);
  });

  it('sends Spanish to those who speak it, an unknown service included', () => {
    expect(decide(dermatology, asking('Acné', { language: 'es-MX' }))).toMatchObject({ pool: 'spanish' });
    expect(decide(dermatology, asking('manchas', { language: 'es' }))).toMatchObject({ pool: 'spanish' });
    expect(decide(dermatology, asking('Botox', { language: 'en' }))).toMatchObject({ pool: 'cosmetic' });
  });

  it('raises its red flags', () => {
    expect(findRedFlags(dermatology.redFlags, 'My face is swelling and I can’t breathe')).toEqual([
      'breathing',
      'swelling',
    ]);
    expect(findRedFlags(dermatology.redFlags, 'A breathtaking scar')).toEqual([]);
  });
});

describe('the dental practice', () => {
  it('scores a full arch from the website A, an exam from an ad C', () => {
    expect(decide(dental, asking('All on four'))).toMatchObject({ total: 28 + 40 + 20, tier: 'A' });
    expect(decide(dental, { source: 'directory', ...asking('Cleaning') })).toMatchObject({
      total: 18 + 19 + 20,
      tier: 'C',
    });
  });

  it('raises a service of high value by a tier, visibly and without points', () => {
    expect(decide(dental, { source: 'search-ad', ...asking('Implants') })).toMatchObject({
      total: 24 + 32 + 20,
      tier: 'A',
      rules: ['high-value-service'],
    });
  });

  it.each([
    ['a knocked-out tooth', asking('Check-up', { message: 'My son has a tooth knocked out' })],
    ['swelling', asking('Check-up', { message: 'There is swelling on one side' })],
    ['an emergency', asking('Emergency dentist')],
    [
      'swelling of somebody referred',
      { source: 'physician-referral', ...asking('exam', { message: 'Swollen' }) },
    ],
  ])('calls %s within a quarter of an hour', (_, example) => {
    expect(decide(dental, example)).toMatchObject({
      urgency: 'same_day',
      pool: 'general',
      minutes: expect.any(Number),
    });
    expect(decide(dental, example).minutes).toBeLessThanOrEqual(15);
  });

  it('asks for the guardian of a minor who wrote alone', () => {
    expect(decide(dental, asking('Braces', { age: '15' }))).toMatchObject({
      pool: 'ortho',
      tags: ['needs-guardian'],
      recorded: ['make_task'],
    });
    expect(decide(dental, asking('Braces', { age: '25' })).tags).toBeUndefined();
  });

  it('calls a missed call first', () => {
    const fields = { service: '' };

    expect(decide(dental, { channel: 'missed_call', source: 'unknown', fields })).toMatchObject({
      tier: 'A',
      minutes: 5,
    });
  });
});

describe('the physical-therapy practice', () => {
  it('keeps tier A for few, though six of ten are referrals', () => {
    expect(
      decide(physicalTherapy, { source: 'physician-referral', ...asking('PT evaluation') }),
    ).toMatchObject({
      total: 60,
      tier: 'B',
    });
    expect(decide(physicalTherapy, { source: 'physician-referral', ...asking('post-op') })).toMatchObject({
      total: 40 + 24 + 20,
      tier: 'A',
    });
  });

  it('calls whoever had surgery within the hour, in the clinic’s pool', () => {
    const fields = { service: 'PT evaluation', message: 'I had surgery on Monday' };

    expect(decide(physicalTherapy, { source: 'unknown', fields })).toMatchObject({
      urgency: 'soon',
      minutes: 60,
      pool: 'clinic',
    });
  });

  it('parks a missing prescription with its owner and a due time', () => {
    expect(decide(physicalTherapy, asking('Back pain'))).toMatchObject({
      member: 'amir',
      minutes: 720,
      clock: 'rule prescription-missing',
      tags: ['needs-prescription'],
      recorded: ['make_task'],
    });
  });

  it.each([
    ['has one', asking('Back pain', { message: 'I have a prescription' })],
    ['was referred', { source: 'physician-referral', ...asking('Back pain') }],
    ['called', { channel: 'missed_call' as const, ...asking('Back pain') }],
    ['cannot wait', asking('Back pain', { message: 'I had surgery last week' })],
  ])('does not park whoever %s', (_, example) => {
    expect(decide(physicalTherapy, example).rules).not.toContain('prescription-missing');
  });

  it('has its own pool for pelvic health', () => {
    expect(decide(physicalTherapy, { source: 'physician-referral', ...asking('Pelvic floor') }).pool).toBe(
      'pelvic',
    );
  });
});

describe('all of them', () => {
  // Shares of sources in percent, as each file says; each service and each degree of completeness alike.
  const mixes: [string, Practice, Readonly<Record<string, number>>][] = [
    [
      'dermatology',
      dermatology,
      {
        website: 28,
        'physician-referral': 25,
        'search-ad': 18,
        'patient-referral': 12,
        directory: 9,
        unknown: 8,
      },
    ],
    ['dental', dental, { website: 30, 'patient-referral': 25, 'search-ad': 22, unknown: 23 }],
    [
      'physical therapy',
      physicalTherapy,
      { 'physician-referral': 60, website: 15, 'patient-referral': 12, unknown: 13 },
    ],
  ];

  it.each(mixes)('make about a fifth A and half B of a year of %s', (_, practice, sources) => {
    const left: readonly CompletenessFact[][] = [
      [],
      ['insurance'],
      ['insurance', 'preferred_time'],
      ['email', 'insurance'],
      ['email', 'insurance', 'preferred_time'],
    ];
    const totals = Object.entries(sources).flatMap(([sourceId, percent]) =>
      practice.services.flatMap(({ id: serviceId }) =>
        left.flatMap((without) => {
          const has = {
            phone: true,
            email: !without.includes('email'),
            name: true,
            service: true,
            insurance: !without.includes('insurance'),
            preferred_time: !without.includes('preferred_time'),
          };
          const { total } = score({ sourceId, serviceId, has }, practice);
          return Array.from({ length: percent }, () => total);
        }),
      ),
    );
    const { A, B } = sharesOf(totals, practice.scoring.tiers);

    expect(A).toBeGreaterThan(0.15);
    expect(A).toBeLessThan(0.25);
    expect(B).toBeGreaterThan(0.44);
    expect(B).toBeLessThan(0.56);
  });

  it.each(mixes)('let the front desk of %s name source and channel, and nobody else', (_, practice) => {
    const may = practice.forms.filter(({ maySetChannel, maySetSource }) => maySetChannel || maySetSource);

    expect(may).toMatchObject([
      { id: 'front-desk', channel: 'phone_call', maySetChannel: true, maySetSource: true },
    ]);
    expect(may[0]?.origins).not.toEqual([]);
  });
});
