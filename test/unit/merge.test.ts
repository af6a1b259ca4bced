/** A merge is an alias: undone, everything is as if it had never been, with all that happened in between. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeInquiry } from '../../functions/api/change-inquiry.ts';
import { recordEntry } from '../../functions/api/record-entry.ts';
import type { WantedEntry } from '../../functions/api/wanted-entry.ts';
import type { Contact } from '../../shared/data/contacts.ts';
import { inquiryPk } from '../../shared/data/keys.ts';
import type { Write } from '../../shared/data/table.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { type Lifecycle, lifecycles } from '../../shared/domain/rules/facts.ts';
import { practiceSchema } from '../../shared/domain/schema/practice.ts';
import type { Stage } from '../../shared/domain/stages.ts';
import { Problem } from '../../shared/http/problem.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, smallPractice } from '../support/fixtures.ts';

type Who = 'maria' | 'mariah' | 'pedro';
const people: Record<Who, string> = { maria: 'Maria Lopez', mariah: 'Mariah Lopez', pedro: 'Pedro Lopez' };
const phone = '+16505550188';

type Step =
  | { readonly does: 'tag'; readonly who: Who; readonly tags: string[] }
  | { readonly does: 'advance'; readonly who: Who; readonly lifecycle: Lifecycle }
  | { readonly does: 'own'; readonly who: Who; readonly owner: string | undefined }
  | { readonly does: 'write'; readonly who: Who; readonly email: string | undefined; readonly forWhom?: Who }
  | { readonly does: 'stage'; readonly who: Who; readonly stage: Stage }
  | { readonly does: 'call'; readonly who: Who; readonly disposition: 'reached' | 'booked' | 'voicemail' }
  | { readonly does: 'note'; readonly who: Who }
  | { readonly does: 'relate' | 'unrelate'; readonly who: Who; readonly to: Who }
  | { readonly does: 'suggest' | 'decide'; readonly who: Who; readonly to: Who };

const who = fc.constantFrom<Who>('maria', 'mariah', 'pedro');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant('tag' as const), who, tags: fc.uniqueArray(fc.constantFrom('vip', 'late')) }),
  fc.record({ does: fc.constant('advance' as const), who, lifecycle: fc.constantFrom(...lifecycles) }),
  fc.record({ does: fc.constant('own' as const), who, owner: fc.constantFrom('ana', 'ben', undefined) }),
  fc.record(
    {
      does: fc.constant('write' as const),
      who,
      email: fc.constantFrom('one@example.com', 'two@example.com', undefined),
      forWhom: who,
    },
    { requiredKeys: ['does', 'who', 'email'] },
  ),
  fc.record({
    does: fc.constant('stage' as const),
    who,
    stage: fc.constantFrom<Stage>('contacted', 'consult', 'booked'),
  }),
  fc.record({
    does: fc.constant('call' as const),
    who,
    disposition: fc.constantFrom('reached' as const, 'booked' as const, 'voicemail' as const),
  }),
  fc.record({ does: fc.constant('note' as const), who }),
  fc.record({ does: fc.constantFrom('relate' as const, 'unrelate' as const), who, to: who }),
  fc.record({ does: fc.constantFrom('suggest' as const, 'decide' as const), who, to: who }),
);

/** A rule that tags whose inquiry was moved. */
const practice: Practice = practiceSchema.parse({
  ...structuredClone(smallPractice),
  rules: [{ id: 'moved', name: 'Moved', on: ['stage_change'], actions: [{ do: 'tag', tag: 'moved' }] }],
});

/** Three people on one phone; `play` does things to them, in the same way on every table. */
async function threePeople() {
  const table = createMemoryTable();
  const pipeline = createPipeline(table, practice);
  const { contacts, environment } = pipeline;
  const ids = {} as Record<Who, string>;
  const come = async (one: Who, change: object = {}): Promise<string> =>
    (await pipeline.head(await pipeline.captured({ name: people[one], email: undefined, phone, ...change })))
      .contactId;
  for (const one of Object.keys(people) as Who[]) ids[one] = await come(one);
  const done = { by: 'ana', now: environment.now() };
  const find = async (one: Who): Promise<Contact> => (await contacts.find(ids[one])) as Contact;

  /** As the API does it, under the person's own contact: something about their latest inquiry, or about none. */
  async function work(taken: Extract<Step, { does: 'stage' | 'call' | 'note' }>): Promise<void> {
    const contactId = ids[taken.who];
    const theirs = table.rows().filter((row) => row.sk === 'HEAD' && row['contactId'] === contactId);
    const id = (theirs.at(-1)?.pk ?? '').slice(inquiryPk('').length);
    const by = { memberId: 'ana', practice };
    const wanted: WantedEntry =
      taken.does === 'call'
        ? { kind: 'call', details: { disposition: taken.disposition }, inquiryId: id }
        : { kind: 'note', details: { text: 'a note' } };
    try {
      if (taken.does === 'stage')
        await changeInquiry(pipeline, id, (await pipeline.head(id)).version, { stage: taken.stage }, by);
      else await recordEntry(pipeline, contactId, wanted, by, undefined);
      await pipeline.drain();
    } catch (error) {
      // Not every stage can be set from every other.
      if (!(error instanceof Problem)) throw error;
    }
  }

  async function writesOf(taken: Step): Promise<readonly Write[]> {
    const contact = await find(taken.who);
    const now = environment.now();
    switch (taken.does) {
      case 'tag':
        return contacts.change(contact, { tags: taken.tags }, now);
      case 'advance':
        return contacts.change(contact, { lifecycle: taken.lifecycle }, now);
      case 'own':
        return contacts.change(contact, { owner: taken.owner }, now);
      case 'write':
        await come(taken.who, {
          email: taken.email,
          ...(taken.forWhom && { patientName: people[taken.forWhom] }),
        });
        return [];
      case 'stage':
      case 'call':
      case 'note':
        await work(taken);
        return [];
      default:
    }
    const [from, to] = [ids[taken.who], ids[taken.to]];
    if (from === to) return [];
    if (taken.does === 'relate') return contacts.relate(from, to);
    if (taken.does === 'unrelate') return contacts.unrelate(from, to, done);
    if (taken.does === 'suggest') return contacts.suggest(from, to, ['same_phone'], now);
    return contacts.decideMatch(from, to, 'different', done);
  }

  return {
    contacts,
    ids,
    find,
    /** Some of it is refused: a relation that is there already, say. */
    async play(taken: Step): Promise<void> {
      environment.advance(1_000);
      const writes = await writesOf(taken);
      if (writes.length > 0) await table.transact(writes);
    },
    merge: async (into: Who, other: Who): Promise<boolean> =>
      (await table.transact(contacts.merge(await find(into), await find(other), done))).committed,
    unmerge: async (into: Who, other: Who): Promise<boolean> =>
      (await table.transact(contacts.unmerge(ids[into], ids[other], done))).committed,
    /** All there is of everybody, but how often it was written, and that there was a merge. */
    async state() {
      const all = await Promise.all((Object.keys(people) as Who[]).map(find));
      const rows = table.rows().filter(({ sk }) => !sk.startsWith('MERGED#'));
      return {
        contacts: all.map(({ version: _version, separatedIds: _separated, ...contact }) => contact),
        families: await Promise.all(all.map((contact) => contacts.family(contact))),
        rows: rows.map((row) => (row.sk === 'PROFILE' ? { ...row, version: 0 } : row)),
      };
    },
  };
}

const steps = fc.array(step, { maxLength: 12 });

describe('a merge and its undoing', () => {
  it('are the identity, with whatever happened in between', async () => {
    await fc.assert(
      fc.asyncProperty(steps, steps, steps, async (before, between, after) => {
        const [merged, never] = [await threePeople(), await threePeople()];
        for (const one of [merged, never]) for (const taken of before) await one.play(taken);

        expect(await merged.merge('maria', 'mariah')).toBe(true);
        for (const one of [merged, never]) for (const taken of between) await one.play(taken);
        expect(await merged.unmerge('maria', 'mariah')).toBe(true);
        for (const one of [merged, never]) for (const taken of after) await one.play(taken);

        expect(await merged.state()).toEqual(await never.state());
      }),
      { numRuns: 60 },
    );
  });

  it('are the identity within other merges, in whatever order those are undone', async () => {
    await fc.assert(
      fc.asyncProperty(steps, steps, fc.boolean(), async (between, after, outerFirst) => {
        const [merged, never] = [await threePeople(), await threePeople()];
        expect(await merged.merge('mariah', 'pedro')).toBe(true);
        expect(await merged.merge('maria', 'mariah')).toBe(true);
        const { contacts, ids, find } = merged;
        expect(await contacts.family(await find('maria'))).toHaveLength(3);
        expect((await contacts.findSurvivor(ids.pedro))?.id).toBe(ids.maria);

        for (const one of [merged, never]) for (const taken of between) await one.play(taken);
        const undone = [['maria', 'mariah'] as const, ['mariah', 'pedro'] as const];
        for (const [into, other] of outerFirst ? undone : undone.toReversed()) {
          expect(await merged.unmerge(into, other)).toBe(true);
        }
        for (const one of [merged, never]) for (const taken of after) await one.play(taken);

        expect(await merged.state()).toEqual(await never.state());
      }),
      { numRuns: 40 },
    );
  });

  it('while it lasts has all of both, whoever of them is asked for', async () => {
    const { contacts, ids, find, merge, play } = await threePeople();
    await merge('maria', 'mariah');
    await play({ does: 'write', who: 'mariah', email: 'one@example.com' });

    const survivor = await contacts.findSurvivor(ids.mariah);

    expect(survivor?.id).toBe(ids.maria);
    expect(await contacts.family(await find('maria'))).toEqual([ids.maria, ids.mariah]);
    const { rows } = await contacts.timelinePage(ids.mariah, 10);
    expect(rows).toHaveLength(2);
  });
});
