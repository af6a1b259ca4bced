/** How a rule compares: the operators, whatever the type of a field. */

/** Operators by name; which a field takes is a matter of its type (`fields.ts`). */
export const operators = [
  // text
  'is',
  'is_not',
  'contains',
  'contains_not',
  /** Whole words or phrases, any of a list. */
  'has_words',
  'starts_with',
  // choices and lists
  'in',
  'not_in',
  'has',
  'has_any',
  'has_all',
  'has_none',
  // numbers
  'equals',
  'less_than',
  'at_most',
  'more_than',
  'at_least',
  'between',
  // dates and times
  'before',
  'after',
  'on',
  // anything that may be absent
  'present',
  'absent',
] as const;
export type Operator = (typeof operators)[number];
