/** What staff want to have recorded of a person. */
import type { EntryDetails } from '../../shared/domain/timeline.ts';

/** The kinds of entries that staff record by themselves. */
type RecordedKind = 'call' | 'note' | 'email' | 'appointment' | 'consent';
export type WantedEntry = {
  readonly [Kind in RecordedKind]: {
    readonly kind: Kind;
    readonly details: EntryDetails<Kind>;
    readonly inquiryId?: string | undefined;
    /** When it was, where that was before now. */
    readonly at?: string | undefined;
  };
}[RecordedKind];
