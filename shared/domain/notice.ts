/** A notice: a rule wants a member, or the managers, to look at an inquiry. Due at once, and gone once its mail is out. */
import * as z from 'zod';
import { idSchema } from './ids.ts';
import { asked, askedAgain, sendingShape, sent } from './sending.ts';

export const noticeSchema = z.lazy(() =>
  z.object({
    id: idSchema('entry'),
    version: z.int().min(1),
    inquiryId: idSchema('inquiry'),
    /** A member's id, or `managers`. */
    whom: z.string(),
    ...sendingShape(),
  }),
);
export type Notice = z.infer<typeof noticeSchema>;

export const newNotice = (fresh: Pick<Notice, 'id' | 'inquiryId' | 'whom'>, now: Date): Notice => ({
  ...fresh,
  version: 1,
  ...asked(now),
});

/** When it is to be seen to again; undefined once its mail is out. */
export const noticeActionAt = ({ step }: Notice): string | undefined => step;

/** The state once it was asked for again; undefined where it is not due. */
export function takeDueNotice(notice: Notice, now: Date): Notice | undefined {
  const actionAt = noticeActionAt(notice);
  if (actionAt === undefined || actionAt > now.toISOString()) return undefined;
  return { ...notice, version: notice.version + 1, ...askedAgain(notice, now) };
}

/** The state once its mail is out. */
export const noticeSent = (notice: Notice, now: Date): Notice => ({
  ...sent(notice, now),
  version: notice.version + 1,
});
