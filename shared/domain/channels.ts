/** How an inquiry can reach the practice. */
export const channels = [
  'web_form',
  'chat',
  'phone_call',
  'missed_call',
  'referral',
  'directory',
  'ad_form',
  'walk_in',
  'email',
  'import',
] as const;
export type Channel = (typeof channels)[number];
