/** Layer-sequential unit-variance initialization: the variances that it leaves, measured by hand. */
import { describe, expect, test } from "vitest";
import { compile } from "../../lib/compile/index.js";
import { ArgumentError, ShapeError, TraceError } from "../../lib/errors.js";
import * as init from "../../lib/init/index.js";
import * as nn from "../../lib/nn/index.js";
import { Generator } from "../../lib/random/index.js";
import { type Tensor, tensor, zeros } from "../../lib/tensor.js";

const generator = new Generator(7);
const batch = generator.uniform([64, 20]);
const layer = (inputs: number, outputs: number): nn.Linear => new nn.Linear(inputs, outputs, { generator });
const varianceOf = (x: Tensor): number => {
  const values = Array.from(x.data, Number);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
};

describe("lsuv", () => {
  test.each([
    ["ReLU", () => new nn.ReLU()],
    ["Tanh", () => new nn.Tanh()],
    ["Sigmoid", () => new nn.Sigmoid()],
  ])("gives the output of every layer the variance asked for: %s", (_, activation) => {
    const layers = [layer(20, 50), layer(50, 50), layer(50, 50), layer(50, 5)];
    const model = new nn.Sequential(...layers.flatMap((each) => [each, activation()]));
    const report = init.lsuv(model, batch, { variance: 2, tolerance: 1e-3, generator });
    expect(report.map(({ name }) => name)).toEqual(["0", "2", "4", "6"]);
    let x = batch;
    layers.forEach((each, i) => {
      const z = each.forward(x);
      expect(Math.abs(varianceOf(z) / 2 - 1)).toBeLessThan(1.1e-3);
      expect(Math.abs(report[i].after / varianceOf(z) - 1)).toBeLessThan(1e-5);
      expect(each.bias?.square().sum().item()).toBe(0);
      x = activation().forward(z);
    });
    // Orthonormal up to the scale.
    const w = layers[1].weight.detach();
    const gram = w.matmul(w.transpose()).toArray() as number[][];
    expect(Math.abs(gram[0][1] / gram[0][0])).toBeLessThan(1e-5);
  });

  test("scales the weights that are there, if asked to, and counts its corrections", () => {
    const model = layer(20, 30);
    const before = model.weight.toArray() as number[][];
    const [{ before: first, iterations, name }] = init.lsuv(model, batch, { orthogonal: false });
    const after = model.weight.toArray() as number[][];
    const factor = after[3][4] / before[3][4];
    expect(Math.abs(after[20][7] / before[20][7] / factor - 1)).toBeLessThan(1e-5);
    expect(first).toBeLessThan(0.5);
    // A bias is not scaled, so that once is not always enough.
    expect(iterations).toBeGreaterThan(0);
    expect(name).toBe("");
    expect(Math.abs(varianceOf(model.forward(batch)) - 1)).toBeLessThan(0.011);
    expect(init.lsuv(model, batch, { orthogonal: false })[0].iterations).toBe(0);
  });

  test("finds layers wherever a model calls them, and leaves no trace in it", () => {
    class Custom extends nn.Module {
      readonly last = layer(20, 4);
      readonly first = layer(20, 20);
      override forward(x: Tensor): Tensor {
        return this.last.forward(this.first.forward(x).relu());
      }
    }
    const model = new Custom();
    expect(init.lsuv(model, batch).map(({ name }) => name)).toEqual(["first", "last"]);
    expect(Object.getOwnPropertyNames(model.first)).not.toContain("forward");
    expect(model.parameters().every((p) => p.requiresGrad && p.grad === null)).toBe(true);
  });

  test("refuses what has no variance, bad options, and models without layers", () => {
    const model = new nn.Sequential(layer(20, 3));
    expect(() => init.lsuv(model, zeros([4, 20]))).toThrow(
      "lsuv: the output of layer 0 (Linear) has variance 0 on this batch",
    );
    expect(() => init.lsuv(model, batch, { variance: 0 })).toThrow(
      "lsuv: variance must be a number > 0, got 0",
    );
    expect(() => init.lsuv(model, batch, { tolerance: -1 })).toThrow(ArgumentError);
    expect(() => init.lsuv(model, batch, { maxIterations: 0 })).toThrow(ArgumentError);
    expect(() => init.lsuv(model, batch, { orthogonal: 1 } as never)).toThrow(ArgumentError);
    expect(() => init.lsuv(model, batch, { std: 1 } as never)).toThrow("lsuv: unknown option std");
    expect(() => init.lsuv(model, zeros([0, 20]))).toThrow(ShapeError);
    expect(() => init.lsuv(3 as never, batch)).toThrow("lsuv: the model must be a Module, got number 3");
    expect(() => init.lsuv(new nn.ReLU(), batch)).toThrow(/lsuv: the model calls no layer/);
    const traced = compile((x: Tensor) => {
      init.lsuv(model, batch);
      return x.mul(2);
    });
    expect(() => traced.sync(tensor(1))).toThrow(TraceError);
    expect(() => traced.sync(tensor(1))).toThrow("lsuv");
  });
});
