/** What a program that is used again must still check, and when it is not the right one any more. */
import { expect, test } from "vitest";
import { ArgumentError } from "../../lib/errors.js";
import { compile, data, noGrad, Tensor, tensor } from "../../lib/index.js";

test("an argument that shares written memory is refused at every call, not only the first", () => {
  const total = tensor([0, 0]);
  const step = compile((x: Tensor) => {
    total.assign(total.add(x));
    return total.sum();
  });
  step.sync(tensor([1, 2]));
  expect(() => step.sync(new Tensor(total.array))).toThrow(ArgumentError);
  expect(total.toArray()).toEqual([1, 2]);
});

test("an epoch is traced anew where gradients are recorded or not", async () => {
  const weight = tensor([2], { requiresGrad: true });
  const dataset = new data.TensorDataset(tensor([[1], [3]]));
  const isRecorded = compile((x: Tensor) => tensor(x.mul(weight).requiresGrad ? 1 : 0).add(x.sum().mul(0)));
  const values = async (): Promise<unknown> =>
    (await isRecorded.epoch(dataset as data.Dataset<[Tensor]>)).results.toArray();
  expect(await values()).toEqual([1, 1]);
  expect(await noGrad(() => ({ values: values() })).values).toEqual([0, 0]);
  expect(await values()).toEqual([1, 1]);
});
