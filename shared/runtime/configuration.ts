/** The practice's configuration as a function sees it: kept, and looked after from time to time. */
import { type ConfigurationReader, createConfigurationReader } from '../data/configuration.ts';
import type { Table } from '../data/table.ts';
import { systemEnvironment } from './environment.ts';
import { describeError, logger } from './lambda.ts';

/** Gives the practice as it is or was a few seconds ago; `fresh` as it is now. */
export const openConfiguration = (table: Table): ConfigurationReader =>
  createConfigurationReader({
    table,
    now: systemEnvironment.now,
    onStale: (error) =>
      logger.warn('configuration not refreshed; the kept one goes on', describeError(error)),
  });
