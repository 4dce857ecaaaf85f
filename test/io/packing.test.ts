import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ArgumentError, FormatError } from "../../lib/errors.js";
import { pack, unpack } from "../../lib/io/packing.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { thrown } from "../ndarray/thrown.js";

function roundTrip(value: unknown): unknown {
  const tensors: Record<string, Tensor> = {};
  const json = JSON.stringify(pack("save", value, tensors));
  return unpack(JSON.parse(json), tensors, "file");
}

describe("plain data with tensors", () => {
  test("comes back whole", () => {
    const [a, b] = [tensor([1]), tensor(2)];
    const value = { list: [a, "text", null, [true]], deep: { b, lr: 0.1 }, "0": -3 };
    const tensors: Record<string, Tensor> = {};
    expect(pack("save", value, tensors)).toEqual({
      list: [{ $tensor: "list.0" }, "text", null, [true]],
      deep: { b: { $tensor: "deep.b" }, lr: 0.1 },
      "0": -3,
    });
    expect(tensors).toEqual({ "list.0": a, "deep.b": b });
    const back = roundTrip(value) as typeof value;
    expect(back).toEqual(value);
    expect(back.deep.b).toBe(b);
  });

  test("any JSON comes back, with its odd keys and numbers", () => {
    const number = fc.oneof(fc.double(), fc.constantFrom(-0, Number.NaN, Number.NEGATIVE_INFINITY));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        number,
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("tree")),
        fc.dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), tie("tree")),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(roundTrip(value)).toStrictEqual(copyOf(value));
      }),
    );
  });

  /** The same data with ordinary prototypes. */
  function copyOf(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(copyOf);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, copyOf(child)]));
  }

  test("undefined properties are left out", () => {
    expect(roundTrip({ a: undefined, b: 1 })).toStrictEqual({ b: 1 });
  });

  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  test.each<[string, unknown, RegExp]>([
    ["a function", { a: { b: () => 1 } }, /save: a\.b is a function/],
    ["undefined in a list", { a: [undefined] }, /a\.0 is undefined/],
    ["a bigint", { a: 1n }, /a is bigint 1/],
    ["a Map", { a: new Map() }, /a is a value of class Map/],
    ["a typed array", { a: new Float32Array(2) }, /a is a value of class Float32Array/],
    ["itself", cyclic, /self.* is nested deeper than 100, or holds itself/],
    [
      "two paths of one spelling",
      { "a.b": tensor(1), a: { b: tensor(2) } },
      /a\.b is the name of two tensors/,
    ],
    ["a reserved key", { a: { $tensor: "x" } }, /a has the key \$tensor, which is reserved/],
  ])("%s is refused", (_, value, message) => {
    const error = thrown(() => pack("save", value, {}));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toMatch(message);
  });

  test("a reference to no tensor, and hostile nesting, are format errors", () => {
    expect(() => unpack({ $tensor: "toString" }, {}, "file")).toThrow(FormatError);
    const nested = JSON.parse("[".repeat(50_000) + "]".repeat(50_000));
    expect(() => unpack(nested, {}, "file")).toThrow(/file has data nested deeper than 100/);
  });
});
