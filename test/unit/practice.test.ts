import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPracticeFile } from '../../ops/practice-file.ts';
import { commonRedFlags } from '../../shared/domain/common-red-flags.ts';
import { findLocation, findPool, findService, type Practice } from '../../shared/domain/practice.ts';
import { findRedFlags } from '../../shared/domain/red-flags.ts';
import { practiceSchema } from '../../shared/domain/schema/practice.ts';
import { findPhrases, foldWording } from '../../shared/domain/wording.ts';

const demo = readPracticeFile(readFileSync('practices/demo.yaml', 'utf8')).practice as Practice;

/** The demo practice with something changed in it. */
function changed(change: (practice: Practice) => void): Practice {
  const practice = structuredClone(demo);
  change(practice);
  return practice;
}

/** A practice's faults as `path: message`. */
function faults(practice: unknown): string[] {
  const parsed = practiceSchema.safeParse(practice);
  return (parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const at = <T>(list: readonly T[], index: number): T => {
  const found = list[index];
  if (found === undefined) throw new Error(`no entry ${index}`);
  return found;
};

describe('the demo practice', () => {
  it('is valid and stays as it is when read again', () => {
    expect(faults(demo)).toEqual([]);
    expect(practiceSchema.parse(demo)).toEqual(demo);
  });

  it('knows the services of both samples', () => {
    expect(findService(demo, 'dermatology-acne')?.valueCents).toBe(45_000);
    expect(findService(demo, 'Dental implants')).toMatchObject({ id: 'dental-implant', valueCents: 450_000 });
  });

  it('has the published qualities of its sources', () => {
    expect(Object.fromEntries(demo.sources.map(({ id, quality }) => [id, quality]))).toEqual({
      'physician-referral': 40,
      'patient-referral': 36,
      website: 28,
      'search-ad': 24,
      directory: 18,
      'social-ad': 12,
      unknown: 8,
    });
  });

  it('rotates everything among five coordinators of equal weight, ana first', () => {
    const coordinators = demo.members.filter(({ role }) => role === 'coordinator').map(({ id }) => id);

    expect(coordinators).toEqual(['ana', 'ben', 'carla', 'dev', 'elena']);
    for (const pool of demo.pools) {
      expect(pool.members).toEqual(coordinators.map((id) => ({ id, weight: 1 })));
    }
  });

  it('has a place for everything', () => {
    expect(findPool(demo, 'dermatology-mohs').id).toBe('dermatology');
    expect(findPool(demo, 'dental-implant').id).toBe('dental');
    expect(findPool(demo, 'pt-back').id).toBe('intake');
    expect(findPool(demo, undefined).id).toBe('intake');
    expect(findLocation(demo, 'new-york').timeZone).toBe('America/New_York');
    expect(findLocation(demo, 'nowhere').id).toBe('mountain-view');
    // A practice of before such names were refused: what is stored is an id.
    const [first, second] = demo.locations;
    if (!first || !second) throw new Error('two locations are wanted');
    const confusing = { ...demo, locations: [{ ...first, name: second.id }, second] };
    expect(findLocation(confusing, second.id).id).toBe(second.id);
  });
});

describe('wordings', () => {
  it('are compared without case, accents, punctuation and spacing', () => {
    expect(foldWording('  Check-UP,  Dépistage! ')).toBe('check up depistage');
    expect(foldWording("Women's, l'acné")).toBe('women s l acne');
    expect(['can’t', 'CANT', "can't", 'can´t'].map(foldWording)).toEqual(Array(4).fill('cant'));
    expect(foldWording("I'm, I've, Moore's")).toBe('im ive moore s');
    expect(findService(demo, 'DENTAL  IMPLANTS?')?.id).toBe('dental-implant');
    expect(findService(demo, '¿?')).toBeUndefined();
    expect(findService(demo, undefined)).toBeUndefined();
  });
});

describe('words of an emergency', () => {
  it.each([
    ['I cant breathe', 'breathing'],
    ['I CAN’T breathe!', 'breathing'],
    ['i can t breathe', 'breathing'],
    ['I can not breathe', 'breathing'],
    ['it wont stop bleeding', 'bleeding'],
    ['It won`t stop bleeding', 'bleeding'],
    ['chest pains since noon', 'chest-pain'],
    ['pain in chest', 'chest-pain'],
    ['dont want to live', 'self-harm'],
    ['No puedo respirar', 'breathing'],
  ])('are found in: %s', (text, flag) => {
    expect(findRedFlags(commonRedFlags, text)).toEqual([flag]);
  });

  it.each(['The chestnut pains me', 'breathe, can I?', 'I am breathtaken', 'Spain in Chester'])(
    'are not found in: %s',
    (text) => {
      expect(findRedFlags(commonRedFlags, text)).toEqual([]);
    },
  );

  it('are the same with an apostrophe, without one, and with a space for it, in text and list', () => {
    const spellings = ["my child's ill", 'my childs ill', 'my child s ill', 'my child’s ill'];
    const apostrophe = spellings[0] ?? '';

    for (const text of spellings) expect(findPhrases(text, [apostrophe])).toEqual([apostrophe]);
    expect(findPhrases(apostrophe, spellings)).toEqual(spellings);
    expect(findPhrases("My child's ill", ['child'])).toEqual(['child']);
    expect(findPhrases("De l'acné", ['acne'])).toEqual(['acne']);
  });
});

describe('a fault is told with its path', () => {
  it.each<[string, (practice: Practice) => void, string[]]>([
    ['an id twice', (p) => p.members.push(at(p.members, 0)), ['members.8.id: ana is there twice']],
    [
      'a pool of unknown members',
      (p) => at(p.pools, 1).members.push({ id: 'zoe', weight: 1 }),
      ['pools.1.members.5.id: no member has the id zoe'],
    ],
    [
      'a pool of an unknown service',
      (p) => at(p.pools, 0).services.push('nails'),
      ['pools.0.services.6: no service has the id nails'],
    ],
    [
      'a service in two pools',
      (p) => at(p.pools, 1).services.push('dermatology-acne'),
      ['pools.1.services.5: dermatology-acne already goes to dermatology'],
    ],
    [
      'a member twice in a pool',
      (p) => at(p.pools, 2).members.push({ id: 'ana', weight: 1 }),
      ['pools.2.members: ana is there twice'],
    ],
    [
      'no fallback pool',
      (p) => {
        at(p.pools, 2).fallback = false;
      },
      ['pools: exactly one pool must be the fallback; 0 are'],
    ],
    [
      'two fallback pools',
      (p) => {
        at(p.pools, 0).fallback = true;
      },
      ['pools: exactly one pool must be the fallback; 2 are'],
    ],
    [
      'a form of an unknown source',
      (p) => {
        at(p.forms, 0).source = 'radio';
      },
      ['forms.0.source: no source has the id radio'],
    ],
    [
      'no form for everybody else',
      (p) => at(p.forms, 0).origins.push('https://a.example'),
      ['forms: one form must have no origins, to take what no other form does'],
    ],
    [
      'a name that means two locations',
      (p) => {
        at(p.locations, 1).name = 'Mountain View!';
      },
      ['locations.1.name: "Mountain View!" already stands for mountain-view'],
    ],
    [
      'an alias that means two services',
      (p) => at(p.services, 1).aliases.push('ACNE!'),
      ['services.1.aliases.3: "ACNE!" already stands for dermatology-acne'],
    ],
    [
      'an id that is no slug',
      (p) => {
        at(p.locations, 1).id = 'New York';
      },
      ['locations.1.id: use lower-case letters, digits and single hyphens'],
    ],
    [
      'a zone that there is not',
      (p) => {
        at(p.locations, 0).timeZone = 'Mars/Olympus';
      },
      ['locations.0.timeZone: use an IANA time zone such as America/Los_Angeles'],
    ],
    [
      'a day that ends before it begins',
      (p) => {
        at(p.locations, 0).hours.monday = [{ open: '17:00', close: '08:00' }];
      },
      ['locations.0.hours.monday.0.close: must be later than open'],
    ],
    [
      'blocks that overlap',
      (p) => {
        at(p.locations, 0).hours.friday = [
          { open: '08:00', close: '12:00' },
          { open: '11:00', close: '17:00' },
        ];
      },
      ['locations.0.hours.friday: blocks of one day must be in order and must not overlap'],
    ],
    [
      'never open',
      (p) => {
        at(p.locations, 0).hours = {};
      },
      ['locations.0.hours: must be open at least once a week'],
    ],
    [
      'open too seldom for a first call that is promised in opening time',
      (p) => {
        at(p.locations, 0).hours = { monday: [{ open: '10:00', close: '10:20' }] };
        p.scoring.respondWithinMinutes.C = 240;
      },
      [
        'locations.0.hours: open for 20 minutes a week: a first call within 240 minutes of opening time could be due more than 4 weeks later',
      ],
    ],
    [
      'tiers upside down',
      (p) => {
        p.scoring.tiers = { A: 40, B: 70 };
      },
      ['scoring.tiers.B: must be lower than A'],
    ],
    [
      'anchors upside down',
      (p) => {
        p.scoring.valueAnchorsCents = { low: 9, high: 3 };
      },
      ['scoring.valueAnchorsCents.high: must be higher than low'],
    ],
    [
      'money that is no whole number of cents',
      (p) => {
        at(p.services, 0).valueCents = 450.5;
      },
      ['services.0.valueCents: Invalid input: expected int, received number'],
    ],
  ])('%s', (_, change, expected) => {
    expect(faults(changed(change))).toEqual(expected);
  });

  it('all at once', () => {
    const practice = changed((p) => {
      at(p.sources, 0).quality = 41;
      at(p.members, 0).email = 'ana';
      at(p.pools, 0).services.push('nails');
    });

    expect(faults(practice).map((fault) => fault.split(':')[0])).toEqual([
      'members.0.email',
      'pools.0.services.6',
      'sources.0.quality',
    ]);
  });
});
