import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attribute, campaignCode, findForm } from '../../shared/domain/attribution.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { practiceSchema } from '../../shared/domain/schema/practice.ts';
import { smallPractice } from '../support/fixtures.ts';

const practice: Practice = practiceSchema.parse({
  ...smallPractice,
  sources: [
    { id: 'physician', name: 'Physician', quality: 40, match: { utm: [{ medium: 'referral' }] } },
    {
      id: 'search-ad',
      name: 'Search ad',
      quality: 24,
      match: { clickIds: ['gclid'], utm: [{ source: 'google', medium: 'cpc' }] },
    },
    { id: 'social-ad', name: 'Social ad', quality: 12, match: { clickIds: ['fbclid'], utm: [{}] } },
    { id: 'directory', name: 'Directory', quality: 18, match: { referrers: ['Yelp.com'] } },
    { id: 'website', name: 'Own website', quality: 28 },
  ],
  forms: [
    { id: 'website', source: 'website' },
    { id: 'desk', source: 'physician', origins: ['https://desk.example'], maySetSource: true },
  ],
});
const website = findForm(practice, undefined);
const desk = findForm(practice, 'https://desk.example');
const by = (
  ...args: Parameters<typeof attribute> extends [unknown, unknown, ...infer Rest] ? Rest : never
) => {
  const { sourceId, by } = attribute(practice, website, ...args);
  return `${by} ${sourceId}`;
};

describe('the source of an inquiry', () => {
  it('comes from the click id before the utm parameters, those before the referrer, that before the form', () => {
    const utm = { utm_medium: 'referral' };
    const referrer = 'https://www.yelp.com/biz/bayview?osq=x';

    expect(by({ ...utm, gclid: 'Cj0' }, referrer)).toBe('click_id search-ad');
    expect(by(utm, referrer)).toBe('utm physician');
    expect(by({}, referrer)).toBe('referrer directory');
    expect(by({}, undefined)).toBe('form website');
  });

  it('is the first source that matches, in the order of the practice', () => {
    expect(by({ gclid: 'a', fbclid: 'b' }, undefined)).toBe('click_id search-ad');
  });

  it('needs all that a utm rule names, without case', () => {
    expect(by({ utm_source: 'Google', utm_medium: 'CPC' }, undefined)).toBe('utm search-ad');
    expect(by({ utm_source: 'google' }, undefined)).toBe('form website');
    expect(by({ utm_source: 'google', utm_medium: 'email' }, undefined)).toBe('form website');
  });

  it('is not read from a click id that no source names, nor from a rule that names nothing', () => {
    expect(by({ wbraid: 'x', utm_source: 'anything' }, undefined)).toBe('form website');
  });

  it.each([
    ['https://yelp.com/', 'referrer directory'],
    ['https://m.YELP.com', 'referrer directory'],
    ['https://notyelp.com/', 'form website'],
    ['https://yelp.com.evil.example/', 'form website'],
    ['not a url', 'form website'],
    ['', 'form website'],
  ])('with the referrer %j: %s', (referrer, expected) => {
    expect(by({}, referrer)).toBe(expected);
  });

  it('counts as posted only where the form may set it, and only where there is such a source', () => {
    const posted = { source: 'directory', gclid: 'x' };

    expect(attribute(practice, website, posted, undefined)).toMatchObject({ sourceId: 'search-ad' });
    expect(attribute(practice, desk, posted, undefined)).toMatchObject({
      sourceId: 'directory',
      by: 'posted',
    });
    expect(attribute(practice, desk, { source: 'nowhere' }, undefined)).toMatchObject({
      sourceId: 'physician',
    });
  });

  it('comes with its campaign, as posted or as in the utm parameters', () => {
    const campaign = (posted: Parameters<typeof attribute>[2]) =>
      attribute(practice, website, posted, undefined).campaign;

    expect(campaign({ campaign: 'spring', utm_campaign: 'summer' })).toBe('spring');
    expect(campaign({ utm_campaign: 'summer' })).toBe('summer');
    expect(campaign({})).toBeUndefined();
  });

  it.each([
    ['acne-spring', 'acne-spring'],
    ['30000000000', '30000000000'],
    ['Spring_2026.v2', 'Spring_2026.v2'],
    ['Acné: spring sale', /^acne-spring-sale-[0-9a-f]{6}$/],
    ['2026-spring-dermatology-acne-north', /^2026-spring-dermatology-a-[0-9a-f]{6}$/],
    ['весна', /^[0-9a-f]{6}$/],
    ['🌼', /^[0-9a-f]{6}$/],
  ])('knows the campaign %j by a code', (wording, code) => {
    expect(campaignCode(wording)).toMatch(typeof code === 'string' ? new RegExp(`^${code}$`) : code);
  });

  it('knows campaigns that differ only at their end apart', () => {
    const codes = ['north', 'south'].map((end) => campaignCode(`2026-spring-dermatology-acne-${end}`));
    expect(new Set(codes).size).toBe(2);
  });

  it('has no more of a visitor in the code of a campaign than 32 bytes without spaces', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.lorem(), fc.string({ minLength: 100 })),
        (wording) => {
          const code = campaignCode(wording);
          expect(Buffer.byteLength(code)).toBeLessThanOrEqual(32);
          expect(code).toMatch(/^[\w.-]+$/);
          expect(campaignCode(wording)).toBe(code);
          expect(campaignCode(code)).toBe(code);
        },
      ),
    );
  });
});

describe('the form of a post', () => {
  it('is the one that lists its origin, exactly, or the one for all others', () => {
    expect(findForm(practice, 'https://desk.example').id).toBe('desk');
    for (const origin of [undefined, 'null', 'https://desk.example.evil', 'http://desk.example']) {
      expect(findForm(practice, origin).id).toBe('website');
    }
  });
});
