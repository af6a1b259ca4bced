/** The first states of all that is written under a condition, each as it is made on a Friday morning. */
import type { NewScore } from '../../shared/data/inquiries.ts';
import { type Alert, raised } from '../../shared/domain/alert.ts';
import { type Appointment, newAppointment } from '../../shared/domain/appointment.ts';
import type { Digest } from '../../shared/domain/digest.ts';
import { captured } from '../../shared/domain/inquiry/arrival.ts';
import type { Inquiry } from '../../shared/domain/inquiry/state.ts';
import { type Enrolment, enrolled } from '../../shared/domain/messages/nurture.ts';
import { asked, type MessageRecord } from '../../shared/domain/messages/record.ts';
import { type Notice, newNotice } from '../../shared/domain/notice.ts';
import { newTask, type Task } from '../../shared/domain/task.ts';
import type { WeeklyReport } from '../../shared/domain/weekly-report.ts';
import { friday as now } from './fixtures.ts';

const at = now.toISOString();

export const headOf = (id: string, contactId: string): Inquiry =>
  captured(
    {
      id,
      contactId,
      locationId: 'main-street',
      channel: 'web_form',
      sourceId: 'website',
      campaign: undefined,
      serviceId: undefined,
      quarantine: [],
      redFlagged: false,
    },
    now,
  );
export const personOf = (id: string, name?: string) => ({
  id,
  name,
  email: undefined,
  phone: undefined,
  language: undefined,
});
export const alertOf = (inquiryId: string, contactId = 'con'): Alert =>
  raised(inquiryId, contactId, ['chest-pain'], now);
export const messageOf = (inquiryId: string, by = 'firstcall', contactId = 'con'): MessageRecord =>
  asked({ inquiryId, contactId, key: 'k', kind: 'reply', templateId: 't', by }, now);
export function enrolmentOf(inquiryId: string, by = 'r', contactId = 'con'): Enrolment {
  const enrolment = enrolled({ inquiryId, contactId, sequence: 'not-reached', by }, now);
  if (!enrolment) throw new Error('there is no such sequence');
  return enrolment;
}
export const taskOf = (id: string, madeBy = 'ana', contactId = 'con'): Task =>
  newTask({ id, contactId, locationId: 'main-street', title: 'Call', dueAt: at, owner: 'ana', madeBy }, now);
export const noticeOf = (id: string, whom = 'managers', inquiryId = id): Notice =>
  newNotice({ id, inquiryId, whom }, now);
export const digestOf = (memberId: string): Digest => ({ memberId, version: 0, nextAt: at });
export const reportOf = (locationId: string): WeeklyReport => ({ locationId, version: 0, nextAt: at });
export const appointmentOf = (id: string, madeBy = 'ana', contactId = 'con'): Appointment =>
  newAppointment({ id, contactId, locationId: 'main-street', at, madeBy }, now);
export const scoreOf = (inquiryId: string, total: number, contactId = 'con'): NewScore =>
  ({
    inquiryId,
    contactId,
    number: 1,
    score: { total, tier: 'C', parts: [], modelVersion: '1' },
    decision: {},
  }) as unknown as NewScore;
