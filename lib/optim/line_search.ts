/**
 * A line search for the strong Wolfe conditions (Nocedal and Wright, Numerical Optimization, algorithms 3.5 and 3.6):
 * steps grow until they bracket an acceptable one, and cubic interpolation narrows the bracket down.
 */
import type { Tensor } from "../tensor.js";

/** What is known at one step along the direction. */
export interface Trial {
  readonly step: number;
  readonly loss: number;
  readonly gradient: Tensor;
  /** The derivative of the loss along the direction. */
  readonly slope: number;
}

/** What the search is told. */
export interface Search {
  /** Evaluates the loss at a step. */
  readonly probe: (step: number) => Trial;
  /** Where it starts: step 0, with a negative slope. */
  readonly start: Trial;
  readonly firstStep: number;
  /** The search ends with a bracket whose length times this is below `smallest`: the largest element of the direction. */
  readonly reach: number;
  readonly smallest: number;
}

/** What a step must gain, as a share of what the slope promises. */
const SUFFICIENT_DECREASE = 1e-4;
/** How flat it must be there, as a share of the first slope. */
const CURVATURE = 0.9;
const MOST_PROBES = 25;
/** Each step of the first phase is at least 1.01 and at most 10 times as long as needed to pass the last. */
const LEAST_GROWTH = 0.01;
const MOST_GROWTH = 10;
/** How far from the ends of the bracket a probe must be in the long run, as a share of its length. */
const MARGIN = 0.1;

/** The best trial found, and how many were made. */
export function strongWolfe(search: Search): { best: Trial; probes: number } {
  const { probe, start, reach, smallest } = search;
  // A loss that is no number counts as too high.
  const isTooHigh = ({ step, loss }: Trial): boolean =>
    !(loss <= start.loss + SUFFICIENT_DECREASE * step * start.slope);
  const isFlat = ({ slope }: Trial): boolean => Math.abs(slope) <= -CURVATURE * start.slope;

  let previous = start;
  let current = probe(search.firstStep);
  let probes = 1;
  let bracket: [Trial, Trial] | undefined;
  for (let grown = 0; grown < MOST_PROBES; grown++) {
    if (isTooHigh(current) || (grown > 1 && current.loss >= previous.loss)) {
      bracket = [previous, current];
      break;
    }
    if (isFlat(current)) return { best: current, probes };
    if (current.slope >= 0) {
      bracket = [previous, current];
      break;
    }
    const { step } = current;
    const next = interpolate(previous, current, [
      step + LEAST_GROWTH * (step - previous.step),
      step * MOST_GROWTH,
    ]);
    previous = current;
    current = probe(next);
    probes++;
  }
  let [low, high] = ordered(bracket ?? [start, current]);

  let wasNearEnd = false;
  while (bracket !== undefined && probes <= MOST_PROBES) {
    const [from, to] = [Math.min(low.step, high.step), Math.max(low.step, high.step)];
    if ((to - from) * reach < smallest) break;
    let step = interpolate(low, high);
    const margin = MARGIN * (to - from);
    if (Math.min(to - step, step - from) >= margin) wasNearEnd = false;
    else if (wasNearEnd || step >= to || step <= from) {
      step = Math.abs(step - to) < Math.abs(step - from) ? to - margin : from + margin;
      wasNearEnd = false;
    } else wasNearEnd = true;

    current = probe(step);
    probes++;
    if (isTooHigh(current) || current.loss >= low.loss) {
      [low, high] = ordered([low, current]);
      continue;
    }
    if (isFlat(current)) return { best: current, probes };
    if (current.slope * (high.step - low.step) >= 0) high = low;
    low = current;
  }
  return { best: low, probes };
}

/** The one with the lower loss first. */
const ordered = ([a, b]: [Trial, Trial]): [Trial, Trial] => (b.loss < a.loss ? [b, a] : [a, b]);

/** Where the cubic through two trials and their slopes is least within the bounds; their middle where it is not. */
function interpolate(a: Trial, b: Trial, bounds?: readonly [number, number]): number {
  const [from, to] = bounds ?? [Math.min(a.step, b.step), Math.max(a.step, b.step)];
  const [left, right] = a.step <= b.step ? [a, b] : [b, a];
  const d = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.step - b.step);
  const square = d ** 2 - a.slope * b.slope;
  const root = Math.sqrt(square);
  const share = (right.slope + root - d) / (right.slope - left.slope + 2 * root);
  const step = right.step - (right.step - left.step) * share;
  return square >= 0 && !Number.isNaN(step) ? Math.min(Math.max(step, from), to) : (from + to) / 2;
}
