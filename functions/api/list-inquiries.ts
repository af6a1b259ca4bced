/** Lists of inquiries: one filter picks the index, the others narrow its pages. */
import { newestOnBoard } from '../../shared/data/board.ts';
import type { Inquiries } from '../../shared/data/inquiries.ts';
import { boardOfStage, inquiryPk, queueOfMember } from '../../shared/data/keys.ts';
import type { IndexName, Page, Table } from '../../shared/data/table.ts';
import { type Inquiry, isOpen } from '../../shared/domain/inquiry/state.ts';
import type { Stage, Tier } from '../../shared/domain/stages.ts';
import { type CursorShape, startsIn } from './cursor.ts';

export interface InquiryFilter {
  readonly stage?: Stage | undefined;
  /** Open work of this member, most urgent first; with a stage that is an end, what they brought there. */
  readonly assignee?: string | undefined;
  readonly tier?: Tier | undefined;
}

export interface InquiryPage {
  readonly items: Inquiry[];
  readonly next?: Record<string, unknown>;
}

export interface ListDependencies {
  readonly table: Table;
  readonly inquiries: Inquiries;
}

/** The heads of index rows, in the rows' order. */
export async function headsOf({ inquiries }: ListDependencies, page: Page): Promise<Inquiry[]> {
  const prefix = inquiryPk('');
  // An inquiry that changes its stage meanwhile can be read under both.
  const ids = [...new Set(page.rows.map(({ pk }) => pk.slice(prefix.length)))];
  const heads = new Map((await inquiries.findHeads(ids)).map((head) => [head.id, head]));
  return ids.flatMap((id) => heads.get(id) ?? []);
}

/** Whom inquiries are about. */
export const contactsOf = (heads: readonly Inquiry[]): string[] => heads.map(({ contactId }) => contactId);

/** The member whose queue a list reads: queues hold open work, the board has the rest. */
const queueRead = ({ assignee, stage }: InquiryFilter): string | undefined =>
  stage === undefined || isOpen({ stage }) ? assignee : undefined;

/** Where pages of a list may start. */
export function startsOf(filter: InquiryFilter): CursorShape {
  const { stage } = filter;
  const member = queueRead(filter);
  if (member !== undefined) return startsIn('queue', queueOfMember(member));
  return stage === undefined ? { boardSk: undefined } : startsIn('board', boardOfStage(stage));
}

export async function listInquiries(
  dependencies: ListDependencies,
  filter: InquiryFilter,
  limit: number,
  after: Record<string, unknown> | undefined,
): Promise<InquiryPage> {
  const { table } = dependencies;
  const from = (index: IndexName, pk: string, newestFirst: boolean): Promise<Page> =>
    table.query({ index, pk, newestFirst, limit, ...(after && { after }) });
  const member = queueRead(filter);
  const page =
    member !== undefined
      ? await from('queue', queueOfMember(member), false)
      : filter.stage !== undefined
        ? await from('board', boardOfStage(filter.stage), true)
        : await newestOnBoard(table, limit, after);
  const items = (await headsOf(dependencies, page)).filter(
    (head) =>
      // The index may lag behind the item; what no longer fits is left out.
      (filter.stage === undefined || head.stage === filter.stage) &&
      (filter.assignee === undefined || head.assignedTo === filter.assignee) &&
      (filter.tier === undefined || head.tier === filter.tier),
  );
  return { items, ...(page.next && { next: page.next }) };
}
