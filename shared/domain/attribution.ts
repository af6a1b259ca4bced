/**
 * Where an inquiry came from. First-party facts only, in the order of their
 * worth: the click id, the campaign's utm parameters, the referring site, what
 * the form says of itself.
 */
import { createHash } from 'node:crypto';
import type { Form, Practice, Source } from './practice.ts';
import { clickIds, hostOf, type Submission } from './submission.ts';
import { foldWording } from './wording.ts';

export interface Attribution {
  readonly sourceId: string;
  /** The campaign's code; its wording stays with what was posted. */
  readonly campaign: string | undefined;
  /** Which fact decided. */
  readonly by: 'click_id' | 'utm' | 'posted' | 'referrer' | 'form';
}

/** Of a campaign's code, in characters of a byte each. */
const longestCode = 32;
const digestLength = 6;

/**
 * The code by which an inquiry's state and the reports know a campaign. What is a code already stays as it
 * is; any other wording may be a visitor's own words, and is cut down to one, with a digest of the whole so
 * that campaigns which differ only at their end are two.
 */
export function campaignCode(wording: string): string {
  if (new RegExp(`^[\\w.-]{1,${longestCode}}$`).test(wording)) return wording;
  const digest = createHash('sha256').update(wording).digest('hex').slice(0, digestLength);
  const words = foldWording(wording)
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, longestCode - digestLength - 1)
    .replace(/^-+|-+$/g, '');
  return words === '' ? digest : `${words}-${digest}`;
}

const same = (wanted: string | undefined, actual: string | undefined): boolean =>
  wanted === undefined || (actual !== undefined && foldWording(wanted) === foldWording(actual));

function byClickId(source: Source, posted: Submission): boolean {
  const present = clickIds.filter((name) => posted[name] !== undefined);
  return (source.match?.clickIds ?? []).some((name) => present.includes(name));
}

function byUtm(source: Source, posted: Submission): boolean {
  if (posted.utm_source === undefined && posted.utm_medium === undefined) return false;
  return (source.match?.utm ?? []).some(
    (rule) =>
      (rule.source ?? rule.medium) !== undefined &&
      same(rule.source, posted.utm_source) &&
      same(rule.medium, posted.utm_medium),
  );
}

function byReferrer(source: Source, host: string): boolean {
  return (source.match?.referrers ?? []).some(
    (name) => host === name.toLowerCase() || host.endsWith(`.${name.toLowerCase()}`),
  );
}

/** The form behind a post's origin: the one that lists it, or the one for all others. */
export function findForm(practice: Practice, origin: string | undefined): Form {
  const form =
    practice.forms.find((candidate) => origin !== undefined && candidate.origins.includes(origin)) ??
    practice.forms.find((candidate) => candidate.origins.length === 0);
  if (form === undefined) throw new Error('a practice has a form without origins');
  return form;
}

/** The lead source of a submission; `referrer` is the page that sent the person, or its site. */
export function attribute(
  practice: Practice,
  form: Form,
  posted: Submission,
  referrer: string | undefined,
): Attribution {
  const wording = posted.campaign ?? posted.utm_campaign;
  const campaign = wording === undefined ? undefined : campaignCode(wording);
  const found = (source: Source | undefined, by: Attribution['by']): Attribution | undefined =>
    source && { sourceId: source.id, campaign, by };
  const host = referrer === undefined ? undefined : hostOf(referrer);
  return (
    (form.maySetSource
      ? found(
          practice.sources.find((source) => source.id === posted.source),
          'posted',
        )
      : undefined) ??
    found(
      practice.sources.find((source) => byClickId(source, posted)),
      'click_id',
    ) ??
    found(
      practice.sources.find((source) => byUtm(source, posted)),
      'utm',
    ) ??
    (host === undefined
      ? undefined
      : found(
          practice.sources.find((source) => byReferrer(source, host)),
          'referrer',
        )) ?? { sourceId: form.source, campaign, by: 'form' }
  );
}
