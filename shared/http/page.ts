/** The frame of the public pages: plain HTML that works without JavaScript and loads nothing from elsewhere. */
import { createHash } from 'node:crypto';

/** Markup that is safe to put into a page as it is. */
export class Markup {
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
export function html(texts: TemplateStringsArray, ...parts: Part[]): Markup {
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
.emergency span{display:block}
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

/** A whole page. */
export function page(title: string, body: Markup, language = 'en'): string {
  return html`<!doctype html>
<html lang="${language}">
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
