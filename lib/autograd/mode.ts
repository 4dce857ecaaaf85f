/** Whether operations are recorded, and whether they look for NaN. Both hold for this environment (worker). */
import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";

let recording = true;
let watching = false;

/** Whether operations on tensors that require gradients are recorded now. */
export const isGradEnabled = (): boolean => recording;

/** Whether every operation checks its result for NaN now. */
export const isAnomalyDetected = (): boolean => watching;

/** Runs `body` without recording: nothing in it can be differentiated. ArgumentError for an async function. */
export function noGrad<R>(body: () => R): R {
  return withRecording("noGrad", false, body);
}

/** Runs `body` with recording on, also inside `noGrad`. ArgumentError for an async function. */
export function enableGrad<R>(body: () => R): R {
  return withRecording("enableGrad", true, body);
}

/**
 * Runs `body` so that the first operation whose result holds a NaN, forward or backward, throws an AnomalyError
 * that names it. Slow: every result is read. ArgumentError for an async function.
 */
export function detectAnomaly<R>(body: () => R): R {
  return withWatching(true, () => refuseAsync("detectAnomaly", body));
}

/** Runs `body` without the search for NaN, where the caller checks the result as a whole. */
export const unwatched = <R>(body: () => R): R => withWatching(false, body);

function withWatching<R>(value: boolean, body: () => R): R {
  const before = watching;
  watching = value;
  try {
    return body();
  } finally {
    watching = before;
  }
}

function withRecording<R>(name: string, value: boolean, body: () => R): R {
  const before = recording;
  recording = value;
  try {
    return refuseAsync(name, body);
  } finally {
    recording = before;
  }
}

// The flag is one for the whole environment: across an `await` it would leak into whatever runs meanwhile.
function refuseAsync<R>(name: string, body: () => R): R {
  if (typeof body !== "function") {
    throw new ArgumentError(`${name}: needs a function, got ${describe(body)}`);
  }
  const message = `${name}: the function is asynchronous or a generator; the setting would leak into other code while it waits`;
  if (/^Async|Generator/.test(body.constructor.name)) throw new ArgumentError(message);
  const result = body();
  if (!(result instanceof Promise)) return result;
  // What becomes of the promise is nobody's business any more; it must not end the process as unhandled.
  result.catch(() => undefined);
  throw new ArgumentError(message);
}
