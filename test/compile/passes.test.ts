/** Each pass by itself: what it does where it may, and that it does nothing where it may not. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Node } from "../../lib/compile/graph.js";
import { fuseChains } from "../../lib/compile/passes/chains.js";
import { mergeCommonSubexpressions } from "../../lib/compile/passes/common_subexpressions.js";
import { forwardCopies } from "../../lib/compile/passes/copies.js";
import { removeDeadCode } from "../../lib/compile/passes/dead_code.js";
import { fuseEpilogues } from "../../lib/compile/passes/epilogues.js";
import { PASSES } from "../../lib/compile/passes/index.js";
import { masksFromActivations } from "../../lib/compile/passes/masks.js";
import { StepProgram } from "../../lib/compile/program.js";
import { trace } from "../../lib/compile/tracer.js";
import { compile, Generator, manualSeed, noGrad, type Tensor, tensor, zeros } from "../../lib/index.js";
import { functionOf, inputOf, makeWorld, OPERATION_COUNT, type Step } from "./random_programs.js";

/** The kernels of a function of one [3,4] float32 tensor. */
const nodesOf = (fn: (x: Tensor) => unknown, requiresGrad = false): readonly Node[] =>
  trace(fn, [{ dtype: "float32", shape: [3, 4], requiresGrad }]).graph.nodes;

const stems = (nodes: readonly Node[]): string[] => nodes.map(({ kernel }) => kernel.stem);

describe("dead code", () => {
  test("goes, and what only it needs", () => {
    const nodes = nodesOf((x) => {
      x.exp().sin();
      return x.cos();
    });
    expect(stems(nodes)).toEqual(["exp", "sin", "cos"]);
    expect(stems(removeDeadCode(nodes))).toEqual(["cos"]);
  });

  test("stays where it may fail, or writes what lasts", () => {
    const state = zeros([3, 4]);
    const indices = tensor([0, 2], { dtype: "int32" });
    const nodes = nodesOf((x) => {
      x.take(indices.add(x.sum().astype("int32")));
      state.assign(x.exp());
      return x.cos();
    });
    const kept = stems(removeDeadCode(nodes));
    expect(kept).toContain("gather");
    expect(kept).toContain("exp");
  });
});

describe("common subexpressions", () => {
  test("are computed once", () => {
    const nodes = nodesOf((x) => x.exp().add(x.exp().sin()));
    expect(stems(mergeCommonSubexpressions(nodes))).toEqual(["exp", "sin", "add"]);
  });

  test("differ in views, in scalars, and after a write", () => {
    const state = zeros([3, 4]);
    const nodes = nodesOf((x) => {
      const before = state.exp();
      state.assign(x);
      // Of results nothing is merged, so each is used by another node.
      return [
        before,
        state.exp(),
        x.leakyRelu(0.1),
        x.leakyRelu(0.2),
        x.slice([0, 2]).exp(),
        x.slice([1, 3]).exp(),
      ]
        .map((value) => value.sum())
        .reduce((a, b) => a.add(b));
    });
    expect(mergeCommonSubexpressions(nodes)).toHaveLength(nodes.length);
  });

  test("random draws are never the same", () => {
    const generator = new Generator(1);
    const nodes = nodesOf((x) => x.add(generator.normal([3, 4])).add(generator.normal([3, 4])));
    expect(stems(mergeCommonSubexpressions(nodes)).filter((stem) => stem === "philox_normal")).toHaveLength(
      2,
    );
  });
});

describe("copies", () => {
  test("are read past where the original stays", () => {
    const nodes = removeDeadCode(forwardCopies(nodesOf((x) => x.clone().exp())));
    expect(stems(nodes)).toEqual(["exp"]);
  });

  test("stay where the original or the copy changes", () => {
    const state = zeros([3, 4]);
    const nodes = nodesOf((x) => {
      const before = state.clone();
      state.assign(x);
      const changed = x.clone();
      noGrad(() => changed.assign(changed.add(1)));
      return before.exp().add(changed);
    });
    expect(removeDeadCode(forwardCopies(nodes)).length).toBe(removeDeadCode(nodes).length);
  });
});

describe("masks", () => {
  const backward =
    (activate: (x: Tensor) => Tensor) =>
    (x: Tensor): Tensor => {
      activate(x.mul(2)).sum().backward();
      return x.sum();
    };
  const maskOf = (fn: (x: Tensor) => Tensor): { reads: number; activation: number; source: number } => {
    const nodes = masksFromActivations(nodesOf(backward(fn), true));
    const activation = nodes.find(({ kernel }) => /relu$/.test(kernel.stem)) as Node;
    const mask = nodes.find(({ kernel }) => /relu_grad$/.test(kernel.stem)) as Node;
    return {
      reads: mask.uses[0].buffer.id,
      activation: activation.uses[1].buffer.id,
      source: activation.uses[0].buffer.id,
    };
  };

  test("come from the activation", () => {
    for (const fn of [(x: Tensor) => x.relu(), (x: Tensor) => x.leakyRelu(0.1)]) {
      const { reads, activation } = maskOf(fn);
      expect(reads).toBe(activation);
    }
  });

  test("but not where the slope is negative", () => {
    const { reads, source } = maskOf((x) => x.leakyRelu(-0.5));
    expect(reads).toBe(source);
  });
});

describe("epilogues", () => {
  const weight = new Generator(1).normal([4, 5]);

  test("a product takes in what follows", () => {
    const nodes = fuseEpilogues(
      nodesOf((x) =>
        x
          .matmul(weight)
          .add(tensor([1, 2, 3, 4, 5]))
          .relu(),
      ),
    );
    expect(nodes.map(({ fused }) => fused)).toEqual([["matmul", "add", "relu"]]);
  });

  test("but nothing that needs all of it, and nothing of integers", () => {
    const whole = nodesOf((x) => x.matmul(weight).softmax(1));
    expect(stems(fuseEpilogues(whole))).toEqual(stems(whole));
    const integers = nodesOf((x) => x.astype("int32").matmul(weight.astype("int32")).add(1));
    expect(stems(fuseEpilogues(integers))).toEqual(stems(integers));
  });
});

describe("chains", () => {
  test("become one pass over memory", () => {
    const nodes = fuseChains(nodesOf((x) => x.exp().add(1).mul(x).tanh()));
    expect(nodes.map(({ fused }) => fused)).toEqual([["exp", "add", "mul", "tanh"]]);
  });

  test("do not reach past a reduction, or a write of what they read", () => {
    const reduced = nodesOf((x) => x.exp().sum());
    expect(stems(fuseChains(reduced))).toEqual(["exp", "sum"]);
    const state = zeros([3, 4]);
    const written = fuseChains(
      nodesOf((x) => {
        const first = state.exp();
        state.assign(x);
        return first.add(state);
      }),
    );
    expect(stems(written)[0]).toBe("exp");
  });
});

test("after any number of passes the bits are the same", () => {
  const steps = fc.array(fc.tuple(fc.nat(OPERATION_COUNT - 1), fc.nat(30), fc.nat(30), fc.nat(9)), {
    minLength: 1,
    maxLength: 20,
  });
  const numbers = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 12, maxLength: 12 });
  const all = [...PASSES];
  const list = PASSES as unknown as [string, unknown][];
  const outcome = (program: Step[], values: number[], count: number): string[] => {
    list.splice(0, list.length, ...(all.slice(0, count) as never[]));
    try {
      manualSeed(1);
      const world = makeWorld(new Generator(1), "float32");
      const results = compile(functionOf(program, world)).sync(inputOf(values, "float32"));
      const grads = world.parameters.flatMap(({ grad }) => (grad === null ? [] : [grad]));
      return [...results, ...grads, world.state].map(({ data }) =>
        Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"),
      );
    } finally {
      list.splice(0, list.length, ...(all as never[]));
    }
  };
  fc.assert(
    fc.property(steps, numbers, (program, values) => {
      const unpassed = outcome(program, values, 0);
      for (let count = 1; count <= all.length; count++) {
        expect(outcome(program, values, count)).toEqual(unpassed);
      }
    }),
    { numRuns: 25 },
  );
});

test("a step of a network becomes few instructions", () => {
  const weight = new Generator(1).normal([4, 5]);
  weight.requiresGrad = true;
  const program = new StepProgram(
    (x) => {
      weight.zeroGrad();
      const loss = x.matmul(weight).relu().sum();
      loss.backward();
      return loss;
    },
    [{ dtype: "float32", shape: [3, 4], requiresGrad: false }],
  );
  expect(program.graph.nodes.length).toBeLessThan(program.traced);
});
