/** Checks of measured numbers against the lecture's: what was measured, what was needed, and whether it is so. */

/** One number and what it is held against. */
export interface Check {
  /** What was measured. */
  readonly name: string;
  readonly measured: number;
  /** The lecture's value, or the bound. */
  readonly expected: number;
  /** How close it must be, as a person would say it: `± 0.005`, `within a factor of 10`, `at most`. */
  readonly tolerance: string;
  readonly isMet: boolean;
}

/** |measured − expected| ≤ margin. */
export const near = (name: string, measured: number, expected: number, margin: number): Check => ({
  name,
  measured,
  expected,
  tolerance: `± ${shortest(margin)}`,
  isMet: Math.abs(measured - expected) <= margin,
});

/** |measured − expected| ≤ share · |expected|. */
export const relative = (name: string, measured: number, expected: number, share: number): Check => ({
  name,
  measured,
  expected,
  tolerance: share >= 1e-3 ? `± ${shortest(100 * share)} %` : `± ${shortest(share)} relative`,
  isMet: Math.abs(measured - expected) <= share * Math.abs(expected),
});

/** measured between expected/factor and expected·factor. */
export const withinFactor = (name: string, measured: number, expected: number, factor: number): Check => ({
  name,
  measured,
  expected,
  tolerance: `within a factor of ${factor}`,
  isMet: measured >= expected / factor && measured <= expected * factor,
});

/** measured ≤ bound. */
export const atMost = (name: string, measured: number, bound: number): Check => ({
  name,
  measured,
  expected: bound,
  tolerance: "at most",
  isMet: measured <= bound,
});

/** measured ≥ bound. */
export const atLeast = (name: string, measured: number, bound: number): Check => ({
  name,
  measured,
  expected: bound,
  tolerance: "at least",
  isMet: measured >= bound,
});

/** A statement that must hold: 1 for true, 0 for false. */
export const holds = (name: string, isTrue: boolean): Check => ({
  name,
  measured: Number(isTrue),
  expected: 1,
  tolerance: "holds",
  isMet: isTrue,
});

const shortest = (value: number): string => String(Number(value.toPrecision(3)));
