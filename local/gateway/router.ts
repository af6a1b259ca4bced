import type { RoutePlan } from '../template/api-plan.ts';

/** A route found for a request, with its path parameters as they stood in the address. */
export interface RouteMatch {
  readonly route: RoutePlan;
  readonly pathParameters: Record<string, string>;
}

interface Node {
  readonly fixed: Map<string, Node>;
  parameter?: { readonly name: string; readonly node: Node };
  /** Takes the rest of the path: `{name+}`. */
  greedy?: { readonly name: string; readonly node: Node };
  readonly methods: Map<string, RoutePlan>;
}

const newNode = (): Node => ({ fixed: new Map(), methods: new Map() });

/** Finds the route of a request as API Gateway does: fixed parts of a path before parameters. */
export function createRouter(
  routes: readonly RoutePlan[],
): (method: string, path: string) => RouteMatch | undefined {
  const root = newNode();
  for (const route of routes) {
    let node = root;
    for (const part of route.path.split('/').filter(Boolean)) node = childFor(node, part);
    node.methods.set(route.method, route);
  }

  return (method, path) => {
    const parts = path.split('/');
    parts.shift();
    // API Gateway takes `/path/` for `/path`.
    if (parts.at(-1) === '') parts.pop();
    const pathParameters: Record<string, string> = {};
    let node: Node = root;
    for (const [position, part] of parts.entries()) {
      const fixed = node.fixed.get(part);
      if (fixed) {
        node = fixed;
      } else if (node.parameter && part !== '') {
        pathParameters[node.parameter.name] = part;
        node = node.parameter.node;
      } else if (node.greedy) {
        pathParameters[node.greedy.name] = parts.slice(position).join('/');
        node = node.greedy.node;
        break;
      } else {
        return undefined;
      }
    }
    const route = node.methods.get(method) ?? node.methods.get('ANY');
    return route && { route, pathParameters };
  };
}

function childFor(node: Node, part: string): Node {
  const [, name, plus] = /^\{([^}+]+)(\+?)\}$/.exec(part) ?? [];
  if (name && plus) {
    node.greedy ??= { name, node: newNode() };
    return node.greedy.node;
  }
  if (name) {
    node.parameter ??= { name, node: newNode() };
    return node.parameter.node;
  }
  const existing = node.fixed.get(part);
  if (existing) return existing;
  const child = newNode();
  node.fixed.set(part, child);
  return child;
}
