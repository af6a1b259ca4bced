/** What people said about e-mails, as they would tell it themselves, whatever is kept of it. */
import { contactMerged, contactPk, contactProfile, inquiryBody } from '../../shared/data/keys.ts';
import type { Row } from '../../shared/data/table.ts';
import type { RowChange } from '../memory-table.ts';
import type { Observer } from '../observer.ts';
import type { AdverseWorld } from './world.ts';

/** When somebody said something: they began to at one instant, and saw at another that it was taken. */
export interface When {
  readonly beganMs: number;
  readonly takenMs: number;
}

export interface Said {
  /** A contact agreed to be e-mailed, at an instant at the latest. */
  agreed(contactId: string, atMs: number): void;
  /** Whoever reads a mailbox wants no more. */
  withdrew(email: string, when: When): void;
  /** Told what was committed: who was merged is one person. */
  onCommit(changes: readonly RowChange[]): void;
  /**
   * Whether a message to a contact could be claimed at an instant: nobody had taken back what they agreed to
   * by then, or they agreed again. Of what they did side by side either may have come first.
   */
  mayWrite(email: string, contactId: string, claimedMs: number): boolean;
}

const mergedPrefix = contactMerged('', '').sk;

const fieldsOf = (body: Row): Readonly<Record<string, unknown>> =>
  body['fields'] as Readonly<Record<string, unknown>>;

/** Whether somebody agreed by what came with an inquiry: by the form's box, or by writing an e-mail. */
const agreesIn = (body: Row): boolean =>
  fieldsOf(body)['consentEmail'] === true || body['channel'] === 'email';

export function createSaid(worldOf: () => AdverseWorld, inquiries: Observer['inquiries']): Said {
  const withdrawn = new Map<string, When>();
  const agreedMs = new Map<string, number>();
  /** Everybody who was one person once: what is parted again may have been claimed before. */
  const persons = new Map<string, Set<string>>();
  const personOf = (contactId: string): Set<string> => persons.get(contactId) ?? new Set([contactId]);

  /** When a person agreed, or whoever wrote from the address: a parent, say, for a child. */
  function* agreements(person: ReadonlySet<string>, email: string): Generator<number> {
    for (const [contactId, atMs] of agreedMs) {
      const isTheirs = () => worldOf().table.peek(contactProfile(contactId))?.['email'] === email;
      if (person.has(contactId) || isTheirs()) yield atMs;
    }
    for (const { head } of inquiries.values()) {
      const body = worldOf().table.peek(inquiryBody(head.id));
      if (!body || !agreesIn(body)) continue;
      const isTheirs = person.has(String(body['writerId'] ?? head.contactId));
      if (isTheirs || fieldsOf(body)['email'] === email) yield Date.parse(String(body['receivedAt']));
    }
  }

  return {
    agreed(contactId, atMs) {
      agreedMs.set(contactId, atMs);
    },
    withdrew(email, when) {
      const known = withdrawn.get(email);
      if (!known || known.beganMs < when.beganMs) withdrawn.set(email, when);
    },
    onCommit(changes) {
      for (const { after } of changes) {
        if (!after?.sk.startsWith(mergedPrefix)) continue;
        const [survivor, merged] = [
          after.pk.slice(contactPk('').length),
          after.sk.slice(mergedPrefix.length),
        ];
        const person = new Set([...personOf(survivor), ...personOf(merged)]);
        for (const contactId of person) persons.set(contactId, person);
      }
    },
    mayWrite(email, contactId, claimedMs) {
      const when = withdrawn.get(email);
      if (!when || claimedMs <= when.takenMs) return true;
      for (const atMs of agreements(personOf(contactId), email)) if (atMs >= when.beganMs) return true;
      return false;
    },
  };
}
