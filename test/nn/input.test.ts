/** What layers and functions say of an input that is no tensor, and of options that they do not have. */
import { describe, expect, test } from "vitest";
import { ArgumentError } from "../../lib/errors.js";
import { array } from "../../lib/ndarray/creation.js";
import * as nn from "../../lib/nn/index.js";
import { ones, zeros } from "../../lib/tensor.js";

const F = nn.functional;
const wrong: [string, unknown][] = [
  ["undefined", undefined],
  ["an NDArray", array([[1, 2]])],
  ["a nested array", [[1, 2]]],
];

const layers: nn.Module[] = [
  new nn.Linear(2, 3),
  new nn.BatchNorm1d(2),
  new nn.LayerNorm(2),
  new nn.ReLU(),
  new nn.LeakyReLU(),
  new nn.Sigmoid(),
  new nn.Tanh(),
  new nn.SiLU(),
  new nn.GELU(),
  new nn.GELU({ approximate: "tanh" }),
  new nn.Softmax(),
  new nn.LogSoftmax(),
  new nn.Softplus(),
  new nn.Flatten(),
  new nn.Residual(new nn.ReLU()),
  new nn.Sequential(),
  new nn.Sequential(new nn.ReLU()),
  new nn.Embedding(3, 2),
  new nn.Dropout(),
  new nn.Dropout().eval(),
];

describe.each(wrong)("%s instead of a tensor", (_, value) => {
  test.each(layers.map((layer) => [layer.constructor.name, layer] as const))(
    "%s names itself",
    (name, layer) => {
      const call = () => layer.forward(value as never);
      expect(call).toThrow(ArgumentError);
      expect(call).toThrow(`${name}: the input must be a Tensor, got `);
    },
  );

  const calls: [string, () => unknown][] = [
    ["relu", () => F.relu(value as never)],
    ["gelu", () => F.gelu(value as never, { approximate: "tanh" })],
    ["softplus", () => F.softplus(value as never, { beta: 2 })],
    ["softmax", () => F.softmax(value as never)],
    ["linear", () => F.linear(value as never, ones([3, 2]))],
    ["linear", () => F.linear(ones([1, 2]), ones([3, 2]), (value ?? 5) as never)],
    ["layerNorm", () => F.layerNorm(value as never, [2])],
    ["batchNorm", () => F.batchNorm(value as never, null, null)],
    ["dropout", () => F.dropout(value as never)],
    ["embedding", () => F.embedding(value as never, ones([3, 2]))],
    ["mseLoss", () => F.mseLoss(value as never, ones([2]))],
    ["crossEntropy", () => F.crossEntropy(ones([1, 2]), value as never)],
  ];
  test.each(calls)("functional.%s names itself", (name, call) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(new RegExp(`^${name}: `));
  });
});

test("options that are not there, or of another kind, are refused at once", () => {
  const x = zeros([2]);
  const refused: [() => unknown, string][] = [
    [() => F.dropout(x, { training: "no" as never }), "dropout: training must be true or false"],
    [
      () => F.dropout(x, { generator: 5 as never, p: 0 }),
      "dropout: generator must be a Generator, got number 5",
    ],
    [() => F.dropout(x, null as never), "dropout: options must be an object, got null"],
    [
      () => new nn.Dropout(0.5, { generator: null as never }),
      "Dropout: generator must be a Generator, got null",
    ],
    [
      () => new nn.Linear(2, 2, { generator: 5 as never }),
      "Linear: generator must be a Generator, got number 5",
    ],
    [() => new nn.Linear(2, 2, null as never), "Linear: options must be an object, got null"],
    [() => new nn.Embedding(2, 2, { generator: null as never }), "Embedding: generator must be a Generator"],
    [
      () => F.batchNorm(zeros([2, 2]), null, null, { training: 1 as never }),
      "batchNorm: training must be true",
    ],
    [() => new nn.Flatten("1" as never), "Flatten: startAxis must be an integer"],
    [() => new nn.ModuleList(null as never), "ModuleList: modules must be an array of modules, got null"],
    [() => new nn.Sequential(3 as never), "Sequential: module 0 must be a Module, got number 3"],
  ];
  for (const [call, message] of refused) {
    expect(call, message).toThrow(ArgumentError);
    expect(call).toThrow(message);
  }
});
