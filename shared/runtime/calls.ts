/**
 * How long a call to a service of AWS may take. The SDK by itself waits for an
 * answer for ever, and what hangs would then end with the function's time: with no
 * answer, no log line and nothing handed back.
 *
 * A call is tried again where it failed in passing or was not answered in time. It
 * may have been done all the same: each step takes that for what it is, a condition
 * that holds no more or a message that comes twice.
 */

const bounded = (maxAttempts: number, requestTimeout: number) => ({
  maxAttempts,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout,
    // Without it the SDK only warns.
    throwOnRequestTimeout: true,
    // An answer that has begun and does not go on.
    socketTimeout: requestTimeout,
  },
});

/** The table, queues, secrets: with all attempts and the waits between them within the shortest of the functions' limits. */
export const serviceCalls = bounded(3, 2_000);

/** What is stored already and only hastened by a message, while somebody waits for the answer: the sweep makes up for it. */
export const hasteningCalls = bounded(2, 1_500);

/** A mail that is tried again after it went out comes twice: SES is given time instead. */
export const mailCalls = bounded(2, 8_000);
