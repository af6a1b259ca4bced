/** Whether an inquiry was written by whoever it is about: then what it says of its writer is said of them. */
import { normalizeName } from './contact-point.ts';

export function isByPatient({
  fields: { name, patientName },
  writerId,
}: {
  readonly fields: Readonly<Record<string, string | boolean>>;
  readonly writerId?: string | undefined;
}): boolean {
  const [own, patient] = [name, patientName].map((each) =>
    normalizeName(typeof each === 'string' ? each : ''),
  );
  return writerId === undefined && (patient === '' || patient === own);
}
