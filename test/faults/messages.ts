/** What a run and the process of its system tell each other. */
import type { LocalSystem } from '../../local/system.ts';
import type { FaultKind } from '../../simulation/faults.ts';

/** How a system is to run. */
export interface Wanted {
  readonly home: string;
  readonly synthDir: string;
  readonly practice: string;
  readonly seed: string;
  /** The share of calls that go wrong. */
  readonly rate: number;
  readonly clockAheadMs: number;
  /** A file that takes what is noted, a line each. */
  readonly notes: string;
}

export type Ready = Pick<LocalSystem, 'origin' | 'endpoints' | 'tableName' | 'queueUrls' | 'home'>;

export type Command =
  | { readonly do: 'sweep' }
  /** Kills itself in the middle of a call, so many from now. */
  | { readonly do: 'die'; readonly calls: number; readonly after: boolean };

export interface SentMail {
  readonly to: string;
  readonly subject: string;
  readonly inquiryId: string;
}

export type Noted =
  | { readonly what: 'fault'; readonly kind: FaultKind; readonly operation: string }
  /** A mail that reached the engine; `atMs` by the functions' clock. */
  | { readonly what: 'mail'; readonly mail: SentMail; readonly callId: string; readonly atMs: number }
  /** An inquiry whose mail was written down as sent. */
  | { readonly what: 'marked'; readonly inquiryId: string };
