import { describe, expect, test } from "vitest";
import { digits } from "../../lib/data/digits.js";
import { drawDigits } from "../../lib/data/digits_images.js";
import { ArgumentError } from "../../lib/errors.js";

describe("digits", () => {
  test("are n training and n / 5 test images from one stream, none in both", () => {
    const { train, test: held } = digits({ n: 21, seed: 4 });
    expect(train.shape).toEqual([21, 28, 28]);
    expect(held.shape).toEqual([5, 28, 28]);
    const { images, labels } = drawDigits(26, 4);
    expect([...train.images.data, ...held.images.data]).toEqual([...images]);
    expect([...train.labels.data, ...held.labels.data]).toEqual([...labels]);
  });

  test("are 12,000 and 2,400 with seed 0 by default", () => {
    const { train, test: held } = digits();
    expect([train.length, held.length]).toEqual([12_000, 2400]);
    expect(train.images.slice(3).toArray()).toEqual(
      digits({ n: 4, seed: 0 }).train.images.slice(3).toArray(),
    );
  });

  test("await takes them too", async () => {
    const { train } = await digits({ n: 1 });
    expect(train.get(0)[0].shape).toEqual([784]);
  });

  test.each([{ n: 0 }, { n: 1.5 }, { n: 1_000_001 }, { seed: -1 }, { n: "9" }])("refuse %j", (options) => {
    expect(() => digits(options as never)).toThrow(ArgumentError);
  });
});
