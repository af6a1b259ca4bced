/** Appointments in the table: in the partition of their contact, and while they are to come in the list of their location. */
import { type Appointment, appointmentSchema } from '../domain/appointment.ts';
import { byTime, contactAppointment, contactPk, queueOfAppointments } from './keys.ts';
import { absent, atVersion, queryAll, type Row, type Table, type Write } from './table.ts';

const schemaVersion = 1;

function appointmentRow(appointment: Appointment): Row {
  const { id, contactId, locationId, at, status } = appointment;
  return {
    ...contactAppointment(contactId, id),
    entity: 'appointment',
    ...(status === 'made' && { queuePk: queueOfAppointments(locationId), queueSk: byTime(at, id) }),
    ...appointment,
    schemaVersion,
  };
}

const parseAppointment = (row: Row): Appointment => appointmentSchema.parse(row);

export type Appointments = ReturnType<typeof createAppointments>;

export function createAppointments(table: Table) {
  return {
    async find(contactId: string, appointmentId: string): Promise<Appointment | undefined> {
      const row = await table.get(contactAppointment(contactId, appointmentId), { consistent: true });
      return row && parseAppointment(row);
    },

    /** Every appointment of a contact, whatever became of it, in the order in which they were made. */
    async ofContact(contactId: string): Promise<Appointment[]> {
      const rows = await queryAll(table, {
        pk: contactPk(contactId),
        from: contactAppointment(contactId, '').sk,
        to: contactAppointment(contactId, '~').sk,
        consistent: true,
      });
      return rows.map(parseAppointment);
    },

    /** One page of what is to come at a location from one instant until before another, the first at the front. */
    async toCome(
      locationId: string,
      { from, until }: { readonly from: string; readonly until: string },
      limit: number,
      after?: Record<string, unknown>,
    ): Promise<{ readonly appointments: Appointment[]; readonly next?: Record<string, unknown> }> {
      const page = await table.query({
        index: 'queue',
        pk: queueOfAppointments(locationId),
        from,
        to: until,
        limit,
        ...(after && { after }),
      });
      const keys = page.rows.map(({ pk, sk }) => ({ pk, sk }));
      const rows = keys.length === 0 ? [] : await table.batchGet(keys);
      const appointments = rows
        .map(parseAppointment)
        // The index may lag behind the item.
        .filter((one) => one.status === 'made' && one.locationId === locationId)
        .sort((a, b) => (byTime(a.at, a.id) < byTime(b.at, b.id) ? -1 : 1));
      return { appointments, ...(page.next && { next: page.next }) };
    },

    create: (appointment: Appointment): Write => ({ put: appointmentRow(appointment), when: absent }),

    /** Writes a new state over the one it was made from; refused where somebody was faster. */
    save: (next: Appointment): Write => ({ put: appointmentRow(next), when: atVersion(next.version - 1) }),
  };
}
