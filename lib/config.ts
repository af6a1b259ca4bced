/**
 * What differs between the environments, and nothing else. Change the lines of
 * an environment here, or give single values with CDK context:
 * `-c env=prod -c senderAddress=desk@practice.example -c formOrigins=https://a.example,https://b.example`.
 */
import * as z from 'zod';

const environmentNames = ['dev', 'prod'] as const;
export type EnvironmentName = (typeof environmentNames)[number];

/** Context values come from the command line as text. */
const flag = z.union([z.boolean(), z.stringbool()]);
const count = z.coerce.number().int().positive();

const origin = z
  .string()
  .regex(
    /^(https:\/\/[a-z0-9.-]+|http:\/\/(localhost|127\.0\.0\.1))(:\d{1,5})?$/,
    'an origin is https://host, without a path (http only for localhost)',
  );
const origins = z
  .union([z.array(z.string()), z.string().transform((text) => text.split(',').map((part) => part.trim()))])
  .pipe(z.array(origin).nonempty());

/** The retentions that CloudWatch Logs knows, in days. */
const logRetentions = [7, 14, 30, 60, 90, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 3653] as const;

const configurationSchema = z.strictObject({
  env: z.enum(environmentNames),
  /** Starts the names of everything that has one: log groups, configuration sets, the user pool. */
  prefix: z.string().regex(/^[a-z][a-z0-9-]{2,30}$/, 'lower-case letters, digits and hyphens'),

  /** Every e-mail comes from this address. */
  senderAddress: z.email(),
  /** What is verified with SES: the practice's domain (with DKIM), or the one address. */
  senderIdentity: z.enum(['domain', 'address']),
  /** The sites whose pages may post an inquiry. */
  formOrigins: origins,
  /** Where staff work; e-mails link to it, sign-in returns to it. */
  consoleUrl: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')),
  /** Where the API is reached from outside, its stage included; links in mails to people lead there. */
  publicUrl: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')),
  /** Who gets the alarms; without it nobody does. */
  alarmAddress: z.email().optional(),

  /** True keeps table, log groups, backups and user pool when a stack is deleted, and refuses to delete them. */
  keepData: flag,
  logRetentionDays: z.coerce
    .number()
    .refine(
      (days): days is (typeof logRetentions)[number] => logRetentions.some((each) => each === days),
      `one of ${logRetentions.join(', ')}`,
    ),
  logLevel: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']),
  backupRetentionDays: count.min(7),

  accessTokenMinutes: count.min(15).max(60),
  refreshTokenHours: count.min(1).max(24),

  /** Of each route, over all callers, beyond which they get 429: a flood of posts leaves the routes of staff theirs. */
  requestsPerSecond: count,
  requestBurst: count,
  /** Of one address, in five minutes; a practice's staff often share one. */
  requestsPerAddress: count.min(10),
});

export type Configuration = z.infer<typeof configurationSchema>;

/** Keys that hold an example until a practice has put its own there. */
const practiceOwn = ['senderAddress', 'formOrigins', 'consoleUrl', 'publicUrl'] as const;

const common = {
  logLevel: 'INFO',
  accessTokenMinutes: 15,
  refreshTokenHours: 12,
  requestsPerSecond: 50,
  requestBurst: 100,
  requestsPerAddress: 1000,
} as const;

const environments: Record<EnvironmentName, z.input<typeof configurationSchema>> = {
  dev: {
    ...common,
    env: 'dev',
    prefix: 'firstcall-dev',
    senderAddress: 'no-reply@firstcall.example',
    senderIdentity: 'address',
    formOrigins: ['http://localhost:4000'],
    consoleUrl: 'http://localhost:4000',
    publicUrl: 'http://localhost:4000',
    keepData: false,
    logRetentionDays: 30,
    backupRetentionDays: 7,
  },
  prod: {
    ...common,
    env: 'prod',
    prefix: 'firstcall-prod',
    senderAddress: 'no-reply@firstcall.example',
    senderIdentity: 'domain',
    formOrigins: ['https://www.firstcall.example'],
    consoleUrl: 'https://console.firstcall.example',
    publicUrl: 'https://api.firstcall.example',
    keepData: true,
    logRetentionDays: 365,
    backupRetentionDays: 35,
  },
};

/**
 * The configuration of the environment that the context names (`env`, by
 * default `dev`), with the values that the context gives in place of its own.
 *
 * @param context looks up one context value; undefined where it is not set
 * @throws Error that names each wrong value, what it should be, and where to set it
 */
export function configurationFrom(context: (key: string) => unknown): Configuration {
  const env = context('env') ?? 'dev';
  const name = environmentNames.find((each) => each === env);
  if (name === undefined) {
    throw new Error(`There is no environment ${JSON.stringify(env)}: use -c env=dev or -c env=prod.`);
  }
  const given = Object.keys(configurationSchema.shape)
    .filter((key) => key !== 'env')
    .map((key) => [key, context(key)] as const)
    .filter(([, value]) => value !== undefined);
  const parsed = configurationSchema.safeParse({ ...environments[name], ...Object.fromEntries(given) });
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(
    (issue) => `  ${issue.path.join('.')}: ${issue.message} (set it with -c ${String(issue.path[0])}=…)`,
  );
  throw new Error(`The configuration of ${name} does not hold:\n${wrong.join('\n')}`);
}

/** The keys whose value is still the example that Firstcall ships with. */
export const unsetKeys = (config: Configuration): string[] =>
  practiceOwn.filter((key) => JSON.stringify(config[key]).includes('firstcall.example'));
