/**
 * The hosted form and its answers: plain HTML that works without JavaScript,
 * keeps what was typed when something is wrong, and loads nothing from elsewhere.
 */
import { inEveryLanguage, type Localized } from '../../shared/domain/languages.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { emergencyNotice } from '../../shared/domain/red-flags.ts';
import { clickIds, utmParameters } from '../../shared/domain/submission.ts';
import { limits } from '../../shared/domain/text-fields.ts';
import { html, type Markup, page } from '../../shared/http/page.ts';
import type { FieldError } from '../../shared/http/problem.ts';

/** What was typed, by field; shown again when something is wrong. */
export type Typed = Readonly<Record<string, string>>;

const labels: Readonly<Record<string, string>> = {
  name: 'Your name',
  phone: 'Phone number',
  email: 'E-mail address',
  patientName: "Patient's name, if this is for somebody else",
  service: 'What can we help with?',
  location: 'Location',
  insurance: 'Insurance, or "self-pay"',
  preferredTime: 'Best time to call',
  language: 'Language you prefer',
  message: 'Message',
};

interface Input {
  readonly name: string;
  readonly type?: string;
  readonly autocomplete?: string;
  readonly hint?: string;
  readonly max: number;
}

function field(
  { name, type = 'text', autocomplete = 'off', hint, max }: Input,
  typed: Typed,
  errors: readonly FieldError[],
): Markup {
  const wrong = errors.find((error) => error.field === name);
  const described = [hint && `${name}-hint`, wrong && `${name}-error`].filter(Boolean).join(' ');
  const attributes = html`id="${name}" name="${name}" autocomplete="${autocomplete}" maxlength="${max}"${described !== '' && html` aria-describedby="${described}"`}${wrong && html` aria-invalid="true"`}`;
  return html`<label for="${name}">${labels[name] ?? name}</label>
${hint && html`<div class="hint" id="${name}-hint">${hint}</div>`}${wrong && html`<div class="wrong" id="${name}-error">${wrong.reason}</div>`}
${
  type === 'textarea'
    ? html`<textarea ${attributes} rows="4">${typed[name] ?? ''}</textarea>`
    : html`<input ${attributes} type="${type}" value="${typed[name] ?? ''}">`
}
`;
}

function choice(
  name: string,
  none: string,
  options: readonly (readonly [string, string])[],
  typed: Typed,
): Markup {
  const chosen = typed[name] ?? '';
  // A value that is no option, from a link or another form, is kept as one.
  const all =
    chosen === '' || options.some(([value]) => value === chosen)
      ? options
      : [[chosen, chosen] as const, ...options];
  return html`<label for="${name}">${labels[name] ?? name}</label>
<select id="${name}" name="${name}"><option value="">${none}</option>${all.map(
    ([value, text]) => html`<option value="${value}"${value === chosen && html` selected`}>${text}</option>`,
  )}</select>
`;
}

const box = (name: string, text: string, typed: Typed): Markup =>
  html`<label class="check"><input type="checkbox" name="${name}" value="yes"${['yes', 'on', 'true'].includes(typed[name] ?? '') && html` checked`}> <span>${text}</span></label>
`;

/** Fields that a landing page's link carries through the form unseen. */
const carried: ReadonlySet<string> = new Set([
  ...utmParameters,
  ...clickIds,
  'campaign',
  'source',
  'referrer',
]);

/** Fields that a link to the form may fill in: where somebody came from and what for, never who they are. */
export const isPrefilled = (name: string): boolean =>
  name !== 'source' &&
  name !== 'referrer' &&
  (carried.has(name) || ['service', 'location', 'language'].includes(name));

export interface PageLink {
  readonly text: string;
  readonly href: string;
}

export interface FormPage {
  readonly practice: Practice;
  /** Names this filling-in of the form, so that sending it twice is one inquiry. */
  readonly idempotencyKey: string;
  readonly typed: Typed;
  readonly problem?: { readonly message: string; readonly errors: readonly FieldError[] };
  /** What to do now, in place of the emergency line, for whoever wrote of an emergency. */
  readonly notice?: Localized | undefined;
  /** The way from the page's address to `/`. */
  readonly root: string;
  /** Where else there is something to see. */
  readonly links: readonly PageLink[];
}

/** In every language that there is: who reads it is not known. */
const emergencyLines = (lines: Localized): Markup =>
  html`<p class="emergency" role="note">${inEveryLanguage(lines).map(({ language, text }) =>
    language === undefined ? text : html`<span lang="${language}">${text}</span>`,
  )}</p>`;

/** The inquiry form, empty or with what was typed and what is wrong with it. */
export function formPage({
  practice,
  idempotencyKey,
  typed,
  problem,
  notice,
  root,
  links,
}: FormPage): string {
  const errors = problem?.errors ?? [];
  const text = (input: Input): Markup => field(input, typed, errors);
  const shown = new Set(Object.keys(labels));
  return page(
    `${problem ? 'Please check: ' : ''}${practice.name}`,
    html`<h1>${practice.name}</h1>
${emergencyLines(notice ?? practice.emergencyLine)}
<p>Tell us how to reach you and what you need, and we will call you back. Only a phone number or an e-mail address is needed.</p>
${
  problem &&
  // Where reading goes on: without it a screen reader would begin at the top, with what it read before.
  html`<div class="errors" role="alert" tabindex="-1" autofocus><h2>${problem.message}</h2><ul>${errors.map(
    (error) =>
      html`<li>${shown.has(error.field) ? html`<a href="#${error.field}">${labels[error.field] ?? ''}</a>` : error.field}: ${error.reason}</li>`,
  )}</ul></div>`
}
<form class="card" method="post" action="${root}v1/inquiries">
${text({ name: 'name', autocomplete: 'name', max: limits.name })}
${text({ name: 'phone', type: 'tel', autocomplete: 'tel', hint: 'This, or an e-mail address.', max: limits.phone })}
${text({ name: 'email', type: 'email', autocomplete: 'email', max: limits.email })}
${text({ name: 'patientName', hint: 'For your child, say. Leave it empty if this is for you.', max: limits.name })}
${choice(
  'service',
  'Something else, or not sure',
  practice.services.map((service) => [service.id, service.name] as const),
  typed,
)}
${choice(
  'location',
  'Any',
  practice.locations.map((location) => [location.id, location.name] as const),
  typed,
)}
${text({ name: 'insurance', max: limits.short })}
${text({ name: 'preferredTime', hint: 'For example: mornings, or after 5 pm.', max: limits.short })}
${choice(
  'language',
  'No preference',
  [
    ['en', 'English'],
    ['es', 'Español'],
  ],
  typed,
)}
${text({ name: 'message', type: 'textarea', max: limits.message })}
${box('consentEmail', 'You may e-mail me about this. I can withdraw this at any time.', typed)}${practice.messages.trackOpenings && box('consentOpenings', 'You may see whether I open these e-mails. I can withdraw this at any time.', typed)}<div class="trap" aria-hidden="true"><label for="website">Leave this empty</label><input id="website" name="website" tabindex="-1" autocomplete="off"></div>
<input type="hidden" name="idempotencyKey" value="${idempotencyKey}">
${Object.entries(typed)
  .filter(([name]) => carried.has(name))
  .map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`,
  )}<button type="submit">Send</button>
</form>
<footer>${problem && html`<a href="${root}">Start again</a> · `}<a href="${root}v1/health">Service status</a>${links.map(
      ({ text, href }) => html` · <a href="${href}">${text}</a>`,
    )}</footer>`,
  );
}

/** What a person sees once their inquiry is safe. */
export function thankYouPage(practice: Practice, formHref: string): string {
  return page(
    `Thank you: ${practice.name}`,
    // To everybody, whatever they wrote: the address of a page says nothing about who sees it.
    html`<h1>Thank you</h1>
${emergencyLines(emergencyNotice(practice))}
<div class="card">
<p>Your message has reached ${practice.name}. Somebody will call you back when we are open.</p>
<p>You need not do anything more. Sending it again would not make it quicker.</p>
</div>
<p><a href="${formHref}">Send another message</a></p>`,
  );
}
