/**
 * ln, exp, sin and cos with correct rounding: the float64 nearest to the value, but for arguments whose value lies within
 * about 2⁻⁴⁰ units in the last place of the middle of two. `Math` has other last bits in every engine, and a C library in
 * every version. Slow: for tables, and for what is drawn one by one.
 */
import { add, type Double2, divide, multiply, polynomial, twoProduct, twoSum } from "./double_double.js";
import { lazy } from "./lazy.js";

const fraction = (numerator: number, denominator: number): Double2 =>
  divide([numerator, 0], [denominator, 0]);

// 1/(2k + 1): artanh s = s · Σ s²ᵏ/(2k + 1).
const ARTANH = Array.from({ length: 36 }, (_, k) => fraction(1, 2 * k + 1));
// 1/k!
const FACTORIALS: Double2[] = [[1, 0]];
for (let k = 1; k < 30; k++) FACTORIALS.push(divide(FACTORIALS[k - 1], [k, 0]));
const signed = (k: number, value: Double2): Double2 => (k % 2 === 0 ? value : [-value[0], -value[1]]);
const SIN = Array.from({ length: 14 }, (_, k) => signed(k, FACTORIALS[2 * k + 1]));
const COS = Array.from({ length: 14 }, (_, k) => signed(k, FACTORIALS[2 * k]));
const EXP = FACTORIALS.slice(0, 16);

const double = ([high, low]: Double2): Double2 => [2 * high, 2 * low];

/** 2·artanh(a/b). */
function logRatio(a: Double2, b: Double2, terms: readonly Double2[]): Double2 {
  const s = divide(a, b);
  return double(multiply(s, polynomial(terms, multiply(s, s))));
}

const LN2 = logRatio([1, 0], [3, 0], ARTANH);

// ln(c/64) for the c of which the interval [√½, √2) is made; a rest below 1/90 needs few terms.
const CENTERS = 64;
const centerLogs = lazy(() =>
  Array.from(
    { length: 92 },
    (_, c): Double2 => (c < 45 ? [0, 0] : logRatio([c - CENTERS, 0], [c + CENTERS, 0], ARTANH.slice(0, 24))),
  ),
);
const LOG_TERMS = ARTANH.slice(0, 8);

const asDouble = new Float64Array(1);
const bits = new BigUint64Array(asDouble.buffer);
const FRACTION_BITS = 52n;
const FRACTION = (1n << FRACTION_BITS) - 1n;
const ONE_HALF = 1022n << FRACTION_BITS;

/** ln x for a normal x > 0. */
export function log(x: number): number {
  asDouble[0] = x;
  let exponent = Number(bits[0] >> FRACTION_BITS) - 1022;
  bits[0] = (bits[0] & FRACTION) | ONE_HALF;
  let m = asDouble[0]; // in [1/2, 1)
  if (m < Math.SQRT1_2) {
    m *= 2;
    exponent--;
  }
  const index = Math.round(m * CENTERS);
  const center = index / CENTERS;
  const rest = logRatio([m - center, 0], twoSum(m, center), LOG_TERMS);
  return add(add(multiply([exponent, 0], LN2), centerLogs()[index]), rest)[0];
}

const HALVINGS = 4;

/** exp x for |x| < 700. */
export function exp(x: number): number {
  const k = Math.round(x / LN2[0]);
  const r = add([x, 0], multiply([-k, 0], LN2));
  const scale = 2 ** -HALVINGS;
  let power = polynomial(EXP, [r[0] * scale, r[1] * scale]);
  for (let i = 0; i < HALVINGS; i++) power = multiply(power, power);
  return power[0] * 2 ** k;
}

// π/2 in three parts; the first two have 33 bits, so their products with small integers are exact.
const HALF_PI = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21] as const;

/** x = quarter·π/2 + y with |y| ≤ π/4, for x in [0, 7). */
function reduced(x: number): { quarter: number; y: Double2 } {
  const quarter = Math.round(x / (Math.PI / 2));
  const [high, low] = twoSum(x - quarter * HALF_PI[0], -quarter * HALF_PI[1]);
  return { quarter, y: add([high, low], twoProduct(-quarter, HALF_PI[2])) };
}

/** sin of y + turns·π/2. */
function sinOf(y: Double2, turns: number): number {
  const z = multiply(y, y);
  const value = turns % 2 === 0 ? multiply(y, polynomial(SIN, z)) : polynomial(COS, z);
  return turns % 4 < 2 ? value[0] : -value[0];
}

/** sin x for x in [0, 7). */
export function sin(x: number): number {
  const { quarter, y } = reduced(x);
  return sinOf(y, quarter);
}

/** cos x for x in [0, 7). */
export function cos(x: number): number {
  const { quarter, y } = reduced(x);
  return sinOf(y, quarter + 1);
}
