/**
 * Templates in Liquid: filled in with the few values that there are, within
 * limits, and with no way to a file. An unknown variable is an error, not a gap.
 */
import { Liquid, type Template as Parsed } from 'liquidjs';
import { messageVariables, subjectVariables, type Template, type TemplateVersion } from './template.ts';

const safe = {
  strictVariables: true,
  strictFilters: true,
  // Values are plain data: nothing that objects inherit is to be had.
  ownPropertyOnly: true,
  // `include` and `render` look here, and find nothing.
  templates: {},
  parseLimit: 50_000,
  renderLimit: 250,
  memoryLimit: 1_000_000,
};
const plain = new Liquid(safe);
const markup = new Liquid({ ...safe, outputEscape: 'escape' });
// What takes a value out of the escaping.
delete markup.filters['raw'];

type Values = Readonly<Record<string, string>>;

const mostKept = 1_000;
/** Fills in templates. They are configuration, filled in again and again: each is parsed once. */
function filler(engine: Liquid): (template: string, values: Values) => string {
  const parsed = new Map<string, Parsed[]>();
  return (template, values) => {
    const known = parsed.get(template) ?? engine.parse(template);
    if (parsed.size >= mostKept) parsed.clear();
    parsed.set(template, known);
    return engine.renderSync(known, values);
  };
}

/** A text filled in. @throws Error where it is no template, or takes too much */
export const fillText = filler(plain);

/** Markup filled in: every value is escaped. @throws Error likewise */
export const fillMarkup = filler(markup);

/** A mistake in one part of a template's version. */
export interface TemplateMistake {
  readonly part: keyof TemplateVersion;
  readonly reason: string;
}

const tagOf = (reason: string): string => reason.split(/, (?:file|line):/u, 1)[0] ?? reason;

function mistakeIn(
  engine: Liquid,
  part: keyof TemplateVersion,
  text: string,
  allowed: readonly string[],
): TemplateMistake[] {
  try {
    const parsed = engine.parse(text);
    const unknown = engine
      .globalVariablesSync(parsed, { partials: false })
      .filter((name) => !allowed.includes(name));
    if (unknown.length > 0) {
      return [
        { part, reason: `has ${unknown.join(', ')}: only ${allowed.join(', ')} can be filled in here` },
      ];
    }
    engine.renderSync(parsed, Object.fromEntries(messageVariables.map((name) => [name, name])));
    return [];
  } catch (error) {
    return [{ part, reason: `is no template: ${tagOf(error instanceof Error ? error.message : '')}` }];
  }
}

/** What is wrong with one version of a template. */
export const mistakesOf = ({
  subject,
  preview,
  text,
  html,
}: Template['versions'][string]): TemplateMistake[] => [
  ...mistakeIn(plain, 'subject', subject, subjectVariables),
  ...(preview === undefined ? [] : mistakeIn(plain, 'preview', preview, subjectVariables)),
  ...mistakeIn(plain, 'text', text, messageVariables),
  ...(html === undefined ? [] : mistakeIn(markup, 'html', html, messageVariables)),
];
