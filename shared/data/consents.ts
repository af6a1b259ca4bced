/** What people have agreed to, per purpose: the current state beside the entries that tell how it came. */
import type { Environment } from '../domain/ids.ts';
import {
  type Authorisation,
  type Consent,
  consentSchema,
  countsOver,
  type FormConsent,
  purposesMeant,
} from '../domain/messages/consent.ts';
import type { ConsentPurpose } from '../domain/messages/template.ts';
import { entryOf } from '../domain/timeline.ts';
import type { Contacts } from './contacts.ts';
import { contactConsent, contactPk } from './keys.ts';
import type { Table, Write } from './table.ts';

const schemaVersion = 1;

/** What somebody said about e-mails, as it is to be kept. */
export interface Said {
  readonly contactId: string;
  readonly purpose: ConsentPurpose;
  readonly given: boolean;
  readonly at: string;
  readonly source: string;
  readonly textVersion?: string | undefined;
  readonly authorisation?: Authorisation | undefined;
}

export type Consents = ReturnType<typeof createConsents>;

export function createConsents(table: Table) {
  return {
    /** Every consent of these contacts, who are one person. */
    async of(contactIds: readonly string[]): Promise<Consent[]> {
      const pages = await Promise.all(
        contactIds.map((contactId) =>
          table.query({
            pk: contactPk(contactId),
            from: contactConsent(contactId, '').sk,
            to: contactConsent(contactId, '~').sk,
            consistent: true,
          }),
        ),
      );
      return pages.flatMap(({ rows }) => rows).map((row) => consentSchema.parse(row));
    },

    /**
     * Keeps what somebody said; refused where something later is kept already. Of one instant, what
     * takes back wins: the other way round it is refused.
     */
    keep: ({ contactId, purpose, given, at, source, textVersion, authorisation }: Said): Write => ({
      update: contactConsent(contactId, purpose),
      set: { purpose, given, at, source, textVersion, authorisation, schemaVersion },
      add: { version: 1 },
      when: [[['pk', 'absent']], [['at', given ? '<' : '<=', at]]],
    }),
  };
}

export interface ConsentDependencies {
  readonly consents: Pick<Consents, 'keep' | 'of'>;
  readonly contacts: Pick<Contacts, 'addEntry'>;
  readonly environment: Environment;
}

/**
 * A consent that came with an inquiry: the state and its entry. Refused (write 0) where it is
 * noted, or they said something else since.
 */
export function noteFormConsent(
  { consents, contacts, environment }: ConsentDependencies,
  {
    contactId,
    inquiryId,
    at,
  }: { readonly contactId: string; readonly inquiryId: string; readonly at: string },
  agreed: FormConsent,
): Write[] {
  const said = { given: true, ...agreed };
  const frame = { entryId: environment.newId('entry'), contactId, inquiryId, actor: 'contact', at };
  return [
    consents.keep({ contactId, at, ...said }),
    contacts.addEntry(entryOf('consent', frame, { channel: 'email', ...said })),
  ];
}

/**
 * What somebody said that is recorded by an entry already: the states that follow from it, but for
 * those of which something later is known.
 *
 * @param known - the consents of the contact as they stand
 */
export function consentWrites(
  { keep }: Pick<Consents, 'keep'>,
  known: readonly Consent[],
  contactId: string,
  at: string,
  details: {
    readonly channel: string;
    readonly given: boolean;
    readonly source: string;
    readonly purpose?: ConsentPurpose | undefined;
    readonly textVersion?: string | undefined;
    readonly authorisation?: Authorisation | undefined;
  },
): Write[] {
  const { channel, given, source, purpose, textVersion, authorisation } = details;
  if (channel !== 'email') return [];
  const isNews = (each: ConsentPurpose): boolean =>
    countsOver(
      { given, at },
      known.find((consent) => consent.purpose === each),
    );
  return purposesMeant(given, purpose)
    .filter(isNews)
    .map((each) =>
      keep({
        contactId,
        purpose: each,
        given,
        at,
        source,
        ...(given && { textVersion, authorisation }),
      }),
    );
}
