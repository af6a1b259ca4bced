import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Availability,
  attendanceAt,
  type Needs,
  onDutyFrom,
  type Workload,
} from '../../shared/domain/availability.ts';
import { localTime } from '../../shared/domain/local-time.ts';
import { weekdays } from '../../shared/domain/weekdays.ts';

const day = [{ open: '08:00', close: '17:00' }];
const week = { monday: day, tuesday: day, wednesday: day, thursday: day, friday: day };
const idle: Workload = { open: 0, uncalled: 0, today: 0, disabled: false };
const needs: Needs = { locationId: 'chicago' };
/** A Friday, 10:00 in Chicago and 9:00 in Denver. */
const friday = new Date('2026-11-20T16:00:00.000Z');

const teamOf = (...members: Partial<Availability>[]) => ({
  locations: [
    { id: 'chicago', timeZone: 'America/Chicago' },
    { id: 'denver', timeZone: 'America/Denver' },
  ],
  members: members.map((member, i) => ({ id: `m${i}`, enabled: true, ...member })),
});
const look = (
  member: Partial<Availability>,
  {
    at = friday,
    load = {},
    wanted = {},
  }: { at?: Date; load?: Partial<Workload>; wanted?: Partial<Needs> } = {},
) => attendanceAt(teamOf(member), at).exclusion('m0', { ...needs, ...wanted }, { ...idle, ...load });
const reason = (...args: Parameters<typeof look>) => look(...args)?.reason;

describe('a member can take an inquiry', () => {
  it('with nothing said of them, at any time', () => {
    expect(look({})).toBeUndefined();
    expect(
      look({}, { at: new Date('2026-11-21T03:00:00.000Z'), wanted: { language: 'vi' } }),
    ).toBeUndefined();
  });

  it('not where they are disabled, by configuration or by their load, or gone', () => {
    expect(reason({ enabled: false })).toBe('disabled');
    expect(reason({}, { load: { disabled: true } })).toBe('disabled');
    expect(attendanceAt(teamOf({}), friday).exclusion('who', needs, idle)?.reason).toBe(
      'not in the configuration',
    );
  });

  it('on their shift, in their own zone', () => {
    const early = { shifts: { friday: [{ open: '10:00', close: '12:00' }] } };
    expect(reason(early)).toBeUndefined();
    expect(reason({ ...early, timeZone: 'America/Denver' })).toBe('off shift until Fri 10:00');
    expect(reason({ ...early, locations: ['denver'] }, { wanted: { locationId: 'denver' } })).toBe(
      'off shift until Fri 10:00',
    );
  });

  it('on split days: the end of a block is no part of it', () => {
    const split = {
      shifts: {
        friday: [
          { open: '08:00', close: '10:00' },
          { open: '13:00', close: '24:00' },
        ],
      },
    };
    expect(reason(split)).toBe('off shift until Fri 13:00');
    expect(reason(split, { at: new Date('2026-11-21T05:59:00.000Z') })).toBeUndefined();
    expect(reason(split, { at: new Date('2026-11-21T06:00:00.000Z') })).toBe('off shift until Fri 08:00');
  });

  it('never, with shifts on no day', () => {
    expect(look({ shifts: {} })).toEqual({ reason: 'off shift' });
    expect(look({ shifts: { monday: [] } })).toEqual({ reason: 'off shift' });
  });

  it('not on leave: whole days, the last included, and parts of days', () => {
    expect(reason({ shifts: week, leave: [{ from: '2026-11-19', to: '2026-11-20' }] })).toBe(
      'on leave until Mon 08:00',
    );
    const afternoon = { shifts: week, leave: [{ from: '2026-11-20T10:00', to: '2026-11-20T12:30' }] };
    expect(reason(afternoon)).toBe('on leave until Fri 12:30');
    expect(reason(afternoon, { at: new Date('2026-11-20T18:30:00.000Z') })).toBeUndefined();
    expect(reason({ shifts: week, leave: [{ from: '2026-11-20', to: '2026-12-25' }] })).toBe(
      'on leave until Mon 28 Dec 08:00',
    );
  });

  it('is told when somebody is back where one leave follows another', () => {
    const leave = [
      { from: '2026-11-20', to: '2026-11-23' },
      { from: '2026-11-24', to: '2026-11-24T09:00' },
    ];
    expect(reason({ shifts: week, leave })).toBe('on leave until Tue 09:00');
  });

  it('up to their cap of open work', () => {
    expect(reason({ caps: { open: 20 } }, { load: { open: 19 } })).toBeUndefined();
    expect(look({ caps: { open: 20 } }, { load: { open: 20 } })).toEqual({ reason: 'at the cap of 20 open' });
  });

  it('up to their cap of a day, until their next one', () => {
    const capped = { caps: { perDay: 2 }, shifts: week };
    expect(reason(capped, { load: { day: '2026-11-20', today: 1 } })).toBeUndefined();
    expect(reason(capped, { load: { day: '2026-11-20', today: 2 } })).toBe(
      'at the cap of 2 a day until Mon 08:00',
    );
    expect(reason(capped, { load: { day: '2026-11-19', today: 2 } })).toBeUndefined();
    expect(reason({ caps: { perDay: 2 } }, { load: { day: '2026-11-20', today: 2 } })).toBe(
      'at the cap of 2 a day until Sat 00:00',
    );
  });

  it('in a language that they speak', () => {
    const wanted = { language: 'es-MX' };
    expect(reason({ languages: ['en'] }, { wanted })).toBe('does not speak es-MX');
    expect(reason({ languages: ['en', 'es'] }, { wanted })).toBeUndefined();
    expect(reason({ languages: ['en'] })).toBeUndefined();
  });

  it('with an insurance that they take, in whatever words', () => {
    const wanted = { insurance: 'AETNA, PPO' };
    expect(reason({ insurances: ['Cigna'] }, { wanted })).toBe('does not take the insurance');
    expect(reason({ insurances: ['Cigna', 'Aetna'] }, { wanted })).toBeUndefined();
    expect(reason({ insurances: ['Cigna'] })).toBeUndefined();
  });

  it('of a location that they serve, and with a specialty that is asked for', () => {
    expect(reason({ locations: ['denver'] })).toBe('does not serve chicago');
    expect(reason({}, { wanted: { specialty: 'mohs' } })).toBe('no specialist in mohs');
    expect(reason({ specialties: ['mohs'] }, { wanted: { specialty: 'mohs' } })).toBeUndefined();
  });
});

const clock = (n: number) =>
  `${String(Math.floor(n / 60)).padStart(2, '0')}:${String(n % 60).padStart(2, '0')}`;
const block = fc
  .uniqueArray(fc.integer({ min: 0, max: 96 }), { minLength: 2, maxLength: 6 })
  .map((quarters) => quarters.toSorted((a, b) => a - b))
  .map((quarters) =>
    Array.from({ length: Math.floor(quarters.length / 2) }, (_, i) => ({
      open: clock(15 * (quarters[2 * i] ?? 0)),
      close: clock(15 * (quarters[2 * i + 1] ?? 0)),
    })),
  );
const shifts = fc.option(
  fc.record(Object.fromEntries(weekdays.map((name) => [name, block])), { requiredKeys: [] }),
  { nil: undefined },
);
const leaveTime = fc
  .tuple(fc.integer({ min: 1, max: 28 }), fc.option(fc.integer({ min: 0, max: 1_439 })))
  .map(
    ([date, minute]) =>
      `2026-11-${String(date).padStart(2, '0')}${minute === null ? '' : `T${clock(minute)}`}`,
  );
const leave = fc.array(
  fc.tuple(leaveTime, leaveTime).map(([a, b]) => (a < b ? { from: a, to: b } : { from: b, to: a })),
  { maxLength: 4 },
);

describe('the first minute on duty', () => {
  /** By looking at one minute after the other. */
  function isOn({ shifts: blocks, leave: away = [] }: Partial<Availability>, at: string): boolean {
    const [date = '', time = ''] = at.split('T');
    const weekday = weekdays[(new Date(`${date}T00:00Z`).getUTCDay() + 6) % 7] ?? 'monday';
    const works =
      blocks === undefined || (blocks[weekday] ?? []).some(({ open, close }) => open <= time && time < close);
    const isAway = away.some(({ from, to }) => {
      const begins = from.length > 10 ? from : `${from}T00:00`;
      return begins <= at && (to.length > 10 ? at < to : date <= to);
    });
    return works && !isAway;
  }

  it('is a minute on duty, and none before it is', () => {
    fc.assert(
      fc.property(
        shifts,
        leave,
        fc.integer({ min: 1, max: 28 }),
        fc.integer({ min: 0, max: 1_439 }),
        (s, l, date, minute) => {
          const member: Availability = { id: 'm', enabled: true, shifts: s, leave: l };
          const from = `2026-11-${String(date).padStart(2, '0')}T${clock(minute)}`;

          const found = onDutyFrom(member, from);

          let at = from;
          for (let i = 0; i < 3 * 1_440; i++) {
            if (isOn(member, at)) {
              expect(found).toBe(at);
              return;
            }
            const next = new Date(Date.parse(`${at}Z`) + 60_000).toISOString().slice(0, 16);
            at = next;
          }
          // This minute was not looked at any more.
          expect(found === undefined || (found >= at && isOn(member, found))).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('a look at a team', () => {
  it('reads the wall clock once for each zone, whoever is asked about how often', () => {
    const members = Array.from({ length: 200 }, (_, i) => ({
      timeZone: i % 2 === 0 ? 'America/Chicago' : 'America/Denver',
      shifts: { monday: day },
      languages: ['en'],
    }));
    let read = 0;
    const attendance = attendanceAt(teamOf(...members), friday, (...args) => {
      read++;
      return localTime(...args);
    });

    for (let i = 0; i < 3; i++) {
      const exclusions = members.map((_, n) =>
        attendance.exclusion(`m${n}`, { ...needs, language: 'en' }, idle),
      );
      expect(new Set(exclusions.map((one) => one?.reason))).toEqual(new Set(['off shift until Mon 08:00']));
    }
    expect(read).toBe(2);
  });

  it('is right on the nights on which clocks are set', () => {
    const night = { shifts: { sunday: [{ open: '02:30', close: '04:00' }] } };
    // In spring 2:30 is leapt over: it is half past three, and they are on shift.
    expect(reason(night, { at: new Date('2026-03-08T07:00:00.000Z') })).toBe('off shift until Sun 02:30');
    expect(reason(night, { at: new Date('2026-03-08T07:59:00.000Z') })).toBe('off shift until Sun 02:30');
    expect(reason(night, { at: new Date('2026-03-08T08:30:00.000Z') })).toBeUndefined();
    // In autumn 1:30 comes twice: the shift is on both times.
    const twice = { shifts: { sunday: [{ open: '01:00', close: '02:00' }] } };
    for (const at of ['2026-11-01T06:30:00.000Z', '2026-11-01T07:30:00.000Z'])
      expect(reason(twice, { at: new Date(at) })).toBeUndefined();
  });
});
