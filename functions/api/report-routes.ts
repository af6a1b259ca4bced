/** Routes of reports: numbers, nobody's data. */
import * as z from 'zod';
import type { Rollups } from '../../shared/data/rollups.ts';
import { summarize } from '../../shared/domain/rollup.ts';
import { type Answer, queryOf, type Request, type StaffRoutes, seesReports } from './staff-route.ts';

const dateSchema = z.iso.date('must be a date such as 2026-11-20');
/** The longest period of one summary, in days. */
const mostSummaryDays = 400;
const summarySchema = z.lazy(() =>
  z
    .strictObject({ from: dateSchema, to: dateSchema })
    .refine(({ from, to }) => from <= to, { path: ['to'], message: 'must not be before from' })
    .refine(({ from, to }) => Date.parse(to) - Date.parse(from) <= mostSummaryDays * 86_400_000, {
      path: ['from'],
      message: `must be at most ${mostSummaryDays} days before to`,
    }),
);

export function reportRoutes({ rollups }: { readonly rollups: Rollups }): StaffRoutes {
  async function summary({ event, practice }: Request): Promise<Answer> {
    const { from, to } = queryOf(summarySchema, event);
    const byLocation = await Promise.all(
      practice.locations.map(async ({ id }) => ({ id, days: await rollups.days(id, from, to) })),
    );
    const counts = byLocation.map(({ id, days }) => ({ id, counts: days.map((day) => day.counts) }));
    return {
      body: {
        from,
        to,
        ...summarize(counts.flatMap((location) => location.counts)),
        locations: counts.map((location) => ({ id: location.id, ...summarize(location.counts) })),
      },
    };
  }

  return { 'GET /v1/reports/summary': { allowed: seesReports, work: summary } };
}
