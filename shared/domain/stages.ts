/** The few words that everything about an inquiry shares: its stage, why it was closed, its tier. */

/** How far the person has come. Booked and closed are ends; both can be taken back. */
export const stages = ['new', 'contacted', 'consult', 'booked', 'closed'] as const;
export type Stage = (typeof stages)[number];

export const closeReasons = [
  'not_interested',
  'no_response',
  'not_eligible',
  'referred_out',
  'duplicate',
  'spam',
] as const;
export type CloseReason = (typeof closeReasons)[number];

/** Best first. */
export const tiers = ['A', 'B', 'C'] as const;
export type Tier = (typeof tiers)[number];
