/** Routes of appointments: what is to come, a person's, one of them, and what became of it. */
import * as z from 'zod';
import { queueOfAppointments } from '../../shared/data/keys.ts';
import {
  type Appointment,
  type AppointmentChange,
  appointmentStatuses,
  mostValueCents,
  outcomes,
} from '../../shared/domain/appointment.ts';
import { slugSchema } from '../../shared/domain/slug.ts';
import {
  type AppointmentDependencies,
  changeAppointment,
  findAppointment,
  makeAppointment,
} from './change-appointment.ts';
import { fromCursor, startsIn, toCursor } from './cursor.ts';
import { aboutFields, aboutOneIssue, checkReferences, instant, isAboutOne } from './fields.ts';
import { wholeOf } from './read-people.ts';
import { identityOf } from './repetition.ts';
import {
  type Answer,
  etag,
  forPeople,
  jsonOf,
  pageFields,
  pathId,
  queryOf,
  type Request,
  type StaffRoutes,
  seenVersion,
  shownIds,
} from './staff-route.ts';

const cents = z.lazy(() =>
  z
    .int('must be a whole number of cents')
    .min(0, 'must not be negative')
    .max(mostValueCents, `must be at most ${mostValueCents}`),
);

const viewSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    version: z.int(),
    contactId: z.string(),
    inquiryId: z.string().optional(),
    location: z.string(),
    service: z.string().optional(),
    at: z.string(),
    status: z.enum(appointmentStatuses),
    expectedCents: z.int().optional(),
    valueCents: z.int().optional(),
    madeBy: z.string(),
    madeAt: z.string(),
  }),
);
const view = (appointment: Appointment) =>
  viewSchema.parse({
    ...appointment,
    location: appointment.locationId,
    service: appointment.serviceId,
    valueCents: appointment.actualCents,
  });

/** The latest instant that a list reaches to, where none is named. */
const noEnd = '2100-01-01T00:00:00.000Z';
const listSchema = z.lazy(() =>
  z.strictObject({
    location: slugSchema.optional(),
    from: instant.optional(),
    until: instant.optional(),
    ...pageFields,
  }),
);

const newSchema = z.lazy(() =>
  z
    .strictObject({
      ...aboutFields,
      at: instant,
      location: slugSchema.optional(),
      service: slugSchema.optional(),
      expectedCents: cents.optional(),
    })
    .refine(isAboutOne, aboutOneIssue),
);

const changeSchema = z.lazy(() =>
  z
    .strictObject({
      at: instant.optional(),
      location: slugSchema.optional(),
      outcome: z.enum(outcomes, `must be one of ${outcomes.join(', ')}`).optional(),
      /** What it was recorded as by mistake is this in truth. */
      correct: z.enum(appointmentStatuses, `must be one of ${appointmentStatuses.join(', ')}`).optional(),
      valueCents: cents.optional(),
    })
    .transform(({ at, location, outcome, correct, valueCents }, context): AppointmentChange => {
      const refuse = (field: string, message: string) => {
        context.addIssue({ code: 'custom', path: [field], message });
        return z.NEVER;
      };
      if (correct !== undefined) {
        if (at !== undefined || location !== undefined || outcome !== undefined)
          return refuse('correct', 'goes with valueCents alone');
        if (correct !== 'kept' && valueCents !== undefined)
          return refuse('valueCents', 'goes only with what was kept');
        return { correct, valueCents };
      }
      if (location !== undefined && at === undefined) return refuse('location', 'goes only with at');
      if (at !== undefined) {
        if (outcome !== undefined || valueCents !== undefined)
          return refuse('at', 'give either at, or outcome and valueCents');
        return { at, locationId: location };
      }
      if (outcome === undefined)
        return valueCents === undefined
          ? refuse('outcome', 'give at, outcome or valueCents')
          : { valueCents };
      if (outcome !== 'kept' && valueCents !== undefined)
        return refuse('valueCents', 'goes only with the outcome kept');
      return { outcome, valueCents };
    }),
);

export function appointmentRoutes(api: AppointmentDependencies): StaffRoutes {
  const { appointments, contacts, environment } = api;

  const answer = (appointment: Appointment, status = 200): Answer => ({
    status,
    body: view(appointment),
    headers: { etag: etag(appointment.version) },
  });

  async function list({ event, practice }: Request): Promise<Answer> {
    const {
      location = practice.locations[0]?.id ?? '',
      from,
      until = noEnd,
      limit,
      cursor,
    } = queryOf(listSchema, event);
    checkReferences(practice, [['location', 'locations', location]]);
    const name = `appointments ${location} ${from ?? 'now'} ${until}`;
    const shape = startsIn('queue', queueOfAppointments(location), [from ?? '', until]);
    const after = fromCursor(name, cursor, shape);
    // A list goes on where it was, though that is past by now.
    const begin = from ?? String(after?.['queueSk'] ?? environment.now().toISOString());
    const page = await appointments.toCome(location, { from: begin, until }, limit, after);
    return {
      body: {
        items: page.appointments.map(view),
        ...(page.next && { cursor: toCursor(name, page.next) }),
      },
      audit: {
        action: 'list',
        resource: `appointments ${shownIds(page.appointments.map(({ contactId }) => contactId))}`.trim(),
      },
    };
  }

  async function make(request: Request): Promise<Answer> {
    const { event, caller, practice, audit } = request;
    const wanted = jsonOf(newSchema, event);
    const identity = identityOf(request, wanted);
    checkReferences(practice, [
      ['location', 'locations', wanted.location],
      ['service', 'services', wanted.service],
    ]);
    await audit({ action: 'change', resource: `appointment of ${wanted.inquiryId ?? wanted.contactId}` });
    const by = { memberId: caller.member.id, practice };
    return answer(await makeAppointment(api, wanted, by, identity), 201);
  }

  async function ofContact({ event }: Request): Promise<Answer> {
    const id = pathId(event, 'contact');
    const { family } = await wholeOf(contacts, id, { consistent: true });
    const all = (await Promise.all(family.map((contact) => appointments.ofContact(contact.id)))).flat();
    const latestFirst = all.toSorted((a, b) => (a.at < b.at ? 1 : -1));
    return {
      body: { items: latestFirst.map(view) },
      audit: { action: 'read', resource: `appointments ${shownIds(family.map((contact) => contact.id))}` },
    };
  }

  async function show({ event }: Request): Promise<Answer> {
    const [id, appointmentId] = [pathId(event, 'contact'), pathId(event, 'appointment', 'appointmentId')];
    const found = await findAppointment(api, id, appointmentId);
    return {
      ...answer(found),
      audit: { action: 'read', resource: `appointment ${found.id} ${found.contactId}` },
    };
  }

  async function change({ event, caller, practice, audit }: Request): Promise<Answer> {
    const [id, appointmentId] = [pathId(event, 'contact'), pathId(event, 'appointment', 'appointmentId')];
    const wanted = jsonOf(changeSchema, event);
    const version = seenVersion(event, 'appointment');
    if ('at' in wanted) checkReferences(practice, [['location', 'locations', wanted.locationId]]);
    await audit({ action: 'change', resource: `appointment ${appointmentId} ${id}` });
    const by = { memberId: caller.member.id, practice };
    return answer(await changeAppointment(api, id, appointmentId, version, wanted, by));
  }

  return {
    'GET /v1/appointments': forPeople(list),
    'POST /v1/appointments': forPeople(make),
    'GET /v1/contacts/{id}/appointments': forPeople(ofContact),
    'GET /v1/contacts/{id}/appointments/{appointmentId}': forPeople(show),
    'PATCH /v1/contacts/{id}/appointments/{appointmentId}': forPeople(change),
  };
}
