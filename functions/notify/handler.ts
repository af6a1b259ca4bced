/** Works through the mail queue; nothing else in the system sends mail. */
import { SESClient } from '@aws-sdk/client-ses';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { createRollups } from '../../shared/data/rollups.ts';
import { createWeeklyReports } from '../../shared/data/weekly-reports.ts';
import { mailMessageSchema } from '../../shared/queues/messages.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { queueHandler } from '../../shared/runtime/queue-handler.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { sendMail } from './send-mail.ts';
import { createSesMailer } from './ses-mailer.ts';

const settings = readSettings({
  TABLE_NAME: setting,
  SENDER_ADDRESS: setting,
  CONFIGURATION_SET: setting,
  CONSOLE_URL: setting,
});
const table = openTable(settings.TABLE_NAME);
const dependencies = {
  table,
  inquiries: createInquiries(table),
  weeklyReports: createWeeklyReports(table),
  rollups: createRollups(table),
  practice: openConfiguration(table).current,
  mailer: createSesMailer(new SESClient({}), {
    address: settings.SENDER_ADDRESS,
    configurationSet: settings.CONFIGURATION_SET,
  }),
  environment: systemEnvironment,
  consoleUrl: settings.CONSOLE_URL,
};

export const handler = queueHandler(mailMessageSchema, (message) => sendMail(dependencies, message));
