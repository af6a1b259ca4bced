import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';

/** A refusal that API Gateway itself gives, in the words of our own problem details. */
interface Problem {
  readonly type: ResponseType;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
}

const problem = (type: ResponseType, status: number, title: string, detail: string): Problem => ({
  type,
  status,
  title,
  detail,
});

const signIn = 'Sign in again.';
const notYours = 'You may not do this.';
const ours = 'The fault is ours. Please try again in a moment.';

const problems: readonly Problem[] = [
  problem(ResponseType.ACCESS_DENIED, 403, 'Forbidden', notYours),
  problem(ResponseType.API_CONFIGURATION_ERROR, 500, 'Internal Server Error', ours),
  problem(ResponseType.AUTHORIZER_CONFIGURATION_ERROR, 500, 'Internal Server Error', ours),
  problem(ResponseType.AUTHORIZER_FAILURE, 500, 'Internal Server Error', ours),
  problem(ResponseType.BAD_REQUEST_BODY, 400, 'Bad Request', 'The body is not as it should be.'),
  problem(ResponseType.BAD_REQUEST_PARAMETERS, 400, 'Bad Request', 'A parameter is not as it should be.'),
  problem(ResponseType.DEFAULT_4XX, 400, 'Bad Request', 'The request is not as it should be.'),
  problem(ResponseType.DEFAULT_5XX, 500, 'Internal Server Error', ours),
  problem(ResponseType.EXPIRED_TOKEN, 401, 'Unauthorized', signIn),
  problem(ResponseType.INTEGRATION_FAILURE, 502, 'Bad Gateway', ours),
  problem(ResponseType.INTEGRATION_TIMEOUT, 504, 'Gateway Timeout', ours),
  problem(ResponseType.INVALID_API_KEY, 403, 'Forbidden', notYours),
  problem(ResponseType.INVALID_SIGNATURE, 401, 'Unauthorized', signIn),
  // What API Gateway calls a missing token is a path or a method that does not exist.
  problem(ResponseType.MISSING_AUTHENTICATION_TOKEN, 404, 'Not Found', 'There is nothing here.'),
  problem(ResponseType.QUOTA_EXCEEDED, 429, 'Too Many Requests', 'Please wait a little and try again.'),
  problem(ResponseType.REQUEST_TOO_LARGE, 413, 'Content Too Large', 'The body is too large.'),
  problem(ResponseType.RESOURCE_NOT_FOUND, 404, 'Not Found', 'There is nothing here.'),
  problem(ResponseType.THROTTLED, 429, 'Too Many Requests', 'Please wait a little and try again.'),
  problem(ResponseType.UNAUTHORIZED, 401, 'Unauthorized', signIn),
  problem(
    ResponseType.UNSUPPORTED_MEDIA_TYPE,
    415,
    'Unsupported Media Type',
    'This type of content is not taken here.',
  ),
  problem(ResponseType.WAF_FILTERED, 403, 'Forbidden', 'The request was refused.'),
];

/** The text of a refusal. Says nothing of the request: what it held is not repeated. */
export const problemBody = ({ status, title, detail }: Omit<Problem, 'type'>): string =>
  JSON.stringify({ type: 'about:blank', title, status, detail });

/**
 * Makes every refusal of API Gateway's own a problem document, too.
 *
 * @param origin the console's, which may then read the refusal
 */
export function answerWithProblems(api: RestApi, origin: string): void {
  for (const each of problems) {
    api.addGatewayResponse(each.type.responseType, {
      type: each.type,
      statusCode: String(each.status),
      responseHeaders: {
        'access-control-allow-origin': `'${origin}'`,
        'cache-control': "'no-store'",
        'content-type': "'application/problem+json'",
        vary: "'Origin'",
      },
      // API Gateway chooses by the accepted type and falls back to this one; the header above names what it is.
      templates: { 'application/json': problemBody(each) },
    });
  }
}
