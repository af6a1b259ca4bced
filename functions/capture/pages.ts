/**
 * The hosted form and its answers: plain HTML that works without JavaScript,
 * keeps what was typed when something is wrong, and loads nothing from elsewhere.
 */
import { createHash } from 'node:crypto';
import type { Practice } from '../../shared/domain/practice.ts';
import { limits } from '../../shared/domain/submission.ts';
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
body{margin:0;font:17px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back)}
main{max-width:38rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}
.emergency{border-left:.35rem solid var(--bad);background:var(--card);padding:.75rem 1rem;margin:1rem 0;font-weight:600}
.errors{border:2px solid var(--bad);background:var(--card);padding:.75rem 1rem;margin:1rem 0}
form{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1.25rem}
label,legend{display:block;font-weight:600;margin-top:1rem}
.hint{color:var(--soft);font-weight:400;font-size:.9rem}
.wrong{color:var(--bad);font-size:.95rem}
input,select,textarea{width:100%;font:inherit;color:inherit;background:var(--back);border:1px solid var(--soft);border-radius:.35rem;padding:.55rem .65rem;margin-top:.25rem}
input[type=checkbox]{width:1.2rem;height:1.2rem;margin:.2rem .6rem 0 0;flex:none}
.check{display:flex;align-items:flex-start;font-weight:400}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
[aria-invalid=true]{border-color:var(--bad);border-width:2px}
button{font:inherit;font-weight:700;color:var(--card);background:var(--accent);border:0;border-radius:.35rem;padding:.7rem 1.4rem;margin-top:1.5rem;cursor:pointer}
a{color:var(--accent)}
.trap{position:absolute;left:-9999px}
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

function choice(name: string, options: readonly (readonly [string, string])[], typed: Typed): Markup {
  const chosen = typed[name] ?? '';
  // A value that is no option, from a link or another form, is kept as one.
  const all =
    chosen === '' || options.some(([value]) => value === chosen)
      ? options
      : [[chosen, chosen] as const, ...options];
  return html`<label for="${name}">${labels[name] ?? name}</label>
<select id="${name}" name="${name}"><option value="">Not sure</option>${all.map(
    ([value, text]) => html`<option value="${value}"${value === chosen && html` selected`}>${text}</option>`,
  )}</select>
`;
}

/** Fields that a landing page's link carries through the form unseen. */
const carried = /^(?:utm_[a-z_]+|gclid|gbraid|wbraid|msclkid|fbclid|campaign|source)$/;

export interface FormPage {
  readonly practice: Practice;
  /** Names this filling-in of the form, so that sending it twice is one inquiry. */
  readonly idempotencyKey: string;
  readonly typed: Typed;
  readonly problem?: { readonly message: string; readonly errors: readonly FieldError[] };
  /** Where the form posts to, relative to the page. */
  readonly action: string;
}

/** The inquiry form, empty or with what was typed and what is wrong with it. */
export function formPage({ practice, idempotencyKey, typed, problem, action }: FormPage): string {
  const errors = problem?.errors ?? [];
  const text = (input: Input): Markup => field(input, typed, errors);
  const shown = new Set(Object.keys(labels));
  return page(
    `${problem ? 'Please check: ' : ''}${practice.name}`,
    html`<h1>${practice.name}</h1>
<p>Tell us how to reach you and what you need. We call you back.</p>
<p class="emergency" role="note">${practice.emergencyLine}</p>
${
  problem &&
  html`<div class="errors" role="alert" tabindex="-1"><p>${problem.message}</p><ul>${errors.map(
    (error) =>
      html`<li>${shown.has(error.field) ? html`<a href="#${error.field}">${labels[error.field] ?? ''}</a>` : error.field}: ${error.reason}</li>`,
  )}</ul></div>`
}
<form method="post" action="${action}">
<input type="hidden" name="idempotencyKey" value="${idempotencyKey}">
${Object.entries(typed)
  .filter(([name]) => carried.test(name))
  .map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`)}
${text({ name: 'name', autocomplete: 'name', max: limits.name })}
${text({ name: 'phone', type: 'tel', autocomplete: 'tel', hint: 'A phone number or an e-mail address is needed.', max: limits.phone })}
${text({ name: 'email', type: 'email', autocomplete: 'email', max: limits.email })}
${choice(
  'service',
  practice.services.map((service) => [service.id, service.name] as const),
  typed,
)}
${choice(
  'location',
  practice.locations.map((location) => [location.id, location.name] as const),
  typed,
)}
${text({ name: 'insurance', max: limits.short })}
${text({ name: 'preferredTime', hint: 'For example: mornings, or after 5 pm.', max: limits.short })}
${choice(
  'language',
  [
    ['en', 'English'],
    ['es', 'Español'],
  ],
  typed,
)}
${text({ name: 'message', type: 'textarea', max: limits.message })}
<label class="check"><input type="checkbox" name="consentEmail" value="yes"${['yes', 'on', 'true'].includes(typed['consentEmail'] ?? '') && html` checked`}> <span>You may e-mail me about this. I can withdraw this at any time.</span></label>
<div class="trap" aria-hidden="true"><label for="website">Leave this empty</label><input id="website" name="website" tabindex="-1" autocomplete="off"></div>
<button type="submit">Send</button>
</form>`,
  );
}

/** What a person sees once their inquiry is safe. */
export function thankYouPage(practice: Practice, formHref: string): string {
  return page(
    `Thank you: ${practice.name}`,
    html`<h1>Thank you</h1>
<p>Your message has reached ${practice.name}. Somebody will call you back.</p>
<p class="emergency" role="note">${practice.emergencyLine}</p>
<p><a href="${formHref}">Send another message</a></p>`,
  );
}
