import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createContacts } from '../../shared/data/contacts.ts';
import { createTimelines, type Place } from '../../shared/data/timeline.ts';
import { actorSchema, entryDetails, entryKinds, entryOf } from '../../shared/domain/timeline.ts';
import { createMemoryTable } from '../../simulation/memory-table.ts';
import { createPipeline, minutes } from '../support/fixtures.ts';

const contactId = (n: number): string => `con_${String(n).padStart(26, '0')}`;
const start = Date.parse('2026-11-20T16:00:00.000Z');

/** Notes on timelines: of one contact of three, at one of a few minutes. */
const noteSpec = fc.record({ contact: fc.nat(2), minute: fc.nat(12) });

function setUp() {
  const table = createMemoryTable();
  const contacts = createContacts(table);
  let ids = 0;
  return {
    timelines: createTimelines(table),
    /** Writes a note and gives its id. */
    async note({ contact, minute }: { contact: number; minute: number }): Promise<string> {
      const entryId = `ent_${String(++ids).padStart(26, '0')}`;
      const at = new Date(start + minutes(minute)).toISOString();
      const frame = { entryId, contactId: contactId(contact), actor: 'ana', at };
      await table.write(contacts.addEntry(entryOf('note', frame, { text: entryId })));
      return entryId;
    },
  };
}

describe('the pages of a timeline', () => {
  const family = [0, 1, 2].map(contactId);

  it('give everything of a family once, newest first, whatever their size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(noteSpec, { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        async (specs, limit) => {
          const { timelines, note } = setUp();
          for (const spec of specs) await note(spec);
          const given: { at: string; entryId?: string | undefined }[] = [];
          let next: Place | undefined;
          do {
            const page = await timelines.page(family, limit, next);
            expect(page.items.length).toBeLessThanOrEqual(limit);
            given.push(...page.items);
            next = page.next;
          } while (next !== undefined);

          expect(new Set(given.map(({ entryId }) => entryId)).size).toBe(given.length);
          expect(given).toHaveLength(specs.length);
          const times = given.map(({ at }) => at);
          expect(times).toEqual(times.toSorted().toReversed());
        },
      ),
      { numRuns: 60 },
    );
  });

  it('give what was there once, and all of it, while more arrives and people are merged and separated', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(noteSpec, { minLength: 5, maxLength: 40 }),
        fc.array(noteSpec, { maxLength: 20 }),
        fc.array(fc.subarray([1, 2]), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 7 }),
        async (before, meanwhile, merged, limit) => {
          const { timelines, note } = setUp();
          // One contact is of the family all the time: of theirs nothing may be missing.
          const always: string[] = [];
          for (const spec of before) {
            const id = await note(spec);
            if (spec.contact === 0) always.push(id);
          }
          const given: string[] = [];
          let next: Place | undefined;
          let n = 0;
          do {
            const now = [contactId(0), ...(merged[n % merged.length] ?? []).map(contactId)];
            const page = await timelines.page(now, limit, next);
            given.push(...page.items.map(({ entryId = '' }) => entryId));
            next = page.next;
            const arrives = meanwhile[n++];
            if (arrives) await note(arrives);
          } while (next !== undefined);

          expect(new Set(given).size).toBe(given.length);
          expect(always.filter((id) => !given.includes(id))).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('tell all that one inquiry brought, its scores, its rules, its mail and its red flag', async () => {
    const pipeline = createPipeline(createMemoryTable());
    pipeline.change((practice) => {
      practice.rules = [
        {
          id: 'acne-first',
          name: 'Acne first',
          enabled: true,
          on: ['arrival'],
          when: { field: 'service', operator: 'is', value: 'acne' },
          actions: [{ do: 'raise_tier' }],
        },
      ];
    });
    const id = await pipeline.captured({ redFlags: ['chest-pain'] });
    for (const step of [() => pipeline.score(id), () => pipeline.route(id), () => pipeline.notify(id)]) {
      pipeline.environment.advance(minutes(1));
      await step();
    }
    const { contactId: person } = await pipeline.head(id);

    const { items } = await pipeline.timelines.page([person], 25);

    expect(items.map(({ kind, actor }) => `${kind} by ${actor}`)).toEqual([
      'mailed by firstcall',
      'routed by firstcall',
      'rule_hit by rule:acne-first',
      'scored by firstcall',
      'red_flag by firstcall',
      'captured by contact',
    ]);
    expect(
      items.every(({ at, contactId: of, inquiryId }) => at !== '' && of === person && inquiryId === id),
    ).toBe(true);
    expect(items.find(({ kind }) => kind === 'rule_hit')?.details).toMatchObject({
      rule: 'acne-first',
      did: ['tier from B to A'],
    });
    expect(items.find(({ kind }) => kind === 'mailed')?.details).toEqual({ mail: 'assigned' });
  });

  it('know when anything was last recorded of a family', async () => {
    const { timelines, note } = setUp();
    expect(await timelines.newest(family)).toBeUndefined();

    await note({ contact: 0, minute: 1 });
    await note({ contact: 2, minute: 5 });

    expect(await timelines.newest(family)).toBe('2026-11-20T16:05:00.000Z');
  });
});

describe('an entry', () => {
  it.each(['contact', 'firstcall', 'ana', 'mia-2', 'rule:spanish-pool'])('may be of %s', (actor) => {
    expect(actorSchema.safeParse(actor).success).toBe(true);
  });

  it.each(['', 'Ana', 'rule:', 'rule:a:b', 'ana@example.com'])('is of nobody called %j', (actor) => {
    expect(actorSchema.safeParse(actor).success).toBe(false);
  });

  it('has details of its own for every kind', () => {
    expect(entryKinds).toEqual(Object.keys(entryDetails));
    for (const kind of entryKinds) expect(entryDetails[kind].safeParse({}).success).toBe(false);
  });
});

describe('an entry that could not be read back', () => {
  const frame = { entryId: 'ent_1', contactId: contactId(0), actor: 'ana', at: '2026-11-20T16:00:00.000Z' };

  it.each([
    ['at no time', { ...frame, at: '-000001-12-31T23:00:00.000Z' }, { text: 'x' }],
    ['with details that are not of its kind', frame, { words: 'x' }],
    ['by nobody', { ...frame, actor: 'Ana!' }, { text: 'x' }],
  ])('%s is not written', (_, wrong, details) => {
    const contacts = createContacts(createMemoryTable());

    expect(() => contacts.addEntry({ ...wrong, kind: 'note', details })).toThrow();
  });
});
