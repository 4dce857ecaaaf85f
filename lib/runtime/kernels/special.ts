/**
 * Functions that `Math` lacks, on float64: erf, gelu, silu, sigmoid, softplus, C99 pow, rounding half to even.
 * Relative errors stay at a few units in the last place of float64 over the whole range, tails included.
 */

// erf(x)/x as a polynomial in x² on |x| ≤ 0.75: the Chebyshev interpolation of its Taylor series.
const ERF = [
  1.1283791670955126, -0.37612638903183754, 0.11283791670955087, -0.02686617064511852, 0.005223977625223246,
  -0.0008548327001223344, 0.00012055331549810692, -1.4925589533723744e-5, 1.6460386405915453e-6,
  -1.633327165692877e-7, 1.4414195873086809e-8, -9.503863762341979e-10,
];
const ERF_SMALL = 0.75;

// (1 + 2x)·exp(x²)·erfc(x) for x ≥ 0.75 as a Chebyshev series in s = (x − 3)/(x + 3), which runs from −0.6 to 1.
const ERFCX = [
  1.2155454789817666, -0.0825008894937801, -0.013346255029719934, 0.01204710868519323, -0.004191454073462824,
  0.0009603190450447282, -0.00014696039247368538, 1.1293517936396767e-5, 8.204784031589882e-7,
  -3.163995190576951e-7, 1.7234608502946935e-8, 5.4112202413239874e-9, -8.096308262865662e-10,
  -8.62321096208514e-11, 2.5447119628642784e-11, 1.4958724579241859e-12, -7.74637950683713e-13,
  -3.517278756038431e-14, 2.4529665292959326e-14, 1.3118618151158504e-15, -8.10332904299704e-16,
  -6.564231398730335e-17, 2.7102290753077808e-17, 3.539184201548409e-18,
];

/** erf(x)/x for |x| ≤ 0.75. */
function erfRatio(x: number): number {
  const z = x * x;
  let sum = ERF[ERF.length - 1];
  for (let k = ERF.length - 2; k >= 0; k--) sum = sum * z + ERF[k];
  return sum;
}

/** exp(x²)·erfc(x) for x ≥ 0.75: Clenshaw's recurrence. */
function scaledErfc(x: number): number {
  const t = ((x - 3) / (x + 3)) * 1.25 - 0.25;
  let b1 = 0;
  let b2 = 0;
  for (let k = ERFCX.length - 1; k > 0; k--) {
    const b0 = 2 * t * b1 - b2 + ERFCX[k];
    b2 = b1;
    b1 = b0;
  }
  return (t * b1 - b2 + ERFCX[0]) / (1 + 2 * x);
}

/** The error function 2/√π ∫₀ˣ exp(−t²) dt. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a <= ERF_SMALL) return x * erfRatio(x);
  if (a > 6) return Math.sign(x);
  const tail = 1 - Math.exp(-a * a) * scaledErfc(a);
  return x < 0 ? -tail : tail;
}

/** x·Φ(x) with Φ the normal distribution function: ½·x·(1 + erf(x/√2)). −∞ gives −0. */
export function gelu(x: number): number {
  const z = Math.abs(x) * Math.SQRT1_2;
  if (z <= ERF_SMALL) return 0.5 * x * (1 + x * Math.SQRT1_2 * erfRatio(z));
  if (x > 0) return 0.5 * x * (1 + erf(z));
  if (x < -40) return -0;
  // The tail is ½·x·erfc(z) = ½·x·scaledErfc(z)·exp(−x²/2). Squaring x would lose the last digits of the
  // exponent, so x = head + rest with head² exact; the square root of exp(−head²/2) is multiplied in twice so
  // that no factor is subnormal before the result is.
  const head = Math.fround(x);
  const root = Math.exp(-0.25 * head * head);
  const rest = Math.exp(-0.5 * (x - head) * (x + head));
  return 0.5 * x * scaledErfc(z) * rest * root * root;
}

/** 1/(1 + exp(−x)). */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** x·sigmoid(x). −∞ gives −0. */
export function silu(x: number): number {
  if (x > -700) return x / (1 + Math.exp(-x));
  if (x < -800) return -0;
  // exp(−x) would overflow and exp(x) be subnormal: the square root of exp(x) is neither.
  const root = Math.exp(0.5 * x);
  return x * root * root;
}

/** log(1 + exp(x)). */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** C99 pow: unlike `**`, 1 to any power (NaN too) is 1, and so is −1 to an infinite one. */
export function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && (y === Infinity || y === -Infinity))) return 1;
  return x ** y;
}

// Adding and subtracting 2⁵² leaves no room for a fraction, so the addition rounds half to even.
const NO_FRACTION = 2 ** 52;

/** The nearest integer, halves to the even one; the sign of zero is kept. */
export function roundHalfEven(x: number): number {
  const a = Math.abs(x);
  if (!(a < NO_FRACTION)) return x;
  const r = a + NO_FRACTION - NO_FRACTION;
  return x < 0 || Object.is(x, -0) ? -r : r;
}
