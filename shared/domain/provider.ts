/** The provider recommended beside the coordinator: by specialty, plan, age and open panel. */
import { takesInsurance } from './availability.ts';
import { placeOf } from './place.ts';
import type { Member } from './practice.ts';

/** What of an inquiry says who could treat the person. */
export interface Wanted {
  readonly inquiryId: string;
  readonly serviceId?: string | undefined;
  readonly locationId: string;
  /** The plan, in the person's words. */
  readonly insurance?: string | undefined;
  /** Of the patient, in years. */
  readonly age?: number | undefined;
}

export interface Recommended {
  readonly memberId: string;
  readonly reason: string;
}

function takes({ provider, locations, enabled }: Member, wanted: Wanted): boolean {
  if (!provider || !enabled || provider.openPanel === false) return false;
  const { serviceId, locationId, insurance, age } = wanted;
  const { specialties, insurances, ages } = provider;
  return (
    serviceId !== undefined &&
    specialties.includes(serviceId) &&
    (locations === undefined || locations.includes(locationId)) &&
    (insurance === undefined || insurances === undefined || takesInsurance(insurances, insurance)) &&
    // Whose age is not known may be of any.
    (age === undefined || (age >= (ages?.from ?? 0) && age <= (ages?.to ?? age)))
  );
}

/**
 * Recommends one of the providers who could treat the person; undefined where
 * none could. Of several each is recommended as often, whatever became of those
 * before: it is no assignment, and nothing is counted for it.
 */
export function recommendProvider(members: readonly Member[], wanted: Wanted): Recommended | undefined {
  const able = members.filter((member) => takes(member, wanted));
  const chosen = able[placeOf(wanted.inquiryId, able.length || 1)];
  if (!chosen) return undefined;
  // Neither plan nor age is repeated: a receipt says nothing about the person that the inquiry does not.
  const matched = [
    `provides ${wanted.serviceId}`,
    ...(wanted.insurance === undefined ? [] : ['takes the insurance']),
    ...(wanted.age === undefined ? [] : ['of that age']),
    'open panel',
  ].join(', ');
  return {
    memberId: chosen.id,
    reason: able.length === 1 ? matched : `${matched}; one of ${able.length}`,
  };
}
