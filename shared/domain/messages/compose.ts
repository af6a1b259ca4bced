/**
 * A message as it is sent: the template filled in, and around it what the law
 * and the person need, whatever the template says: the emergency line, the
 * practice's address, the way to get no more of it.
 */
import type { Sendable } from './lawful.ts';
import { fillMarkup, fillText } from './liquid.ts';
import { type ConsentPurpose, openings } from './template.ts';

/** A composed message. */
export interface Composed {
  readonly to: string;
  readonly replyTo: string | undefined;
  readonly subject: string;
  readonly preview: string;
  readonly text: string;
  readonly html: string;
  /** Where whoever reads it gets no more of it, with one click and no sign-in. */
  readonly unsubscribeUrl: string;
}

interface Words {
  readonly why: string;
  readonly unsubscribe: string;
  readonly tracked: string;
  readonly untrack: string;
}

/** What stands under every message, in the languages that there is one in. */
const footers: Readonly<Record<string, Words>> = {
  en: {
    why: 'You get this e-mail because you wrote to us and agreed to be e-mailed.',
    unsubscribe: 'Unsubscribe',
    tracked: 'As you agreed, we can see whether this e-mail is opened.',
    untrack: 'Do not look any more',
  },
  es: {
    why: 'Recibe este correo porque nos escribió y aceptó recibir correos electrónicos.',
    unsubscribe: 'Cancelar la suscripción',
    tracked: 'Como usted aceptó, podemos ver si este correo se abre.',
    untrack: 'No mirarlo más',
  },
};

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/gu, (character) => escapes[character] ?? '');

const oneLine = (text: string): string => text.replace(/\s+/gu, ' ').trim();

/** Paragraphs of a text as markup. */
const paragraphs = (text: string): string =>
  text
    .trim()
    .split(/\n{2,}/u)
    .map((paragraph) => `<p>${escaped(paragraph.trim()).replaceAll('\n', '<br>')}</p>`)
    .join('\n');

/** Fills in and frames what may be sent. @throws Error where the template cannot be filled in */
export function compose(
  { message }: Sendable,
  unsubscribeUrlOf: (contactId: string, purpose: ConsentPurpose) => string,
): Composed {
  const { version, values, language, emergencyNotice, postalAddress } = message;
  const unsubscribeUrl = unsubscribeUrlOf(message.contactId, message.purpose);
  const { why, unsubscribe, tracked, untrack } =
    footers[language.split('-', 1)[0] ?? ''] ?? (footers['en'] as Words);
  const untrackUrl = message.tracked ? unsubscribeUrlOf(message.contactId, openings) : undefined;
  const subject = oneLine(fillText(version.subject, values));
  const preview = oneLine(fillText(version.preview ?? '', values));
  const body = fillText(version.text, values).trim();
  const from = [values.practiceName, postalAddress].filter((line) => line !== undefined && line !== '');

  const text = [
    ...(emergencyNotice === undefined ? [] : [emergencyNotice]),
    body,
    ['-- ', ...from].join('\n'),
    `${why}\n${unsubscribe}: ${unsubscribeUrl}`,
    ...(untrackUrl === undefined ? [] : [`${tracked}\n${untrack}: ${untrackUrl}`]),
  ].join('\n\n');
  const html = `<!doctype html>
<html lang="${escaped(language)}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(subject)}</title></head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#16242b;background:#ffffff">
${preview === '' ? '' : `<div style="display:none;max-height:0;overflow:hidden">${escaped(preview)}</div>\n`}<div style="max-width:36rem;margin:0 auto">
${emergencyNotice === undefined ? '' : `<p style="border-left:6px solid #a3241c;padding:8px 12px;font-weight:bold">${escaped(emergencyNotice)}</p>\n`}${version.html === undefined ? paragraphs(body) : fillMarkup(version.html, values)}
<hr style="border:0;border-top:1px solid #c3cfd4;margin:24px 0 12px">
<p style="font-size:14px;color:#51636c">${from.map((line) => escaped(line as string)).join('<br>')}<br>${escaped(why)} <a href="${escaped(unsubscribeUrl)}">${escaped(unsubscribe)}</a>${untrackUrl === undefined ? '' : `<br>${escaped(tracked)} <a href="${escaped(untrackUrl)}">${escaped(untrack)}</a>`}</p>
</div>
</body>
</html>
`;
  return {
    to: message.to,
    replyTo: message.replyTo,
    subject,
    preview,
    text: `${text}\n`,
    html,
    unsubscribeUrl,
  };
}
