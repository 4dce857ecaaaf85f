/**
 * The kernel table: one row per kernel and set of element types, the same rows as native/kernels.def (a test
 * compares them). Names, numbers and version of all kernels follow from it.
 */
import * as binary from "./kernels/binary.js";
import * as cast from "./kernels/cast.js";
import type { MapFactory, MapLoop } from "./kernels/elementwise.js";
import { fused } from "./kernels/fused.js";
import * as gather from "./kernels/gather.js";
import * as loss from "./kernels/loss.js";
import { matmul } from "./kernels/matmul.js";
import { matmulFused } from "./kernels/matmul_fused.js";
import * as norm from "./kernels/norm.js";
import * as optim from "./kernels/optim.js";
import * as random from "./kernels/random.js";
import * as reduce from "./kernels/reduce.js";
import * as softmax from "./kernels/softmax.js";
import * as unary from "./kernels/unary.js";
import { parseSignature, type Signature, substituteType } from "./signature.js";
import { type Kernel, type KernelFactory, STORAGE_OF_LETTER, type StorageType } from "./types.js";

interface Row<DTypes extends string, Factory extends KernelFactory = KernelFactory> {
  /** Letters of STORAGE_OF_LETTER. */
  readonly dtypes: DTypes;
  readonly signature: string;
  readonly scalars: string;
  readonly factory: Factory;
}

const row = <const DTypes extends string, Factory extends KernelFactory>(
  dtypes: DTypes,
  signature: string,
  scalars: string,
  factory: Factory,
): Row<DTypes, Factory> => ({ dtypes, signature, scalars, factory });

/** The rows by name: element types of T, signature, scalars, and what makes the kernel for one T. */
export const ROWS = {
  // elementwise: copies and conversions
  cast_from_f32: row("FDIUL", "f32[S] -> T[S]", "", cast.castFrom("f32")),
  cast_from_f64: row("FDIUL", "f64[S] -> T[S]", "", cast.castFrom("f64")),
  cast_from_i32: row("FDIUL", "i32[S] -> T[S]", "", cast.castFrom("i32")),
  cast_from_u8: row("FDIUL", "u8[S] -> T[S]", "", cast.castFrom("u8")),
  cast_from_i64: row("FDIUL", "i64[S] -> T[S]", "", cast.castFrom("i64")),
  to_bool: row("FDIUL", "T[S] -> u8[S]", "", cast.toBool),
  fill: row("FDIUL", "-> T[S]", "value", cast.fill),

  // elementwise: one argument
  neg: row("FDI", "T[S] -> T[S]", "", unary.neg),
  abs: row("FDI", "T[S] -> T[S]", "", unary.abs),
  sign: row("FDI", "T[S] -> T[S]", "", unary.sign),
  square: row("FDI", "T[S] -> T[S]", "", unary.square),
  sqrt: row("FD", "T[S] -> T[S]", "", unary.sqrt),
  rsqrt: row("FD", "T[S] -> T[S]", "", unary.rsqrt),
  reciprocal: row("FD", "T[S] -> T[S]", "", unary.reciprocal),
  floor: row("FD", "T[S] -> T[S]", "", unary.floor),
  ceil: row("FD", "T[S] -> T[S]", "", unary.ceil),
  round: row("FD", "T[S] -> T[S]", "", unary.round),
  trunc: row("FD", "T[S] -> T[S]", "", unary.trunc),
  exp: row("FD", "T[S] -> T[S]", "", unary.exp),
  expm1: row("FD", "T[S] -> T[S]", "", unary.expm1),
  log: row("FD", "T[S] -> T[S]", "", unary.log),
  log1p: row("FD", "T[S] -> T[S]", "", unary.log1p),
  sin: row("FD", "T[S] -> T[S]", "", unary.sin),
  cos: row("FD", "T[S] -> T[S]", "", unary.cos),
  tan: row("FD", "T[S] -> T[S]", "", unary.tan),
  tanh: row("FD", "T[S] -> T[S]", "", unary.tanh),
  erf: row("FD", "T[S] -> T[S]", "", unary.erf),
  sigmoid: row("FD", "T[S] -> T[S]", "", unary.sigmoid),
  softplus: row("FD", "T[S] -> T[S]", "", unary.softplus),
  gelu: row("FD", "T[S] -> T[S]", "", unary.gelu),
  silu: row("FD", "T[S] -> T[S]", "", unary.silu),
  relu: row("FD", "T[S] -> T[S]", "", unary.relu),
  leaky_relu: row("FD", "T[S] -> T[S]", "slope", unary.leakyRelu),
  clip: row("FDI", "T[S] -> T[S]", "low high", unary.clip),
  is_nan: row("FD", "T[S] -> u8[S]", "", unary.isNan),
  is_finite: row("FD", "T[S] -> u8[S]", "", unary.isFiniteNumber),
  logical_not: row("U", "T[S] -> T[S]", "", unary.logicalNot),

  // elementwise: two and three arguments
  add: row("FDI", "T[S], T[S] -> T[S]", "", binary.add),
  sub: row("FDI", "T[S], T[S] -> T[S]", "", binary.sub),
  mul: row("FDI", "T[S], T[S] -> T[S]", "", binary.mul),
  div: row("FD", "T[S], T[S] -> T[S]", "", binary.div),
  pow: row("FD", "T[S], T[S] -> T[S]", "", binary.pow),
  maximum: row("FDI", "T[S], T[S] -> T[S]", "", binary.maximum),
  minimum: row("FDI", "T[S], T[S] -> T[S]", "", binary.minimum),
  relu_grad: row("FD", "T[S], T[S] -> T[S]", "", binary.reluGrad),
  leaky_relu_grad: row("FD", "T[S], T[S] -> T[S]", "slope", binary.leakyReluGrad),
  eq: row("FDIU", "T[S], T[S] -> u8[S]", "", binary.eq),
  ne: row("FDIU", "T[S], T[S] -> u8[S]", "", binary.ne),
  lt: row("FDIU", "T[S], T[S] -> u8[S]", "", binary.lt),
  le: row("FDIU", "T[S], T[S] -> u8[S]", "", binary.le),
  gt: row("FDIU", "T[S], T[S] -> u8[S]", "", binary.gt),
  ge: row("FDIU", "T[S], T[S] -> u8[S]", "", binary.ge),
  logical_and: row("U", "T[S], T[S] -> T[S]", "", binary.logicalAnd),
  logical_or: row("U", "T[S], T[S] -> T[S]", "", binary.logicalOr),
  logical_xor: row("U", "T[S], T[S] -> T[S]", "", binary.logicalXor),
  where: row("FDIUL", "u8[S], T[S], T[S] -> T[S]", "", binary.where),

  // reductions over R for every element of O
  sum: row("FDI", "T[OR] -> T[O]", "", reduce.sum),
  prod: row("FDI", "T[OR] -> T[O]", "", reduce.prod),
  max: row("FDIU", "T[OR] -> T[O]", "", reduce.max),
  min: row("FDIU", "T[OR] -> T[O]", "", reduce.min),
  mean: row("FD", "T[OR] -> T[O]", "", reduce.mean),
  var: row("FD", "T[OR] -> T[O]", "correction", reduce.variance),
  logsumexp: row("FD", "T[OR] -> T[O]", "", reduce.logsumexp),
  argmax: row("FDI", "T[OR] -> i32[O]", "", reduce.argmax),
  argmin: row("FDI", "T[OR] -> i32[O]", "", reduce.argmin),

  // matrix product, batched over B
  matmul: row("FDI", "T[Bmk], T[Bkn] -> T[Bmn]", "", matmul),
  matmul_fused: row(
    "FD",
    "T[Bmk], T[Bkn], u8[Bmn]*, T[Bmn]* -> T[Bmn]*",
    "code*",
    matmulFused((number) => KERNELS[number]),
  ),

  // softmax over the last axis, and its losses
  softmax: row("FD", "T[Bn] -> T[Bn]", "", softmax.softmax),
  softmax_grad: row("FD", "T[Bn], T[Bn] -> T[Bn]", "", softmax.softmaxGrad),
  log_softmax: row("FD", "T[Bn] -> T[Bn]", "", softmax.logSoftmax),
  log_softmax_grad: row("FD", "T[Bn], T[Bn] -> T[Bn]", "", softmax.logSoftmaxGrad),
  cross_entropy: row(
    "FD",
    "T[bc], i32[b], T[c] -> T[b], T[b], T[b], T[b]",
    "label_smoothing ignore_index",
    loss.crossEntropy,
  ),
  cross_entropy_grad: row(
    "FD",
    "T[b], T[bc], i32[b], T[c], T[b], T[b] -> T[bc]",
    "label_smoothing ignore_index",
    loss.crossEntropyGrad,
  ),

  // normalization
  layer_norm: row("FD", "T[Bn], T[n], T[n] -> T[Bn], T[B], T[B]", "eps", norm.layerNorm),
  layer_norm_grad: row("FD", "T[Bn], T[Bn], T[n], T[B], T[B] -> T[Bn], T[n], T[n]", "", norm.layerNormGrad),
  batch_norm: row("FD", "T[bcl], T[c], T[c] -> T[bcl], T[c], T[c]", "eps", norm.batchNorm),
  batch_norm_grad: row(
    "FD",
    "T[bcl], T[bcl], T[c], T[c], T[c] -> T[bcl], T[c], T[c]",
    "eps",
    norm.batchNormGrad,
  ),

  // rows by index
  gather: row("FDIUL", "T[nd], i32[i] -> T[id]", "", gather.gather),
  scatter_add: row("FDI", "i32[i], T[id] -> &T[nd]", "", gather.scatterAdd),

  // optimizer updates in place
  sgd: row("FD", "T[e] -> &T[e]", "lr weight_decay maximize", optim.sgd),
  sgd_momentum: row(
    "FD",
    "T[e] -> &T[e], &T[e]",
    "lr momentum dampening weight_decay nesterov maximize first",
    optim.sgdMomentum,
  ),
  look_ahead: row("FD", "T[e] -> &T[e], &T[e]", "scale", optim.lookAhead),
  nesterov: row(
    "FD",
    "T[e] -> &T[e], &T[e], &T[e]",
    "lr momentum dampening weight_decay maximize",
    optim.nesterov,
  ),
  muon_momentum: row("FD", "T[e] -> &T[e], &T[e]", "momentum nesterov maximize", optim.muonMomentum),
  adam: row(
    "FD",
    "T[e] -> &T[e], &T[e], &T[e]",
    "lr beta1 beta2 eps weight_decay decoupled maximize correction1 correction2",
    optim.adam,
  ),
  amsgrad: row(
    "FD",
    "T[e] -> &T[e], &T[e], &T[e], &T[e]",
    "lr beta1 beta2 eps weight_decay decoupled maximize correction1 correction2",
    optim.amsgrad,
  ),
  nadam: row(
    "FD",
    "T[e] -> &T[e], &T[e], &T[e]",
    "gradient_rate momentum_rate beta1 beta2 eps decay decoupled maximize correction2 adaptive",
    optim.nadam,
  ),
  adamax: row(
    "FD",
    "T[e] -> &T[e], &T[e], &T[e]",
    "lr beta1 beta2 eps weight_decay maximize correction1",
    optim.adamax,
  ),
  adagrad: row("FD", "T[e] -> &T[e], &T[e]", "lr eps weight_decay maximize", optim.adagrad),
  adadelta: row("FD", "T[e] -> &T[e], &T[e], &T[e]", "lr rho eps weight_decay maximize", optim.adadelta),
  rmsprop: row("FD", "T[e] -> &T[e], &T[e]", "lr alpha eps weight_decay maximize", optim.rmsprop),
  rmsprop_momentum: row(
    "FD",
    "T[e] -> &T[e], &T[e], &T[e]",
    "lr alpha eps weight_decay maximize momentum",
    optim.rmspropMomentum,
  ),
  rmsprop_centered: row(
    "FD",
    "T[e] -> &T[e], &T[e], &T[e]",
    "lr alpha eps weight_decay maximize",
    optim.rmspropCentered,
  ),
  rmsprop_centered_momentum: row(
    "FD",
    "T[e] -> &T[e], &T[e], &T[e], &T[e]",
    "lr alpha eps weight_decay maximize momentum",
    optim.rmspropCenteredMomentum,
  ),
  lion: row("FD", "T[e] -> &T[e], &T[e]", "lr beta1 beta2 weight_decay maximize", optim.lion),

  // random numbers from Philox4x32-10
  philox_uniform: row(
    "FD",
    "-> T[S]",
    "seed_low seed_high offset_low offset_high low high",
    random.philoxUniform,
  ),
  philox_normal: row(
    "FD",
    "-> T[S]",
    "seed_low seed_high offset_low offset_high mean std",
    random.philoxNormal,
  ),
  dropout_mask: row("FD", "-> T[S]", "seed_low seed_high offset_low offset_high p", random.dropoutMask),

  // chains of elementwise operations and folds
  fused: row(
    "FD",
    "u8[OR]*, T[OR]* -> T[OR]*, T[O]*",
    "code*",
    fused((number) => KERNELS[number]),
  ),
} as const;

/** The names of rows, such as `add`. */
export type KernelStem = keyof typeof ROWS;

type StorageOf<Letters extends string> = Letters extends `${infer First}${infer Rest}`
  ?
      | (First extends keyof typeof STORAGE_OF_LETTER ? (typeof STORAGE_OF_LETTER)[First] : never)
      | StorageOf<Rest>
  : never;

/** The names of all kernels, such as `add_f32`: naming one that does not exist is a type error. */
export type KernelName = {
  [Stem in KernelStem]: `${Stem}_${StorageOf<(typeof ROWS)[Stem]["dtypes"]>}`;
}[KernelStem];

/** One kernel: a row for one element type. Its signature is parsed and its function made when first used. */
export class KernelEntry {
  readonly name: KernelName;
  /** The row's text with T replaced. */
  readonly signatureText: string;
  /** Names of the scalar arguments, in order, without variadic ones. */
  readonly scalars: readonly string[];
  /** Whether any number of scalars may follow. */
  readonly hasVariadicScalars: boolean;
  private readonly scalarText: string;
  /** The row's name, and the value of T. */
  readonly stem: string;
  readonly dtype: StorageType;
  private readonly factory: KernelFactory;
  private parsed: Signature | null = null;
  private kernel: Kernel | null = null;

  constructor(rowName: string, { signature, scalars, factory }: Row<string>, dtype: StorageType) {
    this.name = `${rowName}_${dtype}` as KernelName;
    this.signatureText = substituteType(signature, dtype);
    this.scalarText = scalars;
    this.hasVariadicScalars = scalars.endsWith("*");
    this.scalars = scalars.split(" ").filter((name) => name !== "" && !name.endsWith("*"));
    this.stem = rowName;
    this.dtype = dtype;
    this.factory = factory;
  }

  get signature(): Signature {
    this.parsed ??= parseSignature(this.signatureText);
    return this.parsed;
  }

  /** The operands before the arrow, as the row writes them. */
  get inputText(): string {
    return ROWS[this.stem as KernelStem].signature.split("->")[0];
  }

  /** `name:signature:scalars`, the kernel's line in the table's hash. */
  get line(): string {
    return `${this.name}:${this.signatureText}:${this.scalarText}`;
  }

  /** The loop of an elementwise function of floats, which `fused` can apply; null for other kernels. */
  get map(): MapLoop | null {
    const isFloat = this.dtype === "f32" || this.dtype === "f64";
    return isFloat && "map" in this.factory ? (this.factory as MapFactory).map(this.dtype) : null;
  }

  get run(): Kernel {
    this.kernel ??= this.factory(this.dtype);
    return this.kernel;
  }
}

/** All kernels sorted by name; a kernel's number is its position. */
export const KERNELS: readonly KernelEntry[] = Object.entries<Row<string>>(ROWS)
  .flatMap(([name, row]) =>
    [...row.dtypes].map(
      (letter) => new KernelEntry(name, row, STORAGE_OF_LETTER[letter as keyof typeof STORAGE_OF_LETTER]),
    ),
  )
  .sort((a, b) => (a.name < b.name ? -1 : 1));

const IDS = new Map<string, number>(KERNELS.map(({ name }, id) => [name, id]));

/** The number of a kernel. */
export const kernelId = (name: KernelName): number => IDS.get(name) as number;

/** FNV-1a hash (32 bit) of `name:signature:scalars` lines of all kernels: equal tables have equal versions. */
export const TABLE_VERSION: number = hashTable();

function hashTable(): number {
  let hash = 2166136261;
  for (const kernel of KERNELS) {
    const line = `${kernel.line}\n`;
    for (let i = 0; i < line.length; i++) hash = Math.imul(hash ^ line.charCodeAt(i), 16777619);
  }
  return hash >>> 0;
}
