import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPracticeFile } from '../../ops/practice-file.ts';

const demo = readFileSync('practices/demo.yaml', 'utf8');

/** A file's mistakes as `line:column path reason`. */
const mistakes = (text: string): string[] =>
  (readPracticeFile(text).problems ?? []).map(({ line, column, path, reason }) =>
    [`${line}:${column}`, path, reason].filter((part) => part !== '').join(' '),
  );

/** Where the one occurrence of `part` stands in the demo file, as `line:column`. */
function positionInDemo(part: string): string {
  const before = demo.slice(0, demo.indexOf(part)).split('\n');
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

const broken = (from: string, to: string): string => {
  expect(demo.split(from)).toHaveLength(2);
  return demo.replace(from, to);
};

describe('a practice file', () => {
  it('is read from YAML, and from JSON alike', () => {
    const { practice } = readPracticeFile(demo);

    expect(practice?.name).toBe('Bayview Health (demo)');
    expect(readPracticeFile(JSON.stringify(practice, null, '\t'))).toEqual({ practice });
  });

  it('tells a wrong value at the value', () => {
    const text = broken('valueCents: 320000', 'valueCents: a lot');

    expect(mistakes(text)).toEqual([
      `${positionInDemo('320000')} services[4].valueCents expected number, received string`,
    ]);
  });

  it('tells a wrong value in an inline map', () => {
    const text = broken('role: marketer }', 'role: wizard }');

    expect(mistakes(text)).toEqual([
      `${positionInDemo('marketer }')} members[6].role must be one of coordinator, provider, manager, marketer, admin`,
    ]);
  });

  it('refuses staff of whom nobody is enabled, since nobody would be alerted', () => {
    const nobody = demo.replaceAll(/^( {2}- \{ id: .*email: [^,}]+)/gm, '$1, enabled: false');

    expect(mistakes(nobody)).toEqual([
      `${positionInDemo('members:')} members nobody is enabled: an emergency would alert nobody`,
    ]);
  });

  it('tells an unknown key at the key', () => {
    const text = broken('phoneCountry: US', 'phoneCounty: US');

    expect(mistakes(text)).toEqual([
      `${positionInDemo('phoneCountry: US')} phoneCounty is not known here: is it misspelt?`,
    ]);
  });

  it('tells what is missing where it is missing', () => {
    const text = broken('    valueCents: 320000\n', '');

    expect(mistakes(text)).toEqual([
      `${positionInDemo('id: dermatology-mohs')} services[4].valueCents is missing`,
    ]);
  });

  it('tells an empty block at its key', () => {
    const text = `${demo.slice(0, demo.indexOf('pools:'))}pools:\n`;

    expect(mistakes(text)).toEqual([`${positionInDemo('pools:')} pools is empty`]);
  });

  it('tells a mistake behind an alias where the aliased value stands', () => {
    const text = broken("[{ open: '08:00', close: '17:00' }]", "[{ open: '08:00', close: '25:00' }]");

    expect(mistakes(text)[0]).toBe(
      `${positionInDemo("'17:00' }]")} locations[0].hours.monday[0].close use 24-hour time such as 08:00 (24:00 is the end of the day)`,
    );
    expect(new Set(mistakes(text).map((mistake) => mistake.split(' ')[0]))).toEqual(
      new Set([positionInDemo("'17:00' }]")]),
    );
  });

  it('tells a reference that leads nowhere', () => {
    const text = broken('      - dental-aligners\n', '      - dental-aliners\n');

    expect(mistakes(text)).toEqual([
      `${positionInDemo('dental-aligners\n      - ')} pools[1].services[2] no service has the id dental-aliners`,
    ]);
  });

  it('tells all mistakes at once, in the order of the file', () => {
    const text = demo
      .replace('phoneCountry: US', 'phoneCountry: USA')
      .replace('timeZone: America/New_York', 'timeZone: New York')
      .replace('quality: 40', 'quality: 41')
      .replace('ana@bayview.example', 'ana')
      .replace('B: 60,', 'B: 0,');

    expect(mistakes(text)).toEqual([
      `${positionInDemo('US\n\n# Shown')} phoneCountry use a two-letter country code such as US`,
      `${positionInDemo('America/New_York')} locations[1].timeZone use an IANA time zone such as America/Los_Angeles`,
      `${positionInDemo('40\n    match')} sources[0].quality must be at most 40, the cap of sources`,
      `${positionInDemo('ana@bayview.example')} members[0].email use an e-mail address such as ana@example.com`,
      `${positionInDemo('60, C')} scoring.respondWithinMinutes.B must be at least 1`,
    ]);
  });

  it.each([
    ['an unclosed list', 'name: x\nlocations: [\n', '3:1'],
    ['a key twice', 'name: x\nname: y\n', '2:1'],
    ['bad indentation', 'name: x\n  phoneCountry: US\n', '1:7'],
    ['broken JSON', '{\n  "name": "x"\n  "locations": []\n}', '3:3'],
    ['an unknown alias', 'name: *nobody\n', '1:7'],
  ])('tells where the syntax ends: %s', (_, text, position) => {
    const [first] = mistakes(text);

    expect(first?.split(' ')[0]).toBe(position);
  });

  it.each([
    ['nothing', ''],
    ['a text', 'hello'],
    ['a list', '- 1'],
    ['two documents', 'name: x\n---\nname: y\n'],
    ['a cycle', '&a [*a]'],
    [
      'more aliases than any practice needs',
      `a: &a [1,1,1,1,1,1,1,1,1,1]\n${'b'.repeat(5)}: &b [${'*a,'.repeat(11)}]\nc: [${'*b,'.repeat(11)}]\n`,
    ],
  ])('refuses %s', (_, text) => {
    const { problems } = readPracticeFile(text);

    expect(problems?.length).toBeGreaterThan(0);
    expect(problems?.[0]?.line).toBe(text.startsWith('name: x') ? 2 : 1);
  });
});
