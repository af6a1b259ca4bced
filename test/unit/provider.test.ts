import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Member } from '../../shared/domain/practice.ts';
import { recommendProvider, type Wanted } from '../../shared/domain/provider.ts';

const provider = (id: string, change: Partial<NonNullable<Member['provider']>> = {}): Member => ({
  id,
  name: id,
  email: `${id}@example.com`,
  role: 'provider',
  enabled: true,
  provider: { specialties: ['mohs'], ...change },
});
const wanted: Wanted = { inquiryId: 'inq_1', serviceId: 'mohs', locationId: 'chicago' };
const recommend = (members: readonly Member[], change: Partial<Wanted> = {}) =>
  recommendProvider(members, { ...wanted, ...change });

describe('a provider is recommended', () => {
  it('by specialty, plan, age and open panel, with the reason', () => {
    const hahn = provider('hahn', { insurances: ['Aetna'], ages: { from: 18 } });
    expect(recommend([hahn], { insurance: 'Aetna PPO', age: 40 })).toEqual({
      memberId: 'hahn',
      reason: 'provides mohs, takes the insurance, of that age, open panel',
    });
    expect(recommend([hahn], { insurance: 'Cigna' })).toBeUndefined();
    expect(recommend([hahn], { age: 17 })).toBeUndefined();
    expect(recommend([hahn], { serviceId: 'acne' })).toBeUndefined();
    expect(recommend([hahn], { serviceId: undefined })).toBeUndefined();
    expect(recommend([provider('full', { openPanel: false })])).toBeUndefined();
    expect(recommend([{ ...hahn, enabled: false }])).toBeUndefined();
    expect(recommend([{ ...hahn, locations: ['denver'] }])).toBeUndefined();
  });

  it('always the same for one inquiry, and of several each about as often', () => {
    const three = ['a', 'b', 'c'].map((id) => provider(id));
    const counts = new Map<string, number>();
    for (let i = 0; i < 300; i++) {
      const inquiryId = `inq_${String(i).padStart(26, '0')}`;
      const found = recommend(three, { inquiryId });
      expect(recommend(three, { inquiryId })).toEqual(found);
      expect(found?.reason).toContain('one of 3');
      counts.set(String(found?.memberId), (counts.get(String(found?.memberId)) ?? 0) + 1);
    }
    for (const id of ['a', 'b', 'c']) expect(counts.get(id)).toBeGreaterThan(60);
  });

  it('never without what the person needs', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100), fc.nat(100), fc.boolean(), (from, to, age, openPanel) => {
        const found = recommend([provider('x', { ages: { from, to }, openPanel })], { age });
        expect(found !== undefined).toBe(openPanel && from <= age && age <= to);
      }),
    );
  });
});
