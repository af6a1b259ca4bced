/** The routes of unsubscribe links: no sign-in, one click for mail programs (RFC 8058), a page for people. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { type TakeBackDependencies, type TakenBack, takeBack } from '../../shared/data/opt-out.ts';
import { type ConsentPurpose, consentPurposes, purposes } from '../../shared/domain/messages/template.ts';
import type { Practice } from '../../shared/domain/practice.ts';
import { bodyText, headerOf, mediaType, parseForm } from '../../shared/http/body.ts';
import { pageHeaders } from '../../shared/http/page.ts';
import type { Digest } from '../../shared/secrets/digest.ts';
import { readUnsubscribeToken } from '../../shared/secrets/unsubscribe-token.ts';
import { askPage, donePage, pageLanguage, unknownPage } from './pages.ts';

export interface UnsubscribeApi extends TakeBackDependencies {
  readonly practice: () => Promise<Practice>;
  readonly openDigest: () => Promise<Digest>;
  /** Told what became of a click. */
  readonly onTakenBack: (outcome: TakenBack, purpose: ConsentPurpose) => void;
}

const answer = (statusCode: number, body: string): APIGatewayProxyResult => ({
  statusCode,
  headers: { ...pageHeaders, 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex' },
  body,
});

/** Whether the button for everything was pressed; a mail program's click says nothing of it, in whatever form. */
function asksForAll(event: APIGatewayProxyEvent): boolean {
  if (mediaType(headerOf(event.headers, 'content-type')) !== 'application/x-www-form-urlencoded')
    return false;
  try {
    return parseForm(bodyText(event))['all'] === 'yes';
  } catch {
    // Whatever came with it: whoever posts here wants less e-mail.
    return false;
  }
}

export function createUnsubscribeApi(api: UnsubscribeApi) {
  return async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
    const language = pageLanguage(headerOf(event.headers, 'accept-language'));
    const token = readUnsubscribeToken(await api.openDigest(), event.pathParameters?.['token'] ?? '');
    const purpose = consentPurposes.find((each) => each === token?.purpose);
    if (!token || !purpose) return answer(404, unknownPage(language));
    const { name } = await api.practice();
    const [most] = purposes;
    if (event.httpMethod !== 'POST') return answer(200, askPage(name, purpose, language));
    const taken = asksForAll(event) ? most : purpose;
    api.onTakenBack(await takeBack(api, token.contactId, taken, 'unsubscribe link'), taken);
    return answer(200, donePage(name, taken, language));
  };
}
