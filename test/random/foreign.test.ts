/** The numbers of NumPy and PyTorch, bit for bit, draw after draw as they gave them. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DataLoader, TensorDataset } from "../../lib/data/index.js";
import type { TypedArray } from "../../lib/index.js";
import * as nn from "../../lib/nn/index.js";
import { type Algorithm, Generator, rand, randint, randn } from "../../lib/random/index.js";
import { arange, type Tensor } from "../../lib/tensor.js";

type Values = (number | string)[];

interface Draw {
  call: "uniform" | "normal" | "integers" | "permutation" | "shuffle" | "dropoutMask";
  args: never[];
  options: object;
  values?: Values;
  sha256?: string;
  last?: Values;
}

interface Session {
  algorithm: Algorithm;
  seed: string;
  draws: Draw[];
  state?: object;
}

const { sessions, linear } = JSON.parse(
  readFileSync(new URL("../fixtures/random.json", import.meta.url), "utf8"),
) as { sessions: Session[]; linear: Record<"weight" | "bias", number[]> & { epochs: number[][] } };

const start = ({ algorithm, seed }: Session): Generator => new Generator(BigInt(seed), { algorithm });

/** Makes one draw of a session. */
function drawn(generator: Generator, { call, args, options }: Draw): TypedArray {
  if (call === "permutation") return generator.permutation(args[0]);
  if (call === "shuffle") return generator.shuffle(Int32Array.from({ length: args[0] }, (_, i) => i));
  if (call === "dropoutMask") return generator.dropoutMask(args[0], args[1], options).data;
  if (call !== "integers") return generator[call](args[0], options).data;
  return generator.integers(BigInt(args[0]), BigInt(args[1]), args[2], options).data;
}

const listed = (data: TypedArray): Values => [...data].map((x) => (typeof x === "bigint" ? String(x) : x));

/** Sine and cosine are rounded correctly, which the C library's are not always. */
const isInexact = ({ algorithm }: Session, { call, options }: Draw): boolean =>
  algorithm === "torch" && call === "normal" && "dtype" in options && options.dtype === "float64";

describe.each(sessions.map((session) => [session.algorithm, session.seed, session] as const))(
  "%s, seed %s",
  (_algorithm, _seed, session) => {
    test("gives the same numbers in the same order", () => {
      const generator = start(session);
      for (const draw of session.draws) {
        const data = drawn(generator, draw);
        const name = JSON.stringify([draw.call, draw.args, draw.options]);
        if (isInexact(session, draw)) {
          const errors = listed(data).map((x, i) => Math.abs(Number(x) / Number(draw.values?.[i]) - 1));
          expect(Math.max(...errors), name).toBeLessThan(2 ** -51);
        } else if (draw.values) {
          expect(listed(data), name).toEqual(draw.values);
        } else {
          expect(listed(data.subarray(data.length - 4) as TypedArray), name).toEqual(draw.last);
          const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
          expect(createHash("sha256").update(bytes).digest("hex"), name).toBe(draw.sha256);
        }
      }
      if (session.state) expect(generator.getState()).toMatchObject(session.state);
    });

    test("goes on from a state that went through JSON, after every draw", () => {
      const generator = start(session);
      const other = new Generator(5, { algorithm: session.algorithm });
      for (const draw of session.draws) {
        drawn(generator, draw);
        other.setState(JSON.parse(JSON.stringify(generator.getState())));
        const ahead = new Generator(6, { algorithm: session.algorithm }).setState(generator.getState());
        expect(other.getState()).toEqual(generator.getState());
        const numbers = (g: Generator): Tensor[] => [
          g.normal([3]),
          g.uniform([2]),
          g.integers(0, 99, [3]),
          g.normal([2], { dtype: "float64" }),
        ];
        expect(numbers(other).map((x) => x.toArray())).toEqual(numbers(ahead).map((x) => x.toArray()));
      }
    });

    test("begins anew when it is seeded again", () => {
      const generator = start(session);
      const fresh = generator.getState();
      generator.normal([5]);
      generator.uniform([700]);
      expect(generator.getState()).not.toEqual(fresh);
      expect(generator.seed(BigInt(session.seed)).getState()).toEqual(fresh);
    });
  },
);

describe("where a generator is accepted", () => {
  const torch = (seed: number | bigint): Generator => new Generator(seed, { algorithm: "torch" });

  test("rand, randn and randint draw from it", () => {
    const options = () => ({ generator: torch(1) });
    expect(rand([3], options()).toArray()).toEqual(torch(1).uniform([3]).toArray());
    expect(randn([3], options()).toArray()).toEqual(torch(1).normal([3]).toArray());
    const integers = randint(0, 2n ** 40n, [3], { ...options(), dtype: "int64" });
    expect(integers.dtype).toBe("int64");
    expect(integers.toArray()).toEqual(
      torch(1)
        .integers(0, 2n ** 40n, [3], { dtype: "int64" })
        .toArray(),
    );
  });

  test("a linear layer begins with PyTorch's parameters", () => {
    const generator = torch(7);
    const layer = new nn.Linear(7, 5, { generator });
    expect([...layer.weight.data]).toEqual(linear.weight);
    expect([...layer.bias!.data]).toEqual(linear.bias);
    // PyTorch's loader draws a seed for workers, and one for the generator of the order.
    const seed = () => generator.integers(0, 2n ** 63n, [], { dtype: "int64" }).data[0];
    const orders = linear.epochs.map(() => {
      seed();
      return [...torch(seed()).permutation(12)];
    });
    expect(orders).toEqual(linear.epochs);
  });

  test("a loader shuffles by it, and resumes", () => {
    const make = () => new DataLoader(new TensorDataset(arange(12)), { shuffle: true, generator: torch(3) });
    const epoch = (loader: DataLoader): number[] => Array.from(loader, ([x]) => Number(x.data[0]));
    const first = make();
    const order = epoch(first);
    expect(order).toEqual([...torch(3).permutation(12)]);
    const state = JSON.parse(JSON.stringify(first.getState()));
    expect(epoch(make().setState(state))).toEqual(epoch(first));
  });

  test("dropout takes its mask", () => {
    const generator = () => new Generator(3, { algorithm: "numpy-legacy" });
    const x = rand([20], { generator: generator() });
    const kept = nn.functional.dropout(x, { p: 0.5, generator: generator() });
    expect(kept.toArray()).toEqual(x.mul(generator().dropoutMask([20], 0.5)).toArray());
  });
});
