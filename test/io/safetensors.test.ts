import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ArgumentError, FormatError } from "../../lib/errors.js";
import { encodeSafetensors, loadSafetensors, parseSafetensors, saveSafetensors } from "../../lib/io/index.js";
import { array, fromTypedArray, zeros } from "../../lib/ndarray/creation.js";
import { DTYPES, type DType, zeroedStorage } from "../../lib/ndarray/dtype.js";
import type { NDArray } from "../../lib/ndarray/ndarray.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { thrown } from "../ndarray/thrown.js";

/** A file from the text of its header and the bytes of its data, written as the format's description says. */
function file(header: string | Uint8Array, data: ArrayLike<number> = []): Uint8Array {
  const text = typeof header === "string" ? Buffer.from(header) : header;
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return Buffer.concat([length, text, Uint8Array.from(data)]);
}

const failure = (bytes: Uint8Array): string => {
  const error = thrown(() => parseSafetensors(bytes, "weights.safetensors"));
  expect(error).toBeInstanceOf(FormatError);
  expect(error.message).toContain("weights.safetensors");
  return error.message;
};

const bitsOf = (value: Tensor | NDArray): number[] => {
  const { data } = value;
  return [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
};

describe("the bytes", () => {
  // The reference implementation writes this file for these tensors.
  const header =
    '{"__metadata__":{"format":"pt"},"z":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},' +
    '"a.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]},' +
    '"b":{"dtype":"F32","shape":[],"data_offsets":[16,20]},' +
    '"empty":{"dtype":"F32","shape":[0,3],"data_offsets":[20,20]},"on":{"dtype":"BOOL","shape":[2],"data_offsets":[20,22]}}';
  const literal = file(header.padEnd(Math.ceil(header.length / 8) * 8), [
    ...[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ...[0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x20, 0xc0],
    ...[0x00, 0x00, 0xc0, 0x7f],
    ...[1, 0],
  ]);
  const tensors = {
    on: array([true, false]),
    b: tensor(Number.NaN),
    z: array([-2n]),
    empty: zeros([0, 3]),
    "a.weight": tensor([[1, -2.5]]),
  };

  test("are those of the reference implementation", () => {
    const bytes = encodeSafetensors(tensors, { format: "pt" });
    expect(Buffer.from(bytes).toString("latin1")).toBe(Buffer.from(literal).toString("latin1"));
  });

  test("are read back, whatever their alignment in memory", () => {
    for (const shift of [0, 1, 3]) {
      const moved = new Uint8Array(literal.length + shift);
      moved.set(literal, shift);
      const { tensors: read, metadata } = parseSafetensors(moved.subarray(shift));
      expect(metadata).toEqual({ format: "pt" });
      expect(Object.keys(read)).toEqual(["z", "a.weight", "b", "empty", "on"]);
      for (const [name, value] of Object.entries(tensors)) {
        expect(read[name]).toMatchObject({ dtype: value.dtype, shape: value.shape });
        expect(read[name].toArray()).toEqual(value.toArray());
      }
      moved.fill(0xff);
      expect(read["a.weight"].toArray()).toEqual([[1, -2.5]]);
    }
  });

  test("of 16-bit floats become float32", () => {
    const header =
      '{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[],"data_offsets":[4,6]}}';
    const { tensors: read } = parseSafetensors(file(header, [0x00, 0x3c, 0x01, 0x80, 0x20, 0xc0]));
    expect(read.h).toMatchObject({ dtype: "float32", shape: [2] });
    expect(read.h.toArray()).toEqual([1, -(2 ** -24)]);
    expect(read.b.toArray()).toBe(-2.5);
  });

  test("sort names by UTF-8, and keep names that look like numbers or prototypes", () => {
    const names = ["\u{1f600}", "\uff5e", "10", "9", "__proto__", ""];
    const bytes = encodeSafetensors(Object.fromEntries(names.map((name, i) => [name, tensor(i)])));
    const order = ["", "10", "9", "__proto__", "\uff5e", "\u{1f600}"];
    const positions = order.map((name) => Buffer.from(bytes).indexOf(`${JSON.stringify(name)}:{`));
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(positions[0]).toBeGreaterThan(0);
    const { tensors: read } = parseSafetensors(bytes);
    expect(Object.keys(read).toSorted()).toEqual(names.toSorted());
    for (const [i, name] of names.entries()) expect(read[name].item()).toBe(i);
  });

  test("of no tensors at all", () => {
    expect(parseSafetensors(encodeSafetensors({}))).toEqual({ tensors: {}, metadata: {} });
    expect(parseSafetensors(file("{}"))).toEqual({ tensors: {}, metadata: {} });
  });

  test("of a bool array are 0 and 1, whatever the memory holds; a view is written in its own order", () => {
    const odd = fromTypedArray(Uint8Array.of(5, 0), [2], "bool");
    expect(parseSafetensors(encodeSafetensors({ odd })).tensors.odd.toArray()).toEqual([true, false]);
    const view = array([[1, 2], [3, 4]]).transpose(); // biome-ignore format: rows
    expect(parseSafetensors(encodeSafetensors({ view })).tensors.view.toArray()).toEqual(view.toArray());
  });
});

describe("round trips", () => {
  const arrays = fc.record({
    dtype: fc.constantFrom<DType>(...DTYPES),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    fill: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  });

  test("keep names, shapes, dtypes and every bit", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), arrays),
        fc.dictionary(fc.string(), fc.string()),
        (specs, metadata) => {
          const tensors = Object.entries(specs).map(([name, { dtype, shape, fill }]) => {
            const data = zeroedStorage(
              dtype,
              shape.reduce((a, b) => a * b, 1),
            );
            const bytes = new Uint8Array(data.buffer);
            for (let i = 0; i < bytes.length; i++)
              bytes[i] = fill[i % fill.length] & (dtype === "bool" ? 1 : 255);
            return [name, fromTypedArray(data, shape, dtype)] as const;
          });
          const plain = Object.fromEntries(Object.entries(metadata));
          const read = parseSafetensors(encodeSafetensors(Object.fromEntries(tensors), plain));
          expect(read.metadata).toEqual(plain);
          expect(Object.keys(read.tensors)).toHaveLength(tensors.length);
          for (const [name, value] of tensors) {
            expect(read.tensors[name]).toMatchObject({ dtype: value.dtype, shape: value.shape });
            expect(bitsOf(read.tensors[name])).toEqual(bitsOf(value));
          }
        },
      ),
    );
  });
});

describe("files", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "thalweg-safetensors-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("are written whole, and hold what encodeSafetensors gives", () => {
    const path = join(folder, "model.safetensors");
    saveSafetensors(path, { old: tensor([1, 2, 3]) });
    saveSafetensors(path, { w: tensor([1, 2]), n: array([3n]) }, { metadata: { epoch: "3" } });
    expect(readdirSync(folder)).toEqual(["model.safetensors"]);
    expect(
      readFileSync(path).equals(encodeSafetensors({ w: tensor([1, 2]), n: array([3n]) }, { epoch: "3" })),
    ).toBe(true);
    const { tensors, metadata } = loadSafetensors(path);
    expect(tensors.w.toArray()).toEqual([1, 2]);
    expect(metadata).toEqual({ epoch: "3" });
  });

  test("that are missing or damaged are named", () => {
    const path = join(folder, "nothing");
    const error = thrown(() => loadSafetensors(path));
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain(path);
  });

  test("are left as they were where names or metadata are refused", () => {
    const path = join(folder, "model.safetensors");
    saveSafetensors(path, { w: tensor(1) });
    expect(() => saveSafetensors(path, { __metadata__: tensor(2) })).toThrow(/__metadata__.*reserved/);
    expect(() => saveSafetensors(path, { "half \ud800": tensor(2) })).toThrow(ArgumentError);
    expect(() => saveSafetensors(path, { w: [1] as never })).toThrow(/"w" is object, not an array/);
    expect(() => saveSafetensors(path, {}, { metadata: { n: 1 as never } })).toThrow(
      /must be strings.*got 1/,
    );
    expect(loadSafetensors(path).tensors.w.item()).toBe(1);
  });
});

describe("damage", () => {
  const entry = (fields: object): string =>
    JSON.stringify({ t: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...fields } });
  const eight = new Uint8Array(8);

  test("truncation at any byte, and a byte too many", () => {
    const whole = encodeSafetensors({ w: tensor([1, 2]), b: array([true]) }, { a: "b" });
    expect(Object.keys(parseSafetensors(whole).tensors)).toEqual(["w", "b"]);
    for (let length = 0; length < whole.length; length++) failure(whole.subarray(0, length));
    expect(failure(Buffer.concat([whole, Uint8Array.of(0)]))).toMatch(
      /trailing bytes: its tensors take 9 bytes, but 10/,
    );
  });

  test("a header length beyond the limit or the file", () => {
    const bytes = file("{}");
    bytes[7] = 0x80;
    expect(failure(bytes)).toMatch(/header of 9223372036854775810 bytes; at most 100000000/);
    expect(failure(Uint8Array.of(200, 0, 0, 0, 0, 0, 0, 0, 123))).toMatch(
      /header of 200 bytes, but 1 follow/,
    );
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ["nothing", "", /starts with nothing, not with "\{"/],
    ["a list", "[]", /starts with byte 91/],
    ["leading space", " {}", /starts with byte 32/],
    ["no JSON", "{hello}", /not JSON in UTF-8/],
    ["two values", "{} {}", /not JSON in UTF-8/],
    ["no UTF-8", Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), /not JSON in UTF-8/],
    ["a tensor twice", '{"a":1,"b\\u0061":[{}],"ba":2}', /key "ba" twice/],
    ["a field twice", entry({}).replace("[0,8]", '[0,8],"dtype":"F32"'), /key "dtype" twice/],
    ["metadata twice", '{"__metadata__":{},"__metadata__":{}}', /key "__metadata__" twice/],
    ["metadata of numbers", '{"__metadata__":{"a":1}}', /has 1 under "a" in __metadata__; needs a string/],
    ["metadata as a list", '{"__metadata__":["a"]}', /has __metadata__ \["a"\]; needs an object/],
    ["null metadata", '{"__metadata__":null}', /has __metadata__ null/],
    ["a number for a tensor", '{"t":3}', /tensor "t" is described by 3/],
    [
      "another dtype",
      entry({ dtype: "F8_E4M3" }),
      /tensor "t" has dtype "F8_E4M3"; supported are I64, F64, F32/,
    ],
    ["a dtype of Object", entry({ dtype: "toString" }), /has dtype "toString"/],
    ["no dtype", entry({ dtype: undefined }), /has dtype nothing/],
    ["a negative size", entry({ shape: [-2] }), /has shape \[-2\]; needs a list of integers/],
    ["a fraction", entry({ shape: [2.5] }), /has shape \[2.5\]/],
    ["a size as text", entry({ shape: ["2"] }), /has shape \["2"\]/],
    [
      "a size beyond integers",
      '{"t":{"dtype":"F32","shape":[1e400],"data_offsets":[0,8]}}',
      /shape \[Infinity\]/,
    ],
    ["minus zero", '{"t":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}', /has shape/],
    ["17 axes", entry({ shape: Array(17).fill(1) }), /has 17 axes; at most 16/],
    ["a huge shape", entry({ shape: [2 ** 40, 2 ** 40] }), /bytes, but its data_offsets span 8/],
    ["too small a shape", entry({ shape: [1] }), /F32 of shape \[1\], 4 bytes, but its data_offsets span 8/],
    ["one offset", entry({ data_offsets: [0] }), /data_offsets \[0\]; needs two integers/],
    ["offsets backwards", entry({ data_offsets: [8, 0] }), /data_offsets \[8,0\]/],
    ["no offsets", entry({ data_offsets: null }), /data_offsets null/],
    [
      "a hole in front",
      entry({ shape: [1], data_offsets: [4, 8] }),
      /starts at byte 4 and leaves a hole.*end at 0/,
    ],
    [
      "a hole behind",
      entry({ shape: [1], data_offsets: [0, 4] }),
      /trailing bytes: its tensors take 4 bytes, but 8/,
    ],
    [
      "data beyond the end",
      entry({ shape: [3], data_offsets: [0, 12] }),
      /truncated: its tensors take 12 bytes, but 8/,
    ],
  ])("%s", (_, header, message) => {
    expect(failure(file(header, eight))).toMatch(message);
  });

  test("overlapping tensors", () => {
    const header =
      '{"a":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}';
    expect(failure(file(header, eight))).toMatch(
      /tensor "b" starts at byte 4 and overlaps another: .* end at 6/,
    );
  });

  test("a BOOL that is neither 0 nor 1", () => {
    const header = '{"t":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}}';
    expect(failure(file(header, [1, 0, 7]))).toMatch(/tensor "t" is BOOL, but element 2 is the byte 7/);
  });

  test("nesting that would overflow the stack", () => {
    const deep = "[".repeat(200_000) + "]".repeat(200_000);
    expect(failure(file(`{"t":{"dtype":${deep},"shape":[],"data_offsets":[0,0]}}`))).toMatch(
      /dtype a list of 1 entries/,
    );
  });
});

describe("fuzzing", () => {
  const accepts = (bytes: Uint8Array): void => {
    try {
      const { tensors } = parseSafetensors(bytes);
      for (const value of Object.values(tensors)) value.toArray();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  };
  const whole = encodeSafetensors(
    { w: tensor([[1, 2]]), n: array([3n]), on: array([true]), e: zeros([0]) },
    { key: "value" },
  );

  test("bytes changed, cut out or put in give a result or a FormatError", () => {
    const edit = fc.record({
      at: fc.nat(whole.length - 1),
      cut: fc.nat(3),
      put: fc.uint8Array({ maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let bytes: Uint8Array = whole;
        for (const { at, cut, put } of edits) {
          bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);
        }
        accepts(bytes);
        // The same damage under a header length that fits it, or it would be found out at once.
        accepts(file(bytes.subarray(8, Math.max(8, bytes.length - 17)), bytes.subarray(-17)));
      }),
      { numRuns: 2000 },
    );
  });

  test("headers of strange values give a result or a FormatError", () => {
    const size = fc.oneof(fc.nat(9), fc.constantFrom(-1, 0.5, 1e300, 2 ** 53, null, "1", [], {}));
    const odd = fc.constantFrom(null, 1, "x", [], {}, [[]]);
    const description = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom("F32", "F64", "I32", "I64", "U8", "BOOL", "F16", "BF16", "X"), odd),
        shape: fc.oneof(fc.array(size, { maxLength: 18 }), odd),
        data_offsets: fc.oneof(fc.tuple(size, size), odd),
      },
      { requiredKeys: [] },
    );
    const header = fc.dictionary(
      fc.constantFrom("a", "b", "__proto__", "__metadata__"),
      fc.oneof(description, odd),
    );
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 20 }), (json, data) =>
        accepts(file(JSON.stringify(json), data)),
      ),
      { numRuns: 2000 },
    );
  });
});
