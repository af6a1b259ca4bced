/**
 * `node ops/phone-metadata.ts > shared/domain/phone-metadata.ts`: what the phone
 * library knows of the world's numbers without how each country writes them, which
 * is more than half of it and in no bundle of use: numbers are kept in E.164. As a
 * text, which costs a function nothing until the first number is read.
 */
import metadata from 'libphonenumber-js/min/metadata';

type NumberingPlan = readonly unknown[];

/** Where a numbering plan has its formats. */
const formatsAt = 4;

const withoutFormats = (plan: NumberingPlan): NumberingPlan =>
  plan.map((part, at) => (at === formatsAt ? 0 : part));

/** A line for each numbering plan, so that a newer version of the library can be read as a difference. */
export function phoneMetadataText(): string {
  const lines = (plans: object): string =>
    Object.entries(plans)
      .map(([name, plan]) => `  ${JSON.stringify(name)}:${JSON.stringify(withoutFormats(plan))}`)
      .join(',\n');
  const { version, country_calling_codes, countries, nonGeographic } = metadata;
  return `/** Made by \`node ops/phone-metadata.ts\` from libphonenumber-js; see there. */
export const phoneMetadata = String.raw\`{"version":${version},
"country_calling_codes":${JSON.stringify(country_calling_codes)},
"countries":{
${lines(countries)}
},
"nonGeographic":{
${lines(nonGeographic)}
}}\`;
`;
}

if (import.meta.main) process.stdout.write(phoneMetadataText());
