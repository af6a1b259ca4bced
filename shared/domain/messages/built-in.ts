/** The templates that there are without anybody having written one; one of the same id takes its place. */
import type { Template } from './template.ts';

const paragraphs = (...texts: string[]): string => texts.join('\n\n');

const en = {
  hello: 'Hello{% if firstName != blank %} {{ firstName }}{% endif %},',
  call: '{% if phone != blank %} You can also reach us at {{ phone }}.{% endif %}',
  urgent: '{{ emergencyLine }}',
};
const es = {
  hello: 'Hola{% if firstName != blank %}, {{ firstName }}{% endif %}:',
  call: '{% if phone != blank %} También puede llamarnos al {{ phone }}.{% endif %}',
  urgent: '{{ emergencyLine }}',
};

export const builtInTemplates: readonly Template[] = [
  {
    id: 'acknowledgement-open',
    class: 'transactional',
    purpose: 'inquiry',
    versions: {
      en: {
        subject: '{{ practiceName }}: we have your message',
        preview: 'Somebody will call you back.',
        text: paragraphs(
          en.hello,
          `Thank you for writing to {{ practiceName }}. Your message is with our team, and somebody will call you back.${en.call}`,
          en.urgent,
        ),
      },
      es: {
        subject: '{{ practiceName }}: recibimos su mensaje',
        preview: 'Le llamaremos.',
        text: paragraphs(
          es.hello,
          `Gracias por escribir a {{ practiceName }}. Nuestro equipo tiene su mensaje y le llamaremos.${es.call}`,
          es.urgent,
        ),
      },
    },
  },
  {
    id: 'after-hours',
    class: 'transactional',
    purpose: 'inquiry',
    versions: {
      en: {
        subject: '{{ practiceName }}: we have your message',
        preview: 'We are closed now and will call you back.',
        text: paragraphs(
          en.hello,
          `Thank you for writing to {{ practiceName }}. We are closed at the moment{% if opensAt != blank %} and open again on {{ opensAt }}{% endif %}. Somebody will call you back then.`,
          'Our hours at {{ locationName }}:\n{{ hours }}',
          'Nobody reads this mailbox while we are closed. {{ emergencyLine }}',
        ),
      },
      es: {
        subject: '{{ practiceName }}: recibimos su mensaje',
        preview: 'Ahora estamos cerrados; le llamaremos.',
        text: paragraphs(
          es.hello,
          `Gracias por escribir a {{ practiceName }}. En este momento estamos cerrados{% if opensAt != blank %}, abrimos de nuevo el {{ opensAt }}{% endif %} y entonces le llamaremos.`,
          'Nuestro horario en {{ locationName }}:\n{{ hours }}',
          'Nadie lee este buzón mientras estamos cerrados. {{ emergencyLine }}',
        ),
      },
    },
  },
  {
    id: 'not-reached-1',
    class: 'own_service',
    purpose: 'inquiry',
    versions: {
      en: {
        subject: '{{ practiceName }}: we tried to reach you',
        preview: 'Tell us when a call suits you.',
        text: paragraphs(
          en.hello,
          `We tried to call you about your message and could not reach you. Tell us when a call suits you by answering this e-mail.${en.call}`,
          'We are open:\n{{ hours }}',
        ),
      },
      es: {
        subject: '{{ practiceName }}: intentamos comunicarnos con usted',
        preview: 'Díganos cuándo le conviene una llamada.',
        text: paragraphs(
          es.hello,
          `Intentamos llamarle por su mensaje y no pudimos comunicarnos. Díganos cuándo le conviene una llamada respondiendo a este correo.${es.call}`,
          'Nuestro horario:\n{{ hours }}',
        ),
      },
    },
  },
  {
    id: 'not-reached-2',
    class: 'own_service',
    purpose: 'inquiry',
    versions: {
      en: {
        subject: '{{ practiceName }}: are you still looking for an appointment?',
        preview: 'We are glad to help.',
        text: paragraphs(
          en.hello,
          `We have not been able to speak with you yet. If you still would like an appointment, answer this e-mail and we will arrange it.${en.call}`,
          'If not, you need not do anything: this is our last e-mail about it.',
        ),
      },
      es: {
        subject: '{{ practiceName }}: ¿sigue buscando una cita?',
        preview: 'Con gusto le ayudamos.',
        text: paragraphs(
          es.hello,
          `Todavía no hemos podido hablar con usted. Si aún desea una cita, responda a este correo y la organizamos.${es.call}`,
          'Si no, no tiene que hacer nada: este es nuestro último correo sobre el tema.',
        ),
      },
    },
  },
  {
    id: 'still-deciding-1',
    class: 'own_service',
    purpose: 'inquiry',
    versions: {
      en: {
        subject: '{{ practiceName }}: questions before you decide?',
        preview: 'Our team is glad to answer them.',
        text: paragraphs(
          en.hello,
          `It was good to hear from you. If there are questions left before you decide about a visit, answer this e-mail and our team will get back to you.${en.call}`,
        ),
      },
      es: {
        subject: '{{ practiceName }}: ¿tiene preguntas antes de decidir?',
        preview: 'Nuestro equipo las responde con gusto.',
        text: paragraphs(
          es.hello,
          `Nos alegró saber de usted. Si le quedan preguntas antes de decidir sobre una visita, responda a este correo y nuestro equipo le contestará.${es.call}`,
        ),
      },
    },
  },
  {
    id: 'still-deciding-2',
    class: 'own_service',
    purpose: 'inquiry',
    versions: {
      en: {
        subject: '{{ practiceName }}: we are here when you are ready',
        preview: 'Whenever it suits you.',
        text: paragraphs(
          en.hello,
          `Whenever you are ready for a visit, answer this e-mail and we will find a time that suits you.${en.call}`,
          'This is our last e-mail about it.',
        ),
      },
      es: {
        subject: '{{ practiceName }}: aquí estamos cuando usted quiera',
        preview: 'Cuando le convenga.',
        text: paragraphs(
          es.hello,
          `Cuando quiera hacer una visita, responda a este correo y encontraremos una hora que le convenga.${es.call}`,
          'Este es nuestro último correo sobre el tema.',
        ),
      },
    },
  },
];
