/**
 * The lecture's numbers that experiments are held against: the quadratic, iterates of every rule on it (worked out in
 * float64 by another program), and the measurements at initialization. No experiment is given its result from here.
 */

/** A point of the plane. */
export type Point = readonly [number, number];

/** The quadratic f(θ) = ½θᵀPθ. */
export const P: readonly [Point, Point] = [
  [1.63, 1.82],
  [1.82, 4.28],
];

/** Where every path begins. */
export const START: Point = [4, -4];

/** The largest eigenvalue of P. */
export const LAMBDA_MAX = 5.206227442974166;

/** Updates in a path. */
export const UPDATES = 30;

/** Iterates by the number of updates before them. */
export type Iterates = Readonly<Record<number, Point>>;

const iterates = (first: Point, second: Point, third: Point, last: Point): Iterates => ({
  1: first,
  2: second,
  3: third,
  [UPDATES]: last,
});

/** Iterates 1, 2, 3 and 30 of the rules. */
export const ITERATES = {
  /** Gradient descent, α 0.35. */
  gradientDescent: iterates(
    [4.266, -0.556],
    [2.1864190000000003, -2.4405539999999997],
    [2.4936998585, -0.17735301100000056],
    [-0.0012412171930931883, -0.004891853045776199],
  ),
  /** α 0.05. */
  slowGradientDescent: iterates(
    [4.038, -3.508],
    [4.028131, -3.124746],
    [3.9841902095000004, -2.822610277],
    [1.6366222210278547, -0.8331350955100354],
  ),
  /** α 0.39, beyond 2/λ_max. */
  divergingGradientDescent: iterates(
    [4.2964, -0.16239999999999988],
    [1.6804500399999998, -2.9409066400000006],
    [2.6996434826440003, 0.7752712850960011],
    [-1.9512172596644533, -3.8348470459811974],
  ),
  /** Newton, α 1. */
  newton: iterates(
    [-8.881784197001252e-16, 0.0],
    [1.9721522630525295e-31, -9.796171175643028e-32],
    [-8.758115402030107e-47, 4.3790577010150533e-47],
    [0.0, 0.0],
  ),
  /** Newton, α 0.5. */
  dampedNewton: iterates(
    [1.9999999999999996, -2.0],
    [0.9999999999999991, -0.9999999999999998],
    [0.4999999999999993, -0.4999999999999998],
    [3.7252902984618702e-9, -3.725290298461896e-9],
  ),
  /** Momentum u ← βu + ∇f, α 0.1, β 0.7. */
  classicMomentum: iterates(
    [4.0760000000000005, -3.016],
    [4.013724000000001, -1.778184],
    [3.6395232760000007, -0.881147816],
    [0.02550525998434222, -0.015609927122425619],
  ),
  /** u ← βu + (1 − β)∇f, α 0.35, β 0.7. */
  averagedMomentum: iterates(
    [4.0798, -2.9668],
    [4.00435771, -1.68992986],
    [3.5891478811795, -0.8018990412969998],
    [0.02159996979933025, -0.01872708760942071],
  ),
  /** The same over 1 − βᵏ. */
  unbiasedMomentum: iterates(
    [4.266, -0.556],
    [3.1522464705882354, -0.24644352941176473],
    [1.7975712271017998, -0.8265514721998389],
    [0.01088101045925435, -0.003775680599134263],
  ),
  /** Nesterov u ← βu + ∇f(θ − αβu), α 0.1, β 0.7. */
  firstNesterov: iterates(
    [4.0760000000000005, -3.016],
    [3.8796908000000006, -2.0826728],
    [3.3924242036400005, -1.49867856424],
    [0.006128985016346478, -0.0031191370970238704],
  ),
  /** The same with α 0.35. */
  divergingNesterov: iterates(
    [4.266, -0.556],
    [0.7307123000000004, -3.7597417999999996],
    [3.074460681064999, 4.100096858209998],
    [-6189203.421567252, -12161537.981291657],
  ),
  /** Nesterov u ← βu + (1 − β)∇f(θ − αu), α 0.35, β 0.7. */
  secondNesterov: iterates(
    [4.0798, -2.9668],
    [3.79325542, -2.16949972],
    [3.2547279667180002, -1.664855537188],
    [0.0023116045615538833, -0.0011764129578393464],
  ),
  /** Adam without correction, α 0.6, β₁ 0.7, β₂ 0.8, ε 1e-8. */
  uncorrectedAdam: iterates(
    [4.402492224107857, -3.597507764964672],
    [4.360498784910212, -3.0974885488797077],
    [3.9936829274963928, -2.564909648462132],
    [0.07541777084803764, -0.021053987164872598],
  ),
  /** The same with correction. */
  adam: iterates(
    [4.599999992105263, -3.400000000609756],
    [4.350384642782484, -2.8246004995818743],
    [3.8970091634333923, -2.280933866769921],
    [0.05161096397352079, -0.040032320367085],
  ),
} satisfies Record<string, Iterates>;

/** One draw of the network of depth 50, by its factor c: norms at some layers. */
export interface DeepMeasurement {
  readonly c: number;
  /** Growth of the activations' norm per layer. */
  readonly growth: number;
  /** ‖∇W‖ at layers 1, 25 and 50. */
  readonly weightGradients: readonly [number, number, number];
  /** ‖∂loss/∂Z‖ at layers 1 and 49. */
  readonly errors: readonly [number, number];
}

/** The lecture's table for the network of depth 50. */
export const DEEP: readonly DeepMeasurement[] = [
  { c: 1, growth: 0.714, weightGradients: [3.1e-8, 8.4e-9, 1.2e-8], errors: [3.3e-9, 7.7e-2] },
  { c: 2, growth: 1.009, weightGradients: [0.8, 0.35, 0.43], errors: [0.083, 0.11] },
  { c: 3, growth: 1.236, weightGradients: [3.4e4, 3.1e4, 5.3e4], errors: [3.1e3, 0.18] },
];
