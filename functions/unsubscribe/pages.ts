/** The pages of an unsubscribe link: a question with a button, and what came of it. */
import { type ConsentPurpose, openings, purposes } from '../../shared/domain/messages/template.ts';
import { html, page } from '../../shared/http/page.ts';

const words = {
  en: {
    ask: 'Stop these e-mails?',
    explain: (practice: string) => `${practice} sends you e-mails at this address. One press stops them.`,
    button: 'Stop these e-mails',
    all: 'Stop all e-mails from this practice',
    openings: {
      ask: 'Stop seeing whether you open our e-mails?',
      explain: (practice: string) =>
        `You agreed that ${practice} may see whether you open some of its e-mails. One press ends that; the e-mails go on.`,
      button: 'Do not look any more',
      done: 'We no longer see whether you open our e-mails',
      doneMore: (practice: string) =>
        `It holds from now on, for the e-mails that you have already, too. You need not do anything more. ${practice} asks you before it looks again.`,
    },
    done: 'You get no more of these e-mails',
    doneMore: (practice: string) =>
      `It holds from now on; you need not do anything more. If you write to ${practice} again and agree to be e-mailed, it answers you by e-mail.`,
    unknown: 'This link is not complete',
    unknownMore: 'Please open the link from the e-mail once more, whole as it is there.',
  },
  es: {
    ask: '¿Dejar de recibir estos correos?',
    explain: (practice: string) =>
      `${practice} le envía correos a esta dirección. Con un solo botón dejan de llegar.`,
    button: 'No recibir más estos correos',
    all: 'No recibir ningún correo de este consultorio',
    openings: {
      ask: '¿Dejar de ver si abre nuestros correos?',
      explain: (practice: string) =>
        `Usted aceptó que ${practice} vea si abre algunos de sus correos. Con un solo botón deja de verlo; los correos siguen llegando.`,
      button: 'No mirarlo más',
      done: 'Ya no vemos si abre nuestros correos',
      doneMore: (practice: string) =>
        `Vale desde ahora, también para los correos que ya tiene. No tiene que hacer nada más. ${practice} le pregunta antes de volver a mirarlo.`,
    },
    done: 'No recibirá más estos correos',
    doneMore: (practice: string) =>
      `Vale desde ahora; no tiene que hacer nada más. Si vuelve a escribir a ${practice} y acepta recibir correos, le responderá por correo.`,
    unknown: 'Este enlace no está completo',
    unknownMore: 'Por favor, abra de nuevo el enlace del correo, entero como está allí.',
  },
} as const;
export type PageLanguage = keyof typeof words;

/** The language of the reader's browser, where there is a page in it. */
export const pageLanguage = (acceptLanguage: string | undefined): PageLanguage =>
  /^\s*es\b/i.test(acceptLanguage ?? '') ? 'es' : 'en';

const wordsFor = (purpose: ConsentPurpose, language: PageLanguage) =>
  purpose === openings ? words[language].openings : words[language];

/** Asks. Nothing is changed by opening it: programs that look for malware open every link. */
export function askPage(practiceName: string, purpose: ConsentPurpose, language: PageLanguage): string {
  const { all } = words[language];
  const { ask, explain, button } = wordsFor(purpose, language);
  const isAboutAll = purpose === purposes[0];
  return page(
    `${ask} ${practiceName}`,
    html`<h1>${ask}</h1>
<form class="card" method="post">
<p>${explain(practiceName)}</p>
<button type="submit">${isAboutAll ? all : button}</button>
</form>
${
  !isAboutAll &&
  html`<form method="post"><input type="hidden" name="all" value="yes"><button type="submit">${all}</button></form>`
}`,
    language,
  );
}

export function donePage(practiceName: string, purpose: ConsentPurpose, language: PageLanguage): string {
  const { done, doneMore } = wordsFor(purpose, language);
  return page(
    `${done}: ${practiceName}`,
    html`<h1>${done}</h1>
<div class="card" role="status"><p>${doneMore(practiceName)}</p></div>`,
    language,
  );
}

export function unknownPage(language: PageLanguage): string {
  const { unknown, unknownMore } = words[language];
  return page(unknown, html`<h1>${unknown}</h1><p>${unknownMore}</p>`, language);
}
