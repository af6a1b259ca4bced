import type { FirewallRulePlan } from '../template/api-plan.ts';
import type { Json } from '../template/assembly.ts';

/** What a rule may look at. */
export interface FirewallRequest {
  readonly method: string;
  readonly path: string;
  readonly bodyBytes: number;
}

/** The first rule that blocks a request; undefined lets it pass. */
export const blockingRule = (
  rules: readonly FirewallRulePlan[],
  request: FirewallRequest,
): FirewallRulePlan | undefined => rules.find(({ statement }) => matches(statement, request));

function matches(statement: Json, request: FirewallRequest): boolean {
  const [kind] = Object.keys(statement);
  const inner = statement[kind as string];
  switch (kind) {
    case 'AndStatement':
      return inner.Statements.every((item: Json) => matches(item, request));
    case 'OrStatement':
      return inner.Statements.some((item: Json) => matches(item, request));
    case 'NotStatement':
      return !matches(inner.Statement, request);
    case 'SizeConstraintStatement':
      return compare(inner.ComparisonOperator, request.bodyBytes, Number(inner.Size));
    case 'ByteMatchStatement':
      return matchesText(inner, 'Method' in inner.FieldToMatch ? request.method : request.path);
    default:
      return false;
  }
}

function compare(operator: string, left: number, right: number): boolean {
  switch (operator) {
    case 'GT':
      return left > right;
    case 'GE':
      return left >= right;
    case 'LT':
      return left < right;
    case 'LE':
      return left <= right;
    case 'NE':
      return left !== right;
    default:
      return left === right;
  }
}

function matchesText(
  { SearchString, PositionalConstraint, TextTransformations = [] }: Json,
  text: string,
): boolean {
  const lowers = TextTransformations.some(({ Type }: Json) => Type === 'LOWERCASE');
  const value = lowers ? text.toLowerCase() : text;
  switch (PositionalConstraint) {
    case 'EXACTLY':
      return value === SearchString;
    case 'STARTS_WITH':
      return value.startsWith(SearchString);
    case 'ENDS_WITH':
      return value.endsWith(SearchString);
    default:
      return value.includes(SearchString);
  }
}
