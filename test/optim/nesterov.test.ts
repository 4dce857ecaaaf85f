/** Nesterov's forms: the look-ahead is a true one, PyTorch's form is the first seen from there, and nothing is left behind. */
import { describe, expect, test } from "vitest";
import { ArgumentError, GradientError } from "../../lib/errors.js";
import * as nn from "../../lib/nn/index.js";
import { Nesterov, SGD } from "../../lib/optim/index.js";
import { Generator } from "../../lib/random/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { rosenbrock, startPoint, stepOnce } from "./rosenbrock.js";

const lr = 5e-4;
const beta = 0.8;

test("PyTorch's form at θ − lr·βu of the first form has that form's look-ahead points", () => {
  const [x, y, z] = [startPoint(), startPoint(), startPoint()];
  const first = new Nesterov([x], { lr, beta, form: "first" });
  const pytorch = new Nesterov([y], { lr, beta });
  const sgd = new SGD([z], { lr, momentum: beta, nesterov: true });
  for (let step = 0; step < 300; step++) {
    stepOnce(first, x);
    stepOnce(pytorch, y);
    stepOnce(sgd, z);
    const u = first.state.get(x)?.momentum_buffer as Tensor;
    const ahead = x.detach().sub(u.mul(lr * beta));
    const error = ahead.sub(y.detach()).abs().max().item();
    expect(error).toBeLessThan(1e-13);
    expect(z.toArray()).toEqual(y.toArray());
    // The two are not at the same point themselves.
    if (step === 0) expect(x.detach().sub(y.detach()).abs().max().item()).toBeGreaterThan(1e-2);
  }
});

describe.each(["first", "second"] as const)("the %s form", (form) => {
  test("takes the gradient of a network at the look-ahead point", () => {
    const model = new nn.Sequential(
      new nn.Linear(3, 4, { dtype: "float64", generator: new Generator(1) }),
      new nn.Tanh(),
      new nn.Linear(4, 2, { dtype: "float64", generator: new Generator(2) }),
    );
    const parameters = model.parameters();
    const input = new Generator(3).normal([5, 3], { dtype: "float64" });
    const optimizer = new Nesterov(parameters, { lr: 0.1, beta: 0.7, form });
    const copies = parameters.map((parameter) => parameter.detach().clone());
    const us = copies.map((copy) => copy.mul(0));
    for (let step = 0; step < 4; step++) {
      let seen: Tensor[] = [];
      let gradients: Tensor[] = [];
      optimizer.step(() => {
        seen = parameters.map((parameter) => parameter.detach().clone());
        optimizer.zeroGrad();
        const loss = model.forward(input).square().sum();
        loss.backward();
        gradients = parameters.map(({ grad }) => (grad as Tensor).clone());
        return loss;
      });
      parameters.forEach((parameter, i) => {
        const ahead = copies[i].sub(us[i].mul(form === "first" ? 0.1 * 0.7 : 0.1));
        expect(seen[i].toArray()).toEqual(ahead.toArray());
        us[i] = us[i].mul(0.7).add(gradients[i].mul(form === "first" ? 1 : 1 - 0.7));
        copies[i] = copies[i].sub(us[i].mul(0.1));
        expect(parameter.detach().toArray()).toEqual(copies[i].toArray());
      });
    }
  });

  test("moves parameters back that get no gradient, and all after an error", () => {
    const x = startPoint();
    const other = startPoint();
    const optimizer = new Nesterov([x, other], { lr: 1e-3, form });
    stepOnce(optimizer, x);
    const before = x.toArray();
    optimizer.step(() => {
      expect(x.toArray()).not.toEqual(before);
      x.zeroGrad();
      other.grad = other.detach();
      return 0;
    });
    expect(x.toArray()).toEqual(before);
    other.zeroGrad();
    const fail = (closure: () => unknown, kind: new (message: string) => Error): void => {
      expect(() => optimizer.step(closure)).toThrow(kind);
      expect(x.toArray()).toEqual(before);
    };
    fail(() => {
      throw new RangeError("no");
    }, RangeError);
    fail(() => undefined, ArgumentError);
    fail(() => 0, GradientError); // no gradient at all
    fail(() => {
      x.grad = tensor([[1, 1]]);
      return 1;
    }, GradientError);
  });

  test("works on strided views", () => {
    const base = tensor([[-1.2], [1]], { dtype: "float64" });
    const [view, x] = [base.transpose(), startPoint()];
    const strided = tensor([[-1.2, 9, 1, 9]], { dtype: "float64" }).slice(null, [null, null, 2]);
    view.requiresGrad = true;
    strided.requiresGrad = true;
    const optimizers = [view, strided, x].map((p) => new Nesterov([p], { lr: 1e-3, form }));
    for (let step = 0; step < 3; step++) {
      [view, strided, x].forEach((p, i) => {
        stepOnce(optimizers[i], p);
      });
    }
    expect(view.toArray()).toEqual(x.toArray());
    expect(strided.toArray()).toEqual(x.toArray());
  });

  test("needs a closure", () => {
    const optimizer = new Nesterov([startPoint()], { form });
    expect(optimizer.needsClosure).toBe(true);
    expect(() => optimizer.step()).toThrow(ArgumentError);
    expect(() => optimizer.step()).toThrow(
      "Nesterov.step: it takes gradients at points of its own; give it a closure",
    );
  });
});

test("PyTorch's form needs none", () => {
  const x = startPoint();
  const optimizer = new Nesterov([x]);
  rosenbrock(x).backward();
  expect(optimizer.needsClosure).toBe(false);
  expect(optimizer.step()).toBe(undefined);
});
