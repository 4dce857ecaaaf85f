/** What reading and writing say of arguments of another kind. */
import { expect, test } from "vitest";
import { randomSplit, TensorDataset } from "../../lib/data/dataset.js";
import { digits } from "../../lib/data/digits.js";
import { ArgumentError } from "../../lib/errors.js";
import * as io from "../../lib/io/index.js";
import { ones } from "../../lib/tensor.js";

const nothing = undefined as never;
const refused: [() => unknown, string][] = [
  [() => io.parseSafetensors(nothing), "parseSafetensors: the bytes must be a Uint8Array, got undefined"],
  [() => io.parseIdx(nothing), "parseIdx: the bytes must be a Uint8Array, got undefined"],
  [() => io.encodeSafetensors(nothing), "encodeSafetensors: tensors must be a plain object, got undefined"],
  [
    () => io.encodeSafetensors({}, null as never),
    "encodeSafetensors: metadata must be a plain object, got null",
  ],
  [() => io.saveSafetensors(5 as never, {}), "saveSafetensors: the path must be a string, got number 5"],
  [
    () => io.saveSafetensors("/nowhere/x", {}, null as never),
    "saveSafetensors: options must be an object, got null",
  ],
  [() => io.saveSafetensors("/nowhere/x", {}, { meta: {} } as never), "saveSafetensors: unknown option meta"],
  [() => io.loadSafetensors(0 as never), "loadSafetensors: the path must be a string, got number 0"],
  [() => io.saveCheckpoint(nothing, {}), "saveCheckpoint: the path must be a string, got undefined"],
  [() => io.saveCheckpoint("/nowhere/x", { modle: 1 } as never), "saveCheckpoint: unknown option modle"],
  [
    () => io.loadCheckpoint("/nowhere/x", null as never),
    "loadCheckpoint: options must be an object, got null",
  ],
  [() => digits(20 as never), "digits: options must be an object, got 20"],
  [() => digits({ n: 50, sed: 1 } as never), "digits: unknown option sed; it takes n, seed"],
  [() => new TensorDataset(nothing), "TensorDataset: tensor 0 must be a Tensor, got undefined"],
  [
    () => new TensorDataset(ones([2])).batch(nothing),
    "TensorDataset: indices must be an Int32Array or an array, got undefined",
  ],
  [
    () => randomSplit(new TensorDataset(ones([2])), [1, 1], { seed: 1 } as never),
    "randomSplit: unknown option seed",
  ],
  [() => randomSplit(nothing, [1]), "randomSplit: needs a dataset, with length and batch, got undefined"],
];
test.each(refused)("is an ArgumentError: %#", (call, message) => {
  expect(call).toThrow(ArgumentError);
  expect(call).toThrow(message);
});

test("is an ArgumentError of readIdx and writeIdx", async () => {
  await expect(io.readIdx(nothing)).rejects.toThrow("readIdx: the path must be a string, got undefined");
  await expect(io.writeIdx("/nowhere/x", nothing)).rejects.toThrow("writeIdx: needs a Tensor or an NDArray");
  await expect(io.writeIdx("/nowhere/x", ones([1]), { zip: true } as never)).rejects.toThrow(
    "writeIdx: unknown option zip; it takes gzip",
  );
});
