/** Answers the staff routes. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { createAudit } from '../../shared/data/audit.ts';
import { createContacts } from '../../shared/data/contacts.ts';
import { createInquiries } from '../../shared/data/inquiries.ts';
import { createRollups } from '../../shared/data/rollups.ts';
import { createRoutingStates } from '../../shared/data/rotation.ts';
import { createTimelines } from '../../shared/data/timeline.ts';
import { openConfiguration } from '../../shared/runtime/configuration.ts';
import { readSettings, setting, systemEnvironment } from '../../shared/runtime/environment.ts';
import { describeError, lambdaHandler, logger } from '../../shared/runtime/lambda.ts';
import { openTable } from '../../shared/runtime/table.ts';
import { createStaffApi } from './staff-api.ts';

const settings = readSettings({ TABLE_NAME: setting, STAFF_CLIENT_ID: setting, CONSOLE_URL: setting });
const table = openTable(settings.TABLE_NAME);

const api = createStaffApi({
  table,
  inquiries: createInquiries(table),
  contacts: createContacts(table),
  timelines: createTimelines(table),
  rollups: createRollups(table),
  routingStates: createRoutingStates(table),
  audit: createAudit(table, systemEnvironment),
  practice: openConfiguration(table),
  environment: systemEnvironment,
  clientId: settings.STAFF_CLIENT_ID,
  consoleOrigin: new URL(settings.CONSOLE_URL).origin,
  onFailed: (error) => logger.error('request failed', describeError(error)),
});

export const handler = lambdaHandler<APIGatewayProxyEvent, APIGatewayProxyResult>((event, context) =>
  api.resolve(event, context),
);
