import { describe, expect, test } from "vitest";
import { ArgumentError } from "../../lib/errors.js";
import { DimsReader, parseSignature, substituteType } from "../../lib/runtime/signature.js";

describe("parseSignature", () => {
  test("numbers axes by first appearance and marks groups", () => {
    const { axes, operands, inputs } = parseSignature("f32[Bmk], f32[Bkn] -> f32[Bmn]");
    expect(axes).toEqual([
      { letter: "B", isGroup: true },
      { letter: "m", isGroup: false },
      { letter: "k", isGroup: false },
      { letter: "n", isGroup: false },
    ]);
    expect(operands.map((operand) => operand.axes)).toEqual([
      [0, 1, 2],
      [0, 2, 3],
      [0, 1, 3],
    ]);
    expect(inputs).toBe(2);
  });

  test("takes every upper-case letter for a group", () => {
    const { axes } = parseSignature("T[AMnSZz] -> T[S]");
    expect(axes.filter(({ isGroup }) => isGroup).map(({ letter }) => letter)).toEqual(["A", "M", "S", "Z"]);
  });

  test("tells inputs, outputs and what is updated in place", () => {
    const { operands, inputs } = parseSignature("T[n], i32[] -> &T[n], u8[n]");
    expect(operands.map(({ role, type }) => [role, type])).toEqual([
      ["in", "T"],
      ["in", "i32"],
      ["inout", "T"],
      ["out", "u8"],
    ]);
    expect(operands[1].axes).toEqual([]);
    expect(inputs).toBe(2);
  });

  test("takes a kernel without inputs", () => {
    const { operands, inputs } = parseSignature("-> i64[S]");
    expect(inputs).toBe(0);
    expect(operands).toEqual([{ type: "i64", axes: [0], role: "out", isVariadic: false }]);
  });

  test("marks operands of which there may be any number", () => {
    const { operands } = parseSignature("u8[S]*, T[S] -> T[S]*, &T[]*");
    expect(operands.map(({ isVariadic }) => isVariadic)).toEqual([true, false, true, true]);
  });

  test.each([
    "T[S]",
    "T[S] ->",
    "T[S] -> T[S] -> T[S]",
    "&T[S] -> T[S]",
    "f16[S] -> T[S]",
    "T[S] -> T",
    "T[S],, T[S] -> T[S]",
    "T[S2] -> T[S]",
    "T*[S] -> T[S]",
    "T[S]** -> T[S]",
  ])("refuses %s", (text) => {
    expect(() => parseSignature(text)).toThrow(ArgumentError);
  });
});

test("substituteType leaves the letters of axes alone", () => {
  expect(substituteType("T[TT], f32[T] -> &T[T]", "u8")).toBe("u8[TT], f32[T] -> &u8[T]");
});

test("DimsReader reads sizes, then strides, group by group", () => {
  const reader = new DimsReader([2, 5, 6, 7, 60, 10, 1, 0, -7]);
  const batch = reader.group();
  expect(batch).toEqual([5, 6]);
  expect(reader.size()).toBe(7);
  expect(reader.strides(batch)).toEqual([60, 10]);
  expect(reader.stride()).toBe(1);
  expect(reader.strides(batch)).toEqual([0, -7]);
});
