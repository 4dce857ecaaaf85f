/** IDX files: known bytes, round trips of every type, and one FormatError per way a file can be wrong. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ArgumentError, DTypeError, FormatError, ShapeError } from "../../lib/errors.js";
import { encodeIdx, type IdxArray, parseIdx, readIdx, writeIdx } from "../../lib/io/idx.js";

const SAMPLES: readonly IdxArray[] = [
  { dtype: "uint8", shape: [2, 3], data: Uint8Array.of(0, 1, 2, 127, 128, 255) },
  { dtype: "int32", shape: [3], data: Int32Array.of(1, -2, 2 ** 31 - 1) },
  { dtype: "float32", shape: [2, 1, 2], data: Float32Array.of(1.5, -0, Infinity, NaN) },
  { dtype: "float64", shape: [2, 2], data: Float64Array.of(Math.PI, -1e-310, NaN, -Infinity) },
  { dtype: "float64", shape: [], data: Float64Array.of(7) },
  { dtype: "int32", shape: [0, 5], data: new Int32Array(0) },
];

const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values);
const uint8File = (...values: number[]): Uint8Array => bytesOf(0, 0, 8, 1, 0, 0, 0, values.length, ...values);

/** The FormatError of parsing `bytes`, after checking that it is one paragraph and names the file. */
function failure(bytes: Uint8Array): string {
  let thrown: unknown;
  try {
    parseIdx(bytes, "some-file");
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(FormatError);
  const { message } = thrown as FormatError;
  expect(message).toContain("some-file");
  expect(message).not.toContain("\n");
  return message;
}

describe("the format", () => {
  it("is big-endian: known bytes to values and back", () => {
    const file = bytesOf(0, 0, 0x0c, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 1, 2, 255, 255, 255, 254);
    const array = parseIdx(file, "known");
    expect(array).toEqual({ dtype: "int32", shape: [1, 2], data: Int32Array.of(258, -2) });
    expect(encodeIdx(array)).toEqual(file);
    const one = bytesOf(0, 0, 0x0d, 0, 0x3f, 0x80, 0, 0);
    expect(encodeIdx({ dtype: "float32", shape: [], data: Float32Array.of(1) })).toEqual(one);
    const two = bytesOf(0, 0, 0x0e, 0, 0x40, 0, 0, 0, 0, 0, 0, 0);
    expect(parseIdx(two, "two").data).toEqual(Float64Array.of(2));
  });

  it.each(SAMPLES)("round trip of $dtype $shape, plain and gzipped", (array) => {
    const bytes = encodeIdx(array);
    expect(parseIdx(bytes, "plain")).toEqual(array);
    expect(parseIdx(gzipSync(bytes), "packed")).toEqual(array);
  });

  it("reads and writes views into larger buffers and shares no memory with its input", () => {
    const file = uint8File(5, 6);
    const inside = bytesOf(9, ...file, 9).subarray(1, 1 + file.length);
    const { data } = parseIdx(inside, "view");
    inside.fill(0);
    expect(data).toEqual(bytesOf(5, 6));
    const part = Float32Array.of(0, 1, 2).subarray(1);
    expect(parseIdx(encodeIdx({ dtype: "float32", shape: [2], data: part }), "part").data).toEqual(part);
    expect(part).toEqual(Float32Array.of(1, 2));
  });

  it("reads several gzip members as one stream, as gzip does", () => {
    const file = uint8File(1, 2, 3);
    const packed = Buffer.concat([gzipSync(file.subarray(0, 6)), gzipSync(file.subarray(6))]);
    expect(parseIdx(packed, "members").data).toEqual(bytesOf(1, 2, 3));
  });

  it("finds the header behind a long gzip file name", () => {
    const packed = gzipSync(uint8File(4));
    const name = new Uint8Array(5000).fill(0x61);
    const renamed = Buffer.concat([
      packed.subarray(0, 3),
      bytesOf(8),
      packed.subarray(4, 10),
      name,
      bytesOf(0),
      packed.subarray(10),
    ]);
    expect(parseIdx(renamed, "named").data).toEqual(bytesOf(4));
  });
});

describe("refused files", () => {
  it("empty, plain and gzipped", () => {
    expect(failure(new Uint8Array(0))).toMatch(/is empty/);
    expect(failure(gzipSync(new Uint8Array(0)))).toMatch(/is empty/);
  });

  it("wrong magic", () => {
    expect(failure(bytesOf(0x89, 0x50, 0x4e, 0x47))).toMatch(
      /no IDX file: it starts with 0x89 0x50 0x4e 0x47/,
    );
    expect(failure(bytesOf(0, 1, 8, 1))).toMatch(/no IDX file/);
  });

  it("element types that are not supported, saying which are", () => {
    const supported = "supported are 0x08 uint8, 0x0c int32, 0x0d float32, 0x0e float64";
    expect(failure(bytesOf(0, 0, 0x09, 1, 0, 0, 0, 0))).toContain(`0x09 (signed byte); ${supported}`);
    expect(failure(bytesOf(0, 0, 0x0b, 1, 0, 0, 0, 0))).toContain(`0x0b (short); ${supported}`);
    expect(failure(bytesOf(0, 0, 0x07, 1, 0, 0, 0, 0))).toContain(`0x07; ${supported}`);
  });

  it("truncated header and truncated elements, with the bytes expected and found", () => {
    expect(failure(bytesOf(0))).toMatch(/truncated: its header needs 4 bytes, but only 1/);
    expect(failure(bytesOf(0, 0, 8, 3, 0, 0))).toMatch(/truncated: its header needs 16 bytes, but only 6/);
    const short = uint8File(1, 2, 3).subarray(0, 9);
    const message = /truncated: uint8 elements of shape \[3\] make a file of 11 bytes, but there are 9/;
    expect(failure(short)).toMatch(message);
    expect(failure(gzipSync(short))).toMatch(message);
  });

  it("trailing bytes, plain, gzipped, and after the gzip stream", () => {
    const long = bytesOf(...uint8File(1, 2), 3);
    expect(failure(long)).toMatch(/trailing bytes: .* file of 10 bytes, but there are 11/);
    expect(failure(gzipSync(long))).toMatch(/trailing bytes: its header announces 10 bytes/);
    expect(failure(Buffer.concat([gzipSync(uint8File(1)), bytesOf(1, 2, 3)]))).toMatch(/damaged gzip/);
  });

  it("truncated and damaged gzip", () => {
    const values = Array.from({ length: 5000 }, (_, i) => (i * i * 7919) % 251);
    const header = bytesOf(0, 0, 8, 1, 0, 0, 5000 >> 8, 5000 & 255);
    const packed = gzipSync(bytesOf(...header, ...values));
    expect(parseIdx(packed, "whole").data).toEqual(bytesOf(...values));
    expect(failure(packed.subarray(0, packed.length - 20))).toMatch(/truncated gzip/);
    expect(failure(packed.subarray(0, packed.length - 1))).toMatch(/truncated gzip/);
    expect(failure(packed.subarray(0, 5))).toMatch(/is empty|truncated/);
    const wrongSum = Uint8Array.from(packed);
    wrongSum[packed.length - 6] ^= 1;
    expect(failure(wrongSum)).toMatch(/damaged gzip \(incorrect data check\)/);
    const wrongBlock = Uint8Array.from(packed);
    wrongBlock[10] |= 0b110; // a block type that deflate does not have
    expect(failure(wrongBlock)).toMatch(/damaged gzip \(invalid block type\)/);
  });

  it("more axes than any array has", () => {
    expect(failure(bytesOf(0, 0, 8, 255, 0, 0, 0, 1))).toMatch(/announces 255 axes; at most 16/);
  });

  it("sizes that the file cannot hold, without allocating them", () => {
    const absurd = bytesOf(0, 0, 0x0e, 2, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3);
    expect(failure(absurd)).toMatch(/truncated: float64 elements of shape \[4294967295,4294967295\]/);
    const before = process.memoryUsage().arrayBuffers;
    const gigabytes = gzipSync(bytesOf(0, 0, 8, 1, 0x7f, 255, 255, 255, 1));
    expect(failure(gigabytes)).toMatch(
      /truncated: .* 2147483655 bytes, but \d+ gzipped bytes cannot hold them/,
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });

  it("gzip bombs: unpacking stops at what the header announces", () => {
    const bomb = gzipSync(Buffer.concat([uint8File(1), new Uint8Array(2 ** 26)]));
    const before = process.memoryUsage().arrayBuffers;
    expect(failure(bomb)).toMatch(/trailing bytes: its header announces 9 bytes, but it unpacks to more/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });

  it("a bomb in front of the header's end", () => {
    const header = gzipSync(bytesOf(0, 0, 8)).subarray(0, 10);
    const stored = bytesOf(0, 0, 0, 255, 255); // an empty stored block
    const padding = Buffer.concat(Array.from({ length: 2 ** 16 }, () => stored));
    const zeros = deflateRawSync(new Uint8Array(2 ** 27));
    expect(failure(Buffer.concat([header, padding, zeros]))).toMatch(/damaged gzip/);
  });
});

describe("encodeIdx refuses", () => {
  const data = Uint8Array.of(1, 2, 3);

  it("shapes that do not describe the data", () => {
    expect(() => encodeIdx({ dtype: "uint8", shape: [2], data })).toThrow(ShapeError);
    expect(() => encodeIdx({ dtype: "uint8", shape: [2], data })).toThrow(/shape \[2\] .* 3 elements/);
    expect(() => encodeIdx({ dtype: "uint8", shape: [1.5, 2], data })).toThrow(ShapeError);
    expect(() => encodeIdx({ dtype: "uint8", shape: [-1, -3], data })).toThrow(ShapeError);
    expect(() => encodeIdx({ dtype: "uint8", shape: [...Array(16).fill(1), 3], data })).toThrow(ShapeError);
  });

  it("dtypes that IDX lacks or the data is not", () => {
    expect(() => encodeIdx({ dtype: "float32", shape: [3], data })).toThrow(
      /needs its data in a Float32Array/,
    );
    const int64 = { dtype: "int64", shape: [3], data } as unknown as IdxArray;
    expect(() => encodeIdx(int64)).toThrow(DTypeError);
  });
});

describe("files", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "thalweg-idx-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("round trip, gzipped by the name's ending or on request", async () => {
    const array = SAMPLES[3];
    for (const [name, options, packed] of [
      ["a", {}, false],
      ["a.gz", {}, true],
      ["b", { gzip: true }, true],
      ["b.gz", { gzip: false }, false],
    ] as const) {
      const path = join(folder, name);
      await writeIdx(path, array, options);
      expect((await readFile(path))[0] === 0x1f).toBe(packed);
      expect(await readIdx(path)).toEqual(array);
    }
  });

  it("names a missing file and keeps the cause", async () => {
    const path = join(folder, "missing");
    const error = await readIdx(path).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FormatError);
    expect(error).toMatchObject({ cause: { code: "ENOENT" } });
    expect((error as Error).message).toContain(path);
  });

  it("names a broken file", async () => {
    const path = join(folder, "broken");
    await writeFile(path, uint8File(1, 2).subarray(0, 9));
    await expect(readIdx(path)).rejects.toThrow(`${path} is truncated`);
    const packed = gzipSync(uint8File(1, 2));
    await writeFile(path, packed.subarray(0, packed.length - 1));
    await expect(readIdx(path)).rejects.toThrow(`${path} is truncated gzip`);
  });

  it("writes nothing when the array or an option is wrong", async () => {
    const path = join(folder, "never");
    const data = Uint8Array.of(1);
    await expect(writeIdx(path, { dtype: "uint8", shape: [2], data })).rejects.toThrow(ShapeError);
    const wrong = { gzip: 1 as unknown as boolean };
    await expect(writeIdx(path, { dtype: "uint8", shape: [1], data }, wrong)).rejects.toThrow(ArgumentError);
    expect(existsSync(path)).toBe(false);
  });
});

const MNIST = process.env.THALWEG_MNIST ?? "../shared/data/mnist";

describe.skipIf(!existsSync(MNIST))(`MNIST in ${MNIST} (skipped where it is absent)`, () => {
  it("reads the test set", async () => {
    const images = await readIdx(join(MNIST, "t10k-images-idx3-ubyte.gz"));
    const labels = await readIdx(join(MNIST, "t10k-labels-idx1-ubyte.gz"));
    expect(images.dtype).toBe("uint8");
    expect(images.shape).toEqual([10000, 28, 28]);
    expect(labels.shape).toEqual([10000]);
    expect([...labels.data.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4]);
  });
});
