/**
 * ln x with the bits of glibc 2.28 and later on x86-64 processors with FMA: the algorithm of S. Nagy (Arm), within 0.52 ULP
 * of the value. x = 2ᵏ·z, and z lies near the middle of one of 128 intervals, at which ln is known; the rest is a
 * polynomial. The products and sums that the compiler has contracted are fused here too. On other processors the C library
 * rounds more of them, and gives the other of two neighbours for a few arguments in a thousand.
 */
import { fmaDouble } from "./fused.js";
import { lazy } from "./lazy.js";
import { log as nearestLog } from "./rounded.js";

const INTERVALS = 128;
// Intervals begin at 0.6875, so that 1 is where one of them begins: 80 halves of [0.5, 1) and 48 of [1, 2).
const FIRST = 0.6875;

/**
 * About 1/c for the middle c of each interval: so many units in the last place away from the float64 nearest to it. They
 * were found by search, so that ln of them is close to a multiple of 2⁻⁴³; nothing shorter defines them.
 */
// biome-ignore format: a table
const OFFSETS = [
  -23142382, -57643754, -234334839, -124664804, 19045012, -123323398, -501163255, 342479926, -234593306,
  57421184, 513617488, -240891478, 85169741, 28659150, 284053799, 342563057, -68420459, -346144712,
  -90113766, -464022980, 285342708, -489548825, 376054848, 47397812, -423637851, -260988534, 336107021,
  448241578, 154177355, 447893384, 241227555, -420636714, -218426730, -96876684, -205835218, -368178198,
  -345128710, -510284502, 481763731, 209336112, 429336310, 15489329, 442353177, -417834330, 73183371,
  515232680, 507984536, 83787275, 330409952, 151596684, 377744204, 198302857, 214798271, -345957716,
  356163107, 215510022, -229897960, -131709726, 215213618, -464519207, -332821996, 385780520, -400344786,
  256208139, 478356527, 345720337, 128466877, 217515751, -162048343, 295127580, -235892775, -69369347,
  93666841, -272860130, 91915174, 29018059, 258893229, 386009280, -241633007, 68399381, 386341370, 408940642,
  65060217, -120872168, 189498853, -32395328, -49955913, 154042178, -346113480, 148348366, -396488327,
  -427431396, 107119491, -500798201, 212184347, 305888811, -330297730, -91422864, 6707636, 273897542,
  -512931067, -500150233, 485589437, -280752730, 106848032, 30953893, -291342514, -408884927, 149302919,
  -107851081, 225432558, 460497078, -452391632, -490679353, 508304210, 493208081, 336502878, 526975298,
  -457361038, -312310462, -365194252, -421357131, 362015322, 310793228, -441535439, -69145545, -528727990,
  433364383,
];

/** Multiples of this, times exponents added, are exact in float64. */
const GRID = 2 ** -43;

const RECIPROCALS = Float64Array.from(OFFSETS, (offset, i) => {
  const middle = i < 80 ? FIRST + (i + 0.5) / 256 : 1 + (i - 80 + 0.5) / INTERVALS;
  const nearest = 1 / middle;
  const unit = 2 ** (nearest < 1 ? -53 : -52);
  return nearest + offset * unit;
});
const logs = lazy(() => RECIPROCALS.map((reciprocal) => Math.round(-nearestLog(reciprocal) / GRID) * GRID));

// ln 2 in two parts, the first a multiple of the grid.
const LN2_HIGH = 0.6931471805598903;
const LN2_LOW = 5.497923018708371e-14;
// Minimax polynomials of ln(1 + r): for |r| < 1/256, from r² on; near x = 1, from r³ on.
const [A0, A1, A2, A3, A4] = [
  -0.5000000000000001, 0.33333333331825593, -0.2499999999622955, 0.20000304511814496, -0.16667054827627667,
];
const [B1, B2, B3, B4, B5, B6, B7, B8, B9, B10] = [
  0.3333333333333352, -0.24999999999998432, 0.19999999999320328, -0.16666666669929706, 0.14285715076560868,
  -0.12499997863982555, 0.11110712032936046, -0.10000486757818193, 0.09181994006195467, -0.08328363062289341,
];
// Where the second one is used.
const NEAR_LOW = 1 - 2 ** -4;
const NEAR_HIGH = 1 + 265 / 4096;

const asDouble = new Float64Array(1);
const words = new Uint32Array(asDouble.buffer);
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** ln x for a normal x > 0. */
export function log(x: number): number {
  if (x >= NEAR_LOW && x < NEAR_HIGH) return nearOne(x - 1);
  asDouble[0] = x;
  const distance = (words[HIGH] - 0x3fe60000) | 0;
  const k = distance >> 20;
  const interval = (distance >> 13) & (INTERVALS - 1);
  words[HIGH] -= k << 20;
  const z = asDouble[0];
  const r = fmaDouble(z, RECIPROCALS[interval], -1);
  const w = k * LN2_HIGH + logs()[interval];
  const high = r + w;
  const r2 = r * r;
  const low = fmaDouble(r2, A0, fmaDouble(k, LN2_LOW, w - high + r));
  const p = fmaDouble(fmaDouble(r, A4, A3), r2, fmaDouble(A2, r, A1));
  return fmaDouble(r * r2, p, low) + high;
}

/** ln(1 + r) where the result is small; the first two terms are summed with twice the precision. */
function nearOne(r: number): number {
  if (r === 0) return 0;
  const r2 = r * r;
  const r3 = r * r2;
  const first = fmaDouble(r2, B3, fmaDouble(B2, r, B1));
  const second = fmaDouble(r2, B6, fmaDouble(B5, r, B4));
  const third = fmaDouble(r3, B10, fmaDouble(r2, B9, fmaDouble(B8, r, B7)));
  const p = fmaDouble(fmaDouble(third, r3, second), r3, first);
  const upper = fmaDouble(-(2 ** 27), r, fmaDouble(r, 2 ** 27, r));
  const square = upper * upper;
  const high = r - 0.5 * square;
  const low = fmaDouble(-0.5 * (r - upper), r + upper, r - high - 0.5 * square);
  return fmaDouble(p, r3, low) + high;
}
