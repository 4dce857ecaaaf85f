/** PNG files, taken apart by the rules of the format. */
import { crc32, inflateSync } from "node:zlib";
import { expect, it } from "vitest";
import { encodeGreyPng } from "../../lib/report/png.js";

it("encodes grey pixels as a valid PNG", () => {
  const pixels = Uint8Array.of(0, 50, 100, 150, 200, 255);
  const file = encodeGreyPng(pixels, 3, 2);
  expect([...file.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const body = file.subarray(at + 4, at + 8 + length);
    expect(file.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    chunks.set(body.toString("latin1", 0, 4), body.subarray(4));
    at += length + 12;
  }
  expect([...chunks.keys()]).toEqual(["IHDR", "IDAT", "IEND"]);
  expect([...chunks.get("IHDR")!]).toEqual([0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0]);
  expect([...inflateSync(chunks.get("IDAT")!)]).toEqual([0, 0, 50, 100, 0, 150, 200, 255]);
});
