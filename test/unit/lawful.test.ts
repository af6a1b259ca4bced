import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AgeKnown, isMinorAt, learnt, saidOfAge } from '../../shared/domain/age.ts';
import { builtInTemplates } from '../../shared/domain/messages/built-in.ts';
import { compose } from '../../shared/domain/messages/compose.ts';
import { type Consent, type Mailbox, optedOut } from '../../shared/domain/messages/consent.ts';
import { lawful, mostPauseMs, mostPerDay, type Situation } from '../../shared/domain/messages/lawful.ts';
import { mistakesOf } from '../../shared/domain/messages/liquid.ts';
import { quietUntil } from '../../shared/domain/messages/quiet-hours.ts';
import { addresseeOf, firstNameOf } from '../../shared/domain/messages/recipient.ts';
import { saysStop } from '../../shared/domain/messages/stop-words.ts';
import {
  consentPurposes,
  messageClasses,
  messageVariables,
  purposes,
  type Template,
} from '../../shared/domain/messages/template.ts';

const now = new Date('2026-11-20T18:00:00.000Z');
const at = (hours: number): string => new Date(now.getTime() + hours * 3_600_000).toISOString();

const sender: Situation['sender'] = {
  postalAddress: '1 Bayview Ave, Mountain View, CA 94040',
  replyTo: undefined,
  quietHours: { from: '20:00', to: '08:00' },
  tracksOpenings: false,
  unnameable: ['Acne treatment', 'Botox', 'changing mole'],
  emergencyNotice: () => 'Call 911 now.',
  values: () => ({
    practiceName: 'Bayview',
    locationName: 'Main Street',
    phone: '(650) 555-0100',
    hours: 'Monday to Friday: 9 to 5',
    opensAt: '',
    emergencyLine: 'In an emergency call 911.',
  }),
};

/** Mostly what is as usual, so that enough of what is tried may be sent. */
const mostly = <T>(usual: T, ...unusual: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...unusual) },
  );

const anyTemplate: fc.Arbitrary<Template> = fc.record(
  {
    id: fc.constant('a-template'),
    // What was stored is not always what the type says.
    class: fc.constantFrom(...messageClasses, 'marketing' as 'care', undefined as unknown as 'care'),
    purpose: fc.constantFrom(...purposes),
    paid: mostly<Template['paid']>(
      undefined,
      { remuneration: '$100 a patient' },
      { remuneration: 'a dinner' },
    ),
    versions: mostly('{{ practiceName }}: news', 'Your Acne Treatment', 'About the changing mole').map(
      (subject) => ({ en: { subject, text: 'Hello {{ firstName }}' } }),
    ),
  },
  { requiredKeys: ['id', 'class', 'purpose', 'versions'] },
) as fc.Arbitrary<Template>;

const anyConsent: fc.Arbitrary<Consent> = fc.record({
  purpose: fc.constantFrom(...consentPurposes),
  given: mostly(true, false),
  at: fc.constantFrom(at(-200), at(-100), at(-50), at(-1)),
  source: fc.constant('form'),
  version: fc.constant(1),
  authorisation: fc.option(
    fc.record({
      signedAt: mostly(at(-100), at(1)),
      expiresAt: mostly(at(100), at(-1)),
      remuneration: fc.constantFrom('$100 a patient', 'a dinner', 'nothing'),
    }),
    { nil: undefined },
  ),
}) as fc.Arbitrary<Consent>;

const anyMailbox: fc.Arbitrary<Mailbox> = fc.record({
  version: fc.constant(3),
  suppressed: mostly<Mailbox['suppressed']>(undefined, { reason: 'bounce' as const, at: at(-9) }),
  optedOut: fc.dictionary(fc.constantFrom(...consentPurposes), fc.constantFrom(at(-150), at(-60))),
  day: fc.constantFrom('2026-11-19', '2026-11-20', undefined),
  sentThatDay: mostly(1, mostPerDay),
}) as fc.Arbitrary<Mailbox>;

const anySituation: fc.Arbitrary<Situation> = fc.record({
  recipient: fc.record({
    contactId: fc.constant('con_1'),
    email: mostly<string | undefined>('maria@example.com', undefined),
    firstName: fc.constantFrom('Maria', undefined),
    languages: fc.constantFrom(['es'], ['en'], []),
    timeZone: fc.constantFrom('America/Los_Angeles', 'Asia/Tokyo', 'Europe/Berlin'),
    isMinor: mostly(false, true),
  }),
  consents: fc.uniqueArray(anyConsent, { maxLength: 6, selector: (one) => `${one.purpose} ${one.at}` }),
  mailbox: anyMailbox,
  inquiry: fc.record({
    quarantined: mostly(false, true),
    redFlag: fc.constantFrom(undefined, 'raised', 'confirmed', 'false_alarm'),
  }),
  sender: fc
    .record({
      postalAddress: fc.constantFrom(sender.postalAddress, undefined),
      tracksOpenings: fc.boolean(),
    })
    .map((own) => ({ ...sender, ...own })),
  now: fc.constant(now),
}) as fc.Arbitrary<Situation>;

/** Whether what the person said last about a purpose comes with a signature in force. */
function authorised(consents: readonly Consent[], purpose: string, remuneration?: string): boolean {
  const [last] = consents
    .filter((consent) => consent.purpose === purpose)
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const by = last?.authorisation;
  return (
    by !== undefined &&
    Date.parse(by.signedAt) <= now.getTime() &&
    now.getTime() < Date.parse(by.expiresAt) &&
    (remuneration === undefined || by.remuneration === remuneration)
  );
}

/**
 * The rules once more, each by itself and in other words than the code's: whatever is forbidden here
 * must not be sent.
 */
const forbidden: Readonly<Record<string, (template: Template, situation: Situation) => boolean>> = {
  'a message without one of the four classes': ({ class: is }) =>
    !['transactional', 'care', 'own_service', 'third_party'].includes(is),
  'an offer of others under another purpose than that': ({ class: is, purpose }) =>
    (is === 'third_party') !== (purpose === 'partners'),
  'an answer under the purpose of offers': ({ class: is, purpose }) =>
    ['transactional', 'care'].includes(is) && purpose === 'offers',
  'an offer under the purpose of care': ({ class: is, purpose }) =>
    is === 'own_service' && purpose === 'care',
  'a subject that names a service or a condition': ({ versions }) =>
    /acne treatment|changing mole|botox/i.test(versions['en']?.subject ?? ''),
  'anything about what is in quarantine': (_, { inquiry }) => inquiry.quarantined,
  'anything to a child': (_, { recipient }) => recipient.isMinor,
  'anything without an address': (_, { recipient }) => recipient.email === undefined,
  'anything to a mailbox that bounced or complained': (_, { mailbox }) => mailbox.suppressed !== undefined,
  'a sixth message to a mailbox in a day': (_, { mailbox }) =>
    mailbox.day === '2026-11-20' && mailbox.sentThatDay >= 5,
  'anything without a consent to that very purpose': ({ purpose }, { consents }) =>
    !consents.some((consent) => consent.purpose === purpose && consent.given),
  'anything whose consent was taken back since': ({ purpose }, { consents, mailbox }) => {
    const given = consents.filter((consent) => consent.purpose === purpose && consent.given);
    const lastGiven =
      given
        .map((consent) => consent.at)
        .sort()
        .at(-1) ?? '';
    const takenBack = [
      ...consents.filter((consent) => consent.purpose === purpose && !consent.given).map((c) => c.at),
      ...(mailbox.optedOut[purpose] === undefined ? [] : [mailbox.optedOut[purpose]]),
    ];
    return takenBack.some((since) => since >= lastGiven);
  },
  'an advertisement without the address of the practice': ({ class: is, paid }, { sender: by }) =>
    (is === 'own_service' || is === 'third_party' || paid !== undefined) && by.postalAddress === undefined,
  'an advertisement in an emergency': ({ class: is, paid }, { inquiry }) =>
    (is === 'own_service' || is === 'third_party' || paid !== undefined) &&
    (inquiry.redFlag === 'raised' || inquiry.redFlag === 'confirmed'),
  'what others pay for without an authorisation in force that names what they pay': (
    { paid, purpose },
    { consents },
  ) => paid !== undefined && !authorised(consents, purpose, paid.remuneration),
  "an offer of others without a person's authorisation in force": ({ class: is }, { consents }) =>
    is === 'third_party' && !authorised(consents, 'partners'),
  'anything but an answer at night': ({ class: is, paid }, { recipient }) => {
    if (is === 'transactional' && paid === undefined) return false;
    const hour = Number(
      new Intl.DateTimeFormat('en-US', {
        hour: '2-digit',
        hourCycle: 'h23',
        timeZone: recipient.timeZone,
      }).format(now),
    );
    return hour >= 20 || hour < 8;
  },
};

describe('whether a message may be sent', () => {
  it.each(Object.entries(forbidden))('never: %s', (_, isForbidden) => {
    fc.assert(
      fc.property(anyTemplate, anySituation, (template, situation) => {
        fc.pre(isForbidden(template, situation));
        expect('sendable' in lawful(template, situation)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('whatever no rule forbids goes out, to the one it is for', () => {
    let sent = 0;
    fc.assert(
      fc.property(anyTemplate, anySituation, (template, situation) => {
        const isForbidden = Object.values(forbidden).some((rule) => rule(template, situation));
        const decision = lawful(template, situation);
        expect('sendable' in decision).toBe(!isForbidden);
        if (!('sendable' in decision)) return;
        sent++;
        expect(decision.sendable.message.to).toBe(situation.recipient.email);
      }),
      { numRuns: 10_000 },
    );
    expect(sent).toBeGreaterThan(20);
  });

  it('what may be sent carries a way out and, where it advertises, the address', () => {
    fc.assert(
      fc.property(anyTemplate, anySituation, (template, situation) => {
        const decision = lawful(template, situation);
        if (!('sendable' in decision)) return;
        const composed = compose(
          decision.sendable,
          (contactId, purpose) => `https://x/${contactId}.${purpose}`,
        );
        for (const body of [composed.text, composed.html]) {
          expect(body).toContain(`https://x/con_1.${template.purpose}`);
          if (template.class === 'own_service') expect(body).toContain('1 Bayview Ave');
          if (situation.inquiry.redFlag === 'raised') expect(body).toContain('Call 911 now.');
        }
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('whether it is seen that a message is opened', () => {
  /** The rule once more: the practice wants it, they agreed to just that and took nothing back, and it is no answer. */
  const mayLook = ({ class: is }: Template, { sender: by, consents, mailbox }: Situation): boolean => {
    const words = consents.filter(({ purpose }) => purpose === 'openings');
    const given = words.filter((word) => word.given).map((word) => word.at);
    const taken = [...words.filter((word) => !word.given).map((word) => word.at), mailbox.optedOut.openings];
    const last = given.sort().at(-1);
    if (last === undefined || taken.some((since) => since !== undefined && since >= last)) return false;
    return by.tracksOpenings && is !== 'transactional';
  };

  it('is decided by the practice and the person together, and never of an answer', () => {
    const seen = { tracked: 0, untracked: 0 };
    const url = (contactId: string, purpose: string) => `https://x/${contactId}.${purpose}`;
    fc.assert(
      fc.property(anyTemplate, anySituation, (template, situation) => {
        const decision = lawful(template, situation);
        if (!('sendable' in decision)) return;
        const { tracked } = decision.sendable.message;
        expect(tracked).toBe(mayLook(template, situation));
        seen[tracked ? 'tracked' : 'untracked']++;
        const { text, html } = compose(decision.sendable, url);
        // Whoever is watched is told so, and how to end it.
        for (const body of [text, html]) expect(body.includes('https://x/con_1.openings')).toBe(tracked);
      }),
      { numRuns: 10_000 },
    );
    expect(seen.tracked).toBeGreaterThan(5);
    expect(seen.untracked).toBeGreaterThan(20);
  });
});

describe('a template', () => {
  it.each(
    builtInTemplates.flatMap(({ id, versions }) =>
      Object.entries(versions).map(([l, v]) => [id, l, v] as const),
    ),
  )('that is built in has no mistake: %s %s', (_id, _language, version) => {
    expect(mistakesOf(version)).toEqual([]);
  });

  it('may fill in its subject with nothing of the person', () => {
    for (const variable of messageVariables.filter((name) => name !== 'practiceName')) {
      const [mistake] = mistakesOf({ subject: `Hello {{ ${variable} }}`, text: 'x' });
      expect(mistake?.part).toBe('subject');
    }
  });

  it.each([
    '{{ message }}',
    "{% include 'x' %}",
    "{% render 'x' %}",
    '{{ phone | raw }}',
    '{% if %}',
    '{{ firstName.constructor }}',
  ])('reaches nothing else: %s', (text) => {
    expect(mistakesOf({ subject: 'x', text, html: text })).not.toEqual([]);
  });

  it('escapes what it is filled in with', () => {
    const template: Template = {
      id: 'x',
      class: 'transactional',
      purpose: 'inquiry',
      versions: { en: { subject: 'x', text: '{{ locationName }}', html: '<b>{{ locationName }}</b>' } },
    };
    const decision = lawful(template, {
      recipient: { contactId: 'con_1', email: 'a@b.example', languages: [], timeZone: 'UTC', isMinor: false },
      consents: [{ purpose: 'inquiry', given: true, at: at(-1), source: 'form', version: 1 }],
      mailbox: { version: 0, optedOut: {}, sentThatDay: 0 },
      inquiry: { quarantined: false },
      sender: { ...sender, values: () => ({ ...sender.values('en'), locationName: '<script>&' }) },
      now,
    });
    if (!('sendable' in decision)) throw new Error('refused');
    expect(compose(decision.sendable, () => 'https://x').html).toContain('<b>&lt;script&gt;&amp;</b>');
  });
});

describe('a mailbox', () => {
  const box: Mailbox = { version: 1, optedOut: { offers: '2026-11-20T16:00:00.000Z' }, sentThatDay: 0 };

  it('keeps the later word, whenever an earlier one is recorded', () => {
    const then = new Date('2026-11-19T16:00:00.000Z');

    expect(optedOut(box, ['inquiry', 'offers'], then).optedOut).toEqual({
      inquiry: then.toISOString(),
      offers: box.optedOut.offers,
    });
  });
});

describe('who is written to', () => {
  const somebody = (contactId: string, email?: string, isMinor = false) => ({
    contactId,
    email,
    languages: [],
    isMinor,
  });
  const child = somebody('con_p', 'child@example.com', true);

  it('is never a minor', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(child, somebody('con_q', 'q@example.com')),
        fc.option(
          fc.constantFrom(
            somebody('con_g', 'g@example.com'),
            somebody('con_x', 'x@example.com'),
            somebody('con_y', 'brother@example.com', true),
          ),
        ),
        fc.subarray([
          somebody('con_g', 'g@example.com'),
          somebody('con_h'),
          somebody('con_y', 'brother@example.com', true),
        ]),
        (patient, writer, guardians) => {
          const to = addresseeOf({ patient, writer: writer ?? undefined, guardians });
          expect(to?.isMinor ?? false).toBe(false);
          // For a minor it is nobody but a guardian.
          if (patient.isMinor && to) expect(guardians).toContainEqual(to);
        },
      ),
    );
  });

  it.each([
    [{ age: '17' }, true],
    [{ age: '18', ageBand: 'minor' }, false],
    [{ age: '9 months' }, true],
    [{ ageBand: 'minor' }, true],
    [{ age: ' ', ageBand: 'minor' }, true],
    [{ ageBand: 'adult' }, false],
    [{}, false],
  ])('%j says of a minor: %s', (fields, said) => {
    expect(isMinorAt(saidOfAge(fields, at(0)), at(0))).toBe(said);
  });

  it('counts for a minor until they cannot be one any more, however often and in whichever order they wrote', () => {
    const day = 24;
    const year = 365.25 * day;
    fc.assert(
      fc.property(
        // Hours from their birth to each inquiry; some say the age of that day, some nothing.
        fc.array(fc.record({ hours: fc.integer({ min: 0, max: 22 * year }), says: fc.boolean() }), {
          minLength: 1,
          maxLength: 8,
        }),
        (inquiries) => {
          const born = new Date('2005-03-10T12:00:00.000Z');
          const when = (hours: number) => new Date(born.getTime() + hours * 3_600_000);
          const ageOn = (date: Date): number => {
            const years = date.getUTCFullYear() - born.getUTCFullYear();
            const birthday = new Date(born);
            birthday.setUTCFullYear(date.getUTCFullYear());
            return date < birthday ? years - 1 : years;
          };
          let known: AgeKnown | undefined;
          for (const { hours, says } of inquiries) {
            const date = when(hours);
            const fields = says ? { age: String(ageOn(date)) } : {};
            const said = saidOfAge(fields, date.toISOString());
            known = learnt(known, said) ?? known;
            // A redelivery says nothing new.
            expect(learnt(known, said)).toBeUndefined();
          }
          const latest = inquiries.filter(({ says }) => says).map(({ hours }) => when(hours));
          for (const later of inquiries.map(({ hours }) => when(hours))) {
            const wasSaid = latest.some((date) => date <= later && ageOn(date) < 18);
            const isMinor = isMinorAt(known, later.toISOString());
            const bySomebodyOfAge = latest.some((date) => ageOn(date) >= 18);
            // Nobody under age whose age was said before counts as of age.
            if (wasSaid && ageOn(later) < 18 && !bySomebodyOfAge) expect(isMinor).toBe(true);
            if (ageOn(later) >= 19) expect(isMinor).toBe(false);
          }
        },
      ),
    );
  });

  it('is whoever wrote, else the patient', () => {
    const writer = somebody('con_w', 'w@example.com');
    const patient = somebody('con_p', 'p@example.com');
    expect(addresseeOf({ patient, writer, guardians: [] })).toBe(writer);
    expect(addresseeOf({ patient, guardians: [] })).toBe(patient);
    expect(addresseeOf({ patient, writer: { ...writer, isMinor: true }, guardians: [] })).toBe(patient);
  });

  it.each([
    ['Maria Lopez', 'Maria'],
    ['López, María José', 'María'],
    ["O'Neil", "O'Neil"],
    ['https://evil.example click', undefined],
    ['evil.example', undefined],
    ['<b>', undefined],
    ['', undefined],
  ])('is greeted by letters alone: %s', (name, first) => {
    expect(firstNameOf(name)).toBe(first);
  });
});

describe('STOP', () => {
  it.each([
    'STOP',
    'stop.',
    'Unsubscribe',
    'opt-out',
    'OPT OUT',
    'Alto',
    'please stop',
    'QUIT!',
    'Revoke',
    'End',
    'cancel',
  ])('is said by: %s', (text) => {
    expect(saysStop({ text })).toBe(true);
    expect(saysStop({ subject: text })).toBe(true);
  });

  it.each(['Please cancel my visit on Monday', 'Do not stop now, tell me more', 'Re: your message', ''])(
    'is not said by: %s',
    (text) => {
      expect(saysStop({ text, subject: 'Re: your message' })).toBe(false);
    },
  );
});

describe('quiet hours', () => {
  it('are those of the zone that is used, and hold while a message waits for its turn', () => {
    const zones = ['America/Los_Angeles', 'Asia/Tokyo', 'Asia/Kathmandu', 'Pacific/Honolulu'];
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2026-01-01'), max: new Date('2027-12-31'), noInvalidDate: true }),
        fc.constantFrom(...zones),
        fc.constantFrom({ from: '20:00', to: '08:00' }, { from: '00:30', to: '09:15' }),
        fc.integer({ min: 0, max: mostPauseMs }),
        (date, timeZone, quietHours, pauseMs) => {
          const decision = lawful(
            { id: 'x', class: 'care', purpose: 'care', versions: { en: { subject: 'x', text: 'x' } } },
            {
              recipient: {
                contactId: 'con_1',
                email: 'a@b.example',
                languages: [],
                timeZone,
                isMinor: false,
              },
              consents: [
                { purpose: 'care', given: true, at: '2020-01-01T00:00:00.000Z', source: 'form', version: 1 },
              ],
              mailbox: { version: 0, optedOut: {}, sentThatDay: 0 },
              inquiry: { quarantined: false },
              sender: { ...sender, quietHours },
              now: date,
            },
          );
          const shown = (at: Date) =>
            new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(at);
          const { from, to } = quietHours;
          const isQuiet = (time: string) =>
            from < to ? time >= from && time < to : time >= from || time < to;
          if ('sendable' in decision) expect(isQuiet(shown(new Date(date.getTime() + pauseMs)))).toBe(false);
          else if ('notBefore' in decision) {
            expect(isQuiet(shown(new Date(decision.notBefore)))).toBe(false);
            expect(isQuiet(shown(date)) || isQuiet(shown(new Date(date.getTime() + mostPauseMs)))).toBe(true);
          } else throw new Error(decision.refused);
        },
      ),
    );
  });

  it('end at the hour that the clocks of the zone show, through nights with one hour more or less', () => {
    const zone = 'America/Los_Angeles';
    const hours = { from: '20:00', to: '08:00' };
    // The night of the first of November 2026 has 25 hours.
    expect(quietUntil(new Date('2026-11-01T05:00:00Z'), hours, zone)?.toISOString()).toBe(
      '2026-11-01T16:00:00.000Z',
    );
    expect(quietUntil(new Date('2026-03-08T05:00:00Z'), hours, zone)?.toISOString()).toBe(
      '2026-03-08T15:00:00.000Z',
    );
    expect(quietUntil(new Date('2026-11-20T18:00:00Z'), hours, zone)).toBeUndefined();
    expect(
      quietUntil(new Date('2026-11-20T18:30:00Z'), { from: '10:00', to: '11:00' }, zone)?.toISOString(),
    ).toBe('2026-11-20T19:00:00.000Z');
  });
});
