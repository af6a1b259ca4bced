/** The public routes: from a proxy event to an answer. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { inEveryLanguage, inLanguage } from '../../shared/domain/languages.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { emergencyNotice, findRedFlags } from '../../shared/domain/red-flags.ts';
import { writtenText } from '../../shared/domain/rules/gather.ts';
import { hostOf } from '../../shared/domain/submission.ts';
import { bodyText, headerOf, mediaType, parseForm, parseJson } from '../../shared/http/body.ts';
import { pageHeaders } from '../../shared/http/page.ts';
import { Problem, type ProblemCode, problemHeaders, toProblem } from '../../shared/http/problem.ts';
import type { Digest } from '../../shared/secrets/digest.ts';
import { type CaptureDependencies, type Captured, captureInquiry } from './capture-inquiry.ts';
import { checkKey, readLead } from './google-ads.ts';
import { formPage, isPrefilled, type PageLink, type Typed, thankYouPage } from './pages.ts';
import { identify, readSubmission } from './web-form.ts';

export interface CaptureApi {
  /** Origins of the practice's own sites. */
  readonly allowedOrigins: readonly string[];
  /** Beside the service's status, on the hosted form. */
  readonly pageLinks: readonly PageLink[];
  readonly practice: () => Promise<Practice>;
  readonly digest: () => Promise<Digest>;
  readonly googleAdsKey: () => Promise<string>;
  readonly capture: Omit<CaptureDependencies, 'digest'>;
  readonly onRefused: (route: string, code: ProblemCode) => void;
  readonly onFailed: (route: string, error: unknown) => void;
}

/** The header by which the firewall marks what its managed rules suspect. */
const suspectedHeader = 'x-amzn-waf-firstcall-suspected';

const json = (
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): APIGatewayProxyResult => ({
  statusCode: status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify(body),
});

const page = (status: number, body: string): APIGatewayProxyResult => ({
  statusCode: status,
  headers: { ...pageHeaders },
  body,
});

/** Whether a post comes from this API's own page. */
function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.parse(origin)?.host === host;
}

/** The site whose page led to a request; the hosted form's own leads to itself, and says nothing. */
function referringSite({ headers }: APIGatewayProxyEvent): string | undefined {
  const referrer = headerOf(headers, 'referer');
  if (referrer === undefined || isOwnOrigin(referrer, headerOf(headers, 'host'))) return undefined;
  return hostOf(referrer);
}

/** Nothing here unpacks a body: what it would become has no bound. @throws Problem */
function refuseEncoded({ headers }: APIGatewayProxyEvent): void {
  if ((headerOf(headers, 'content-encoding') ?? 'identity') === 'identity') return;
  throw new Problem('unsupported_media_type', 'Send the body without a content encoding.');
}

/** What to tell whoever wrote of an emergency in a post that was refused, as far as it could be read. */
function noticeOfRefused(practice: Practice, read: unknown): string | undefined {
  const given = Object.entries(typeof read === 'object' && read !== null ? read : {});
  const fields = Object.fromEntries(given.filter(([, value]) => typeof value === 'string'));
  const flags = findRedFlags(practice.redFlags, writtenText({ fields }));
  return flags.length > 0 ? noticeFor(practice, fields['language']) : undefined;
}

/** In the language that was asked for; where none was, in each that there is. */
function noticeFor(practice: Practice, language: unknown): string {
  const notice = emergencyNotice(practice);
  return typeof language === 'string' && language !== ''
    ? inLanguage(notice, [language])
    : inEveryLanguage(notice)
        .map(({ text }) => text)
        .join(' ');
}

/** The answer for a capture. @throws Problem where nothing was stored */
function settle(captured: Captured): { id: string; receivedAt: string } {
  switch (captured.outcome) {
    case 'busy':
      throw new Problem('unavailable', 'Nothing was stored. Try again in a moment.');
    case 'conflict':
      throw new Problem(
        'idempotency_conflict',
        'This key came before, with other content. Use a new key for a new inquiry.',
      );
    default:
      return { id: captured.id, receivedAt: captured.receivedAt };
  }
}

export function createCaptureApi(api: CaptureApi) {
  const capture = async (
    ...[incoming, identity]: DropFirst<Parameters<typeof captureInquiry>>
  ): Promise<Captured> => captureInquiry({ ...api.capture, digest: await api.digest() }, incoming, identity);

  const corsHeaders = (event: APIGatewayProxyEvent): Record<string, string> => {
    const origin = headerOf(event.headers, 'origin');
    if (origin === undefined || !api.allowedOrigins.includes(origin)) return { vary: 'origin' };
    return { 'access-control-allow-origin': origin, vary: 'origin' };
  };

  function preflight(event: APIGatewayProxyEvent): APIGatewayProxyResult {
    return {
      statusCode: 204,
      headers: {
        ...corsHeaders(event),
        // The console reads the list on the same path that forms post to.
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': 'authorization, content-type, idempotency-key',
        'access-control-max-age': '600',
      },
      body: '',
    };
  }

  /** The typed fields of a form whose body could be read, for showing them again. */
  function typedFields(event: APIGatewayProxyEvent): Typed {
    try {
      return parseForm(bodyText(event));
    } catch {
      return {};
    }
  }

  async function submit(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
    const type = mediaType(headerOf(event.headers, 'content-type'));
    const isForm = type === 'application/x-www-form-urlencoded';
    const wantsPage = isForm && (headerOf(event.headers, 'accept') ?? '').includes('text/html');
    let fields: unknown;
    let practice: Practice | undefined;
    try {
      refuseEncoded(event);
      if (!isForm && type !== 'application/json') {
        throw new Problem(
          'unsupported_media_type',
          'Send application/json or application/x-www-form-urlencoded.',
        );
      }
      const text = bodyText(event);
      const origin = headerOf(event.headers, 'origin');
      const host = headerOf(event.headers, 'host');
      fields = isForm ? parseForm(text) : parseJson(text);
      practice = await api.practice();
      const { incoming, submission } = readSubmission(practice, fields, {
        origin,
        referrer: referringSite(event),
        idempotencyKey: headerOf(event.headers, 'idempotency-key'),
        originListed:
          origin === undefined || api.allowedOrigins.includes(origin) || isOwnOrigin(origin, host),
        suspected: headerOf(event.headers, suspectedHeader) !== undefined,
      });
      const identity = identify(submission, headerOf(event.headers, 'idempotency-key'), await api.digest());
      const answer = settle(await capture(incoming, identity));
      if (!wantsPage) {
        const notice = incoming.redFlags?.length
          ? noticeFor(practice, incoming.fields['language'])
          : undefined;
        return json(202, { ...answer, ...(notice !== undefined && { notice }) }, corsHeaders(event));
      }
      return {
        statusCode: 303,
        headers: { location: '../thank-you', 'cache-control': 'no-store' },
        body: '',
      };
    } catch (error) {
      const problem = report(event, error);
      const notice = practice && noticeOfRefused(practice, fields);
      if (!wantsPage) return refusal(event, problem, notice);
      const message =
        problem.code === 'invalid_fields'
          ? 'Please correct this and send it again:'
          : problem.code === 'idempotency_conflict'
            ? 'We already have an earlier message from this page. To send this one as well, press Send again.'
            : `This could not be sent. ${problem.message}`;
      const body = formPage({
        practice: practice ?? (await api.practice()),
        notice,
        // A new key: what is sent from here is another filling-in of the form.
        idempotencyKey: api.capture.environment.newId('entry'),
        typed: typedFields(event),
        problem: { message, errors: problem.errors },
        root: '../',
        links: api.pageLinks,
      });
      return page(problem.status, body);
    }
  }

  async function takeLead(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
    refuseEncoded(event);
    if (mediaType(headerOf(event.headers, 'content-type')) !== 'application/json') {
      throw new Problem('unsupported_media_type', 'Send application/json.');
    }
    const payload = parseJson(bodyText(event));
    checkKey(payload, await api.googleAdsKey());
    const { incoming, identity } = readLead(await api.practice(), payload);
    const captured = await capture(incoming, identity);
    // A lead sent again with other content was paid for once: the first one stands.
    if (captured.outcome === 'conflict')
      return json(200, { id: captured.id, receivedAt: captured.receivedAt });
    return json(200, settle(captured));
  }

  async function showForm(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
    const typed = Object.fromEntries(
      Object.entries(event.queryStringParameters ?? {}).flatMap(([name, value]) =>
        // Only what a link may fill in: where the person came from and what for, never who they are.
        value !== undefined && isPrefilled(name) ? [[name, value]] : [],
      ),
    );
    // The post of the form will come from here: this is the only time that a browser tells the site before.
    const referrer = referringSite(event);
    if (referrer !== undefined) typed['referrer'] = referrer;
    const idempotencyKey = api.capture.environment.newId('entry');
    // Without its last slash the stage's own address would lead links out of the stage.
    const { path } = event.requestContext;
    const root = path.endsWith('/') ? './' : `./${path.slice(path.lastIndexOf('/') + 1)}/`;
    const links = api.pageLinks;
    return page(200, formPage({ practice: await api.practice(), idempotencyKey, typed, root, links }));
  }

  /** Notes a refusal or a fault, and gives the problem to answer with. */
  function report(event: APIGatewayProxyEvent, error: unknown): Problem {
    const problem = toProblem(error);
    if (problem.code === 'internal_error') api.onFailed(event.resource, error);
    else api.onRefused(event.resource, problem.code);
    return problem;
  }

  const refusal = (
    event: APIGatewayProxyEvent,
    problem: Problem,
    notice?: string,
  ): APIGatewayProxyResult => ({
    statusCode: problem.status,
    headers: {
      ...problemHeaders,
      ...corsHeaders(event),
      ...(problem.status === 503 && { 'retry-after': '1' }),
    },
    body: problem.toBody(notice),
  });

  const routes: Readonly<Record<string, (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>>> = {
    'GET /': showForm,
    'GET /thank-you': async () => page(200, thankYouPage(await api.practice(), './')),
    'POST /v1/inquiries': submit,
    'OPTIONS /v1/inquiries': async (event) => preflight(event),
    'POST /v1/webhooks/google-ads': takeLead,
  };

  return async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
    try {
      const answer = routes[`${event.httpMethod} ${event.resource}`];
      if (answer === undefined) throw new Problem('not_found', 'There is no such route.');
      return await answer(event);
    } catch (error) {
      return refusal(event, report(event, error));
    }
  };
}

type DropFirst<T extends readonly unknown[]> = T extends readonly [unknown, ...infer Rest] ? Rest : never;
