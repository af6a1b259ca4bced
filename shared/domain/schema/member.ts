/** Who works at the practice. */
import * as z from 'zod';
import { memberDefaults } from '../defaults.ts';
import { describes } from './description.ts';
import { idOf, nameSchema } from './names.ts';

/** What a member may do in the API; a provider is a routing target who seldom signs in. */
const roles = ['coordinator', 'provider', 'manager', 'marketer', 'admin'] as const;

export const memberSchema = z.strictObject({
  id: idOf('member'),
  name: nameSchema,
  email: z
    .email('use an e-mail address such as ana@example.com')
    .max(254)
    .register(...describes('Where mail about inquiries goes; it never holds anything about a patient.')),
  role: z
    .enum(roles)
    .register(...describes('What the member may do. A provider is a routing target who seldom signs in.')),
  signIn: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .register(...describes('User name at the sign-in service; the id where it is left out.')),
  enabled: z
    .boolean()
    .default(memberDefaults.enabled)
    .register(
      ...describes('false for somebody away for long, or gone: they keep their history and get nothing new.'),
    ),
});
export type Member = z.infer<typeof memberSchema>;
