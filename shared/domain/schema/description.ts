/** What a schema says of itself to whoever edits a practice file. */
import * as z from 'zod';

/**
 * Arguments of `register` that describe a schema. `describe` would make a second
 * schema for each, and every function makes all of them as it starts; where a
 * schema is shared and says something else at each place, that is what is wanted.
 */
export const describes = (description: string) => [z.globalRegistry, { description }] as const;
