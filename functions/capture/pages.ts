/**
 * The hosted form and its answers: plain HTML that works without JavaScript,
 * keeps what was typed when something is wrong, and loads nothing from elsewhere.
 */
import { createHash } from 'node:crypto';
import type { Practice } from '../../shared/domain/practice.ts';
import { emergencyNotice } from '../../shared/domain/red-flags.ts';
import { clickIds, utmParameters } from '../../shared/domain/submission.ts';
import { limits } from '../../shared/domain/text-fields.ts';
import type { FieldError } from '../../shared/http/problem.ts';

/** Markup that is safe to put into a page as it is. */
class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

type Part = string | number | Markup | false | undefined | readonly Part[];

function render(part: Part): string {
  if (part === false || part === undefined) return '';
  if (part instanceof Markup) return part.text;
  if (Array.isArray(part)) return part.map(render).join('');
  return String(part).replace(/[&<>"']/g, (character) => escapes[character] ?? '');
}

/** A template whose values are escaped unless they are markup themselves. */
function html(texts: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(texts.reduce((all, text, i) => all + render(parts[i - 1]) + text));
}

const style = `
:root{color-scheme:light dark;--ink:#16242b;--soft:#51636c;--line:#c3cfd4;--back:#f4f7f8;--card:#fff;--accent:#0b6b62;--bad:#a3241c}
@media (prefers-color-scheme:dark){:root{--ink:#e9f0f2;--soft:#a9bac1;--line:#43545c;--back:#111a1e;--card:#19252a;--accent:#5cc9bd;--bad:#ff9b92}}
*{box-sizing:border-box}
body{margin:0;border-top:.35rem solid var(--accent);font:17px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back)}
main{max-width:38rem;margin:0 auto;padding:1.25rem 1rem 3rem}
h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}
h2{font-size:1.05rem;margin:0 0 .25rem}
ul{margin:0;padding-left:1.2rem}
footer{color:var(--soft);font-size:.9rem;margin-top:1.5rem}
.card,.errors,.emergency{background:var(--card);border-radius:.6rem;margin:1rem 0}
.card{border:1px solid var(--line);padding:1.25rem}
.card>:first-child{margin-top:0}
.card>:last-child{margin-bottom:0}
.emergency{border-left:.4rem solid var(--bad);padding:.75rem 1rem;font-weight:600}
.errors{border:2px solid var(--bad);padding:.85rem 1rem}
label{display:block;font-weight:600;margin-top:1.1rem}
.hint{color:var(--soft);font-size:.9rem}
.wrong{color:var(--bad);font-size:.95rem;font-weight:600}
.wrong::first-letter{text-transform:uppercase}
input,select,textarea{width:100%;font:inherit;color:inherit;background:var(--back);border:1px solid var(--soft);border-radius:.35rem;padding:.55rem .65rem;margin-top:.25rem}
select{min-height:2.9rem}
textarea{resize:vertical}
input[type=checkbox]{width:1.5rem;height:1.5rem;margin:0 .65rem 0 0;flex:none;accent-color:var(--accent)}
.check{display:flex;align-items:flex-start;font-weight:400}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
[aria-invalid=true]{border-color:var(--bad);border-width:2px}
button{font:inherit;font-weight:700;color:var(--card);background:var(--accent);border:0;border-radius:.35rem;padding:.75rem 2rem;margin-top:1.5rem;cursor:pointer}
button:hover{filter:brightness(1.12)}
a{color:var(--accent)}
.trap{position:absolute;left:-9999px}
@media (max-width:30rem){button{width:100%}}
`.trim();

const styleHash = createHash('sha256').update(style).digest('base64');

/** Headers of every page: nothing foreign loads, nothing frames it, nothing keeps it. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'referrer-policy': 'strict-origin-when-cross-origin',
  'x-content-type-options': 'nosniff',
};

function page(title: string, body: Markup): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(style)}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.text;
}

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

/** Fields that a landing page's link carries through the form unseen. */
const carried: ReadonlySet<string> = new Set([...utmParameters, ...clickIds, 'campaign', 'source']);

/** Fields that a link to the form may fill in: where somebody came from and what for, never who they are. */
export const isPrefilled = (name: string): boolean =>
  name !== 'source' && (carried.has(name) || ['service', 'location', 'language'].includes(name));

export interface FormPage {
  readonly practice: Practice;
  /** Names this filling-in of the form, so that sending it twice is one inquiry. */
  readonly idempotencyKey: string;
  readonly typed: Typed;
  readonly problem?: { readonly message: string; readonly errors: readonly FieldError[] };
  /** What to do now, in place of the emergency line, for whoever wrote of an emergency. */
  readonly notice?: string | undefined;
  /** The way from the page's address to `/`. */
  readonly root: string;
}

/** The inquiry form, empty or with what was typed and what is wrong with it. */
export function formPage({ practice, idempotencyKey, typed, problem, notice, root }: FormPage): string {
  const errors = problem?.errors ?? [];
  const text = (input: Input): Markup => field(input, typed, errors);
  const shown = new Set(Object.keys(labels));
  return page(
    `${problem ? 'Please check: ' : ''}${practice.name}`,
    html`<h1>${practice.name}</h1>
<p class="emergency" role="note">${notice ?? practice.emergencyLine}</p>
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
<label class="check"><input type="checkbox" name="consentEmail" value="yes"${['yes', 'on', 'true'].includes(typed['consentEmail'] ?? '') && html` checked`}> <span>You may e-mail me about this. I can withdraw this at any time.</span></label>
<div class="trap" aria-hidden="true"><label for="website">Leave this empty</label><input id="website" name="website" tabindex="-1" autocomplete="off"></div>
<input type="hidden" name="idempotencyKey" value="${idempotencyKey}">
${Object.entries(typed)
  .filter(([name]) => carried.has(name))
  .map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`,
  )}<button type="submit">Send</button>
</form>
<footer>${problem && html`<a href="${root}">Start again</a> · `}<a href="${root}v1/health">Service status</a></footer>`,
  );
}

/** What a person sees once their inquiry is safe. */
export function thankYouPage(practice: Practice, formHref: string): string {
  return page(
    `Thank you: ${practice.name}`,
    // To everybody, whatever they wrote: the address of a page says nothing about who sees it.
    html`<h1>Thank you</h1>
<p class="emergency" role="note">${emergencyNotice(practice)}</p>
<div class="card">
<p>Your message has reached ${practice.name}. Somebody will call you back when we are open.</p>
<p>You need not do anything more. Sending it again would not make it quicker.</p>
</div>
<p><a href="${formHref}">Send another message</a></p>`,
  );
}
