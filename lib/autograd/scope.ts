/**
 * The name of the layer that runs, for whoever searches a graph: nodes keep it, and anomalies tell it. It is empty unless
 * somebody has asked for names (nn/scopes.ts), which costs a call for each layer.
 */

let scope = "";

/** The innermost layer that runs now, or "". */
export const currentScope = (): string => scope;

/** Runs `body` under the name of a layer. */
export function withScope<R>(name: string, body: () => R): R {
  const before = scope;
  scope = name;
  try {
    return body();
  } finally {
    scope = before;
  }
}
