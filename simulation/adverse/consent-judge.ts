/** Whether somebody may be e-mailed, by what people said themselves and when, whatever is kept of it. */
import { contactMerged, contactPk, contactProfile, inquiryBody } from '../../shared/data/keys.ts';
import type { RowChange } from '../memory-table.ts';
import { secondMs } from '../minutes.ts';
import type { Observer } from '../observer.ts';
import type { AdverseWorld } from './world.ts';

/** An answer comes within this time, or never: what had none may have been taken by then. */
export const longestCallMs = 29 * secondMs;

/** Told how it ended: when it was taken at the latest, or that it was not. */
export type Settle = (takenMs: number | undefined) => void;

/** Somebody said something: they began to at one instant, and it was taken by another at the latest. */
interface Word {
  readonly beganMs: number;
  takenMs: number;
  /** The address that it was said from, or is about. */
  readonly email: string | undefined;
  /** Who said it, where that is known at once. */
  readonly contactId: string | undefined;
  /** What came with it. */
  readonly arrival: number | undefined;
}

export interface ConsentJudge {
  /** Somebody agrees by what they send. */
  agreesIn(arrival: number, email: string | undefined): Settle;
  /** It is being noted for a contact that they agree. */
  agrees(contactId: string): Settle;
  /** Whoever reads a mailbox wants no more, and saw that it was taken; who they are where it is theirs alone. */
  withdrew(email: string, contactId: string | undefined, beganMs: number): void;
  /** Told what was committed: who was merged is one person, until they are parted. */
  onCommit(changes: readonly RowChange[]): void;
  /**
   * Whether a message to a contact could be claimed at an instant: nobody had taken back what they agreed to
   * by then, or they agreed again. Of what they did side by side either may have come first.
   */
  mayWrite(email: string, contactId: string, claimedMs: number): boolean;
}

const mergedPrefix = contactMerged('', '').sk;
/** Whoever claims a message may have looked at the person so long before. */
const lookedBeforeMs = 30 * secondMs;

/** Two contacts who are one person from one instant to another. */
interface Merged {
  readonly of: readonly [string, string];
  readonly fromMs: number;
  toMs: number;
}

/** @param inquiryOf - what an arrival became */
export function createConsentJudge(
  worldOf: () => AdverseWorld,
  inquiries: Observer['inquiries'],
  inquiryOf: (arrival: number) => string | undefined,
): ConsentJudge {
  const agreements = new Set<Word>();
  const withdrawals: Word[] = [];
  const merges = new Map<string, Merged[]>();
  const nowMs = (): number => worldOf().agenda.nowMs();

  function agreeing(word: Omit<Word, 'beganMs' | 'takenMs'>): Settle {
    const one: Word = { ...word, beganMs: nowMs(), takenMs: Number.POSITIVE_INFINITY };
    agreements.add(one);
    return (takenMs) => {
      if (takenMs === undefined) agreements.delete(one);
      else one.takenMs = takenMs;
    };
  }

  /** Everybody whom a contact is one with, by the merges that count. */
  function personOf(contactId: string, counts: (merged: Merged) => boolean): Set<string> {
    const person = new Set([contactId]);
    for (const id of person)
      for (const merged of merges.get(id) ?? [])
        if (counts(merged)) for (const one of merged.of) person.add(one);
    return person;
  }

  /** Whether a word is of somebody, whoever they are by now. */
  function isOf({ contactId, arrival }: Word, person: ReadonlySet<string>): boolean {
    if (contactId !== undefined) return person.has(contactId);
    const id = arrival === undefined ? undefined : inquiryOf(arrival);
    const head = id === undefined ? undefined : inquiries.get(id)?.head;
    if (!head) return false;
    return person.has(String(worldOf().table.peek(inquiryBody(head.id))?.['writerId'] ?? head.contactId));
  }

  const hasAddress = (contactId: string | undefined, email: string): boolean =>
    contactId !== undefined && worldOf().table.peek(contactProfile(contactId))?.['email'] === email;

  return {
    agreesIn: (arrival, email) => agreeing({ arrival, email, contactId: undefined }),
    agrees: (contactId) => agreeing({ contactId, email: undefined, arrival: undefined }),
    withdrew(email, contactId, beganMs) {
      const own = hasAddress(contactId, email) ? contactId : undefined;
      withdrawals.push({ email, contactId: own, arrival: undefined, beganMs, takenMs: nowMs() });
    },
    onCommit(changes) {
      for (const { before, after } of changes) {
        if (!after?.sk.startsWith(mergedPrefix)) continue;
        const of = [after.pk.slice(contactPk('').length), after.sk.slice(mergedPrefix.length)] as const;
        const known = merges.get(of[0])?.findLast((merged) => merged.of[1] === of[1]);
        if (after['undoneAt'] !== undefined) {
          if (known) known.toMs = Math.min(known.toMs, nowMs());
        } else if (before === undefined || before['undoneAt'] !== undefined) {
          const merged: Merged = { of, fromMs: nowMs(), toMs: Number.POSITIVE_INFINITY };
          for (const id of of) merges.set(id, [...(merges.get(id) ?? []), merged]);
        }
      }
    },
    mayWrite(email, contactId, claimedMs) {
      const lately = personOf(
        contactId,
        ({ fromMs, toMs }) => fromMs <= claimedMs && toMs >= claimedMs - lookedBeforeMs,
      );
      const isExcused = ({ beganMs }: Word): boolean => {
        for (const word of agreements) {
          const isThen = word.takenMs >= beganMs && word.beganMs <= claimedMs;
          // Whoever wrote from the address, or has it, may be a parent.
          const isTheirs = () =>
            word.email === email || hasAddress(word.contactId, email) || isOf(word, lately);
          if (isThen && isTheirs()) return true;
        }
        return false;
      };
      /** Whether it is about the address, or about others of whoever said it; a parent's, written to for them, is not. */
      const isAbout = ({ email: of, contactId: by, beganMs }: Word): boolean => {
        if (of === email) return true;
        if (by === undefined || (by !== contactId && !merges.has(contactId))) return false;
        const person = personOf(contactId, ({ fromMs, toMs }) => fromMs <= beganMs && toMs >= claimedMs);
        return person.has(by) && [...person].some((id) => hasAddress(id, email));
      };
      return withdrawals.every((word) => claimedMs <= word.takenMs || !isAbout(word) || isExcused(word));
    },
  };
}
