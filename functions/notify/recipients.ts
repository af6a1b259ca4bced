/** Whom staff mails go to. */
import type { Practice } from '../../shared/domain/practice.ts';

/** Addresses of the enabled managers; of the admins where there is none. */
export const managers = ({ members }: Pick<Practice, 'members'>): string[] => {
  const enabled = members.filter((member) => member.enabled);
  const those = enabled.filter((member) => member.role === 'manager');
  return (those.length > 0 ? those : enabled.filter((member) => member.role === 'admin')).map(
    ({ email }) => email,
  );
};

/** The address of a member, or those of the managers where nobody is named, or they are no longer here. */
export function memberOrManagers(
  practice: Pick<Practice, 'members'>,
  memberId: string | undefined,
): string[] {
  const member = practice.members.find(({ id, enabled }) => id === memberId && enabled);
  return member ? [member.email] : managers(practice);
}
