// The addon from outside: what it computes, what it throws, and that nothing makes it crash.
// `node addon_test.mjs path/to/thalweg.node`
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { resolve as resolvePath } from "node:path";
import { isMainThread, Worker, workerData } from "node:worker_threads";

const path = isMainThread ? resolvePath(process.argv[2]) : workerData.path;
const load = () => createRequire(import.meta.url)(path);
const addon = load();
const info = addon.info();
const id = (name) => info.kernels.findIndex((line) => line.startsWith(`${name}:`));

const X = [1, 2, 3, 4];
const ADD = Float64Array.of(id("add_f32"), 13, 0, 0, 1, 0, 2, 0, 1, 4, 1, 1, 1);
const arrays = () => [Float32Array.from(X), Float32Array.of(10, 20, 30, 40), new Float32Array(4)];
const SUM = [11, 22, 33, 44];

/** Asserts that a call throws an Error with this code, and a message that matches. */
function fails(code, message, body) {
  assert.throws(body, (error) => {
    assert.ok(error instanceof Error, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

/** Numbers in [0, 1), the same in every run. */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    return ((mixed ^ (mixed >>> 12)) >>> 0) / 2 ** 32;
  };
}

const tests = {
  "info describes the table"() {
    assert.equal(info.version, info.version >>> 0);
    assert.deepEqual(info.kernels, [...info.kernels].sort());
    assert.ok(info.kernels.includes("matmul_f32:f32[Bmk], f32[Bkn] -> f32[Bmn]:"));
    assert.equal(info.levels[0], "scalar");
    assert.match(info.compiler, /\w+ \d/);
  },

  "configure sets level and threads"() {
    const before = addon.configure({});
    assert.equal(before.isa, info.levels.at(-1));
    for (const isa of info.levels) assert.equal(addon.configure({ isa }).isa, isa);
    assert.deepEqual(addon.configure({ threads: 3, isa: undefined }), {
      isa: info.levels.at(-1),
      threads: 3,
    });
    fails("ERR_BACKEND", /"sse9" does not run here; use one of scalar/, () =>
      addon.configure({ isa: "sse9" }),
    );
    for (const threads of [0, 257, 1.5, NaN, "2", null]) {
      fails("ERR_ARGUMENT", /threads must be an integer from 1 to 256/, () => addon.configure({ threads }));
    }
    for (const isa of [3, null, {}])
      fails("ERR_ARGUMENT", /isa must be a string/, () => addon.configure({ isa }));
    for (const options of [undefined, null, 3, "scalar"]) {
      fails("ERR_ARGUMENT", /must be an object/, () => addon.configure(options));
    }
    const thrown = new Error("from a getter");
    assert.throws(
      () =>
        addon.configure({
          get isa() {
            throw thrown;
          },
        }),
      thrown,
    );
    assert.deepEqual(addon.configure({ threads: before.threads }), before);
  },

  "run computes"() {
    const buffers = arrays();
    assert.equal(addon.run(ADD, 13, ...buffers), undefined);
    assert.deepEqual([...buffers[2]], SUM);
    addon.run(ADD, 0);
  },

  "run refuses arguments of the wrong kind"() {
    const [x, y, z] = arrays();
    for (const words of [
      undefined,
      null,
      1,
      "words",
      [1],
      {},
      new Float32Array(13),
      new DataView(ADD.buffer),
    ]) {
      fails("ERR_ARGUMENT", /words must be a Float64Array/, () => addon.run(words, 13, x, y, z));
    }
    for (const count of [undefined, null, "13", 13n, NaN, -1, 14, 1.5, Infinity]) {
      fails("ERR_ARGUMENT", /count must be an integer from 0 to the 13 words/, () =>
        addon.run(ADD, count, x, y, z),
      );
    }
    const others = [
      undefined,
      null,
      1,
      [1],
      {},
      Symbol("x"),
      () => 0,
      x.buffer,
      new DataView(x.buffer),
      new Uint16Array(4),
      new Int8Array(4),
      new Uint8ClampedArray(4),
      new Uint32Array(4),
      new BigUint64Array(4),
    ];
    for (const other of others) {
      fails("ERR_ARGUMENT", /run: buffer 1 must be a Float32Array/, () => addon.run(ADD, 13, x, other, z));
    }
    fails("ERR_ARGUMENT", /words/, () => addon.run());
    fails("ERR_PROGRAM", /slot is 2/, () => addon.run(ADD, 13, x, y));
    fails("ERR_PROGRAM", /buffer 1 of f64; it must be of f32/, () =>
      addon.run(ADD, 13, x, new Float64Array(4), z),
    );
    const many = Array.from({ length: 1000 }, () => x);
    fails("ERR_ARGUMENT", /run: buffer 1003 must be/, () => addon.run(ADD, 13, x, y, z, ...many, "a"));
    for (const more of [0, 28, 29, 30, 31, 1000]) {
      z.fill(0);
      addon.run(ADD, 13, x, y, z, ...many.slice(0, more));
      assert.deepEqual([...z], SUM);
    }
  },

  "run refuses programs that leave their buffers"() {
    for (const [word, value, message] of [
      [3, 1, /operand 0 reaches element 4/],
      [9, 5, /reaches element 4/],
      [10, -1, /reaches element -3/],
      [12, 0, /must not be 0/],
      [0, 1e9, /kernel is 1000000000/],
      [1, 12, /has 12 words/],
    ]) {
      const words = ADD.slice();
      words[word] = value;
      fails("ERR_PROGRAM", message, () => addon.run(words, 13, ...arrays()));
    }
  },

  "a bad index is an index error and writes nothing"() {
    const x = new Float32Array(10),
      index = Int32Array.of(0, 12, 3),
      out = new Float32Array(3).fill(7);
    const words = Float64Array.of(id("gather_f32"), 16, 0, 0, 1, 0, 2, 0, 10, 1, 3, 1, 1, 1, 1, 1);
    fails("ERR_INDEX", /^gather_f32: index 12 at position 1 is outside \[0, 10\)$/, () =>
      addon.run(words, 16, x, index, out),
    );
    assert.deepEqual([...out], [7, 7, 7]);
  },

  "a program may overwrite its own words"() {
    const words = Float64Array.of(...ADD, ...ADD);
    const fill = [id("fill_f64"), 8, 0, 0, 1, 26, 1, 99];
    const both = Float64Array.of(...fill, ...fill);
    both[5] = both[13] = 16;
    addon.run(both, 16, both);
    assert.ok(both.every((word) => word === 99));
    assert.equal(words.length, 26);
  },

  "shared, resizable and detached memory"() {
    const shared = arrays().map((array) => {
      const copy = new Float32Array(new SharedArrayBuffer(16));
      copy.set(array);
      return copy;
    });
    addon.run(ADD, 13, ...shared);
    assert.deepEqual([...shared[2]], SUM);

    const [x, y] = arrays();
    const resizable = new ArrayBuffer(16, { maxByteLength: 64 });
    const z = new Float32Array(resizable),
      fixed = new Float32Array(resizable, 0, 4);
    const handle = addon.create(ADD, 13, [x, y, z]);
    addon.execute(handle);
    assert.deepEqual([...z], SUM);
    resizable.resize(8);
    fails("ERR_PROGRAM", /buffer with 2/, () => addon.run(ADD, 13, x, y, z));
    fails("ERR_PROGRAM", /buffer with 0/, () => addon.run(ADD, 13, x, y, fixed));
    fails("ERR_PROGRAM", /buffer 2 has 2 elements of f32; it needs 4/, () => addon.execute(handle));
    resizable.resize(64);
    addon.execute(handle);
    assert.deepEqual([...z.subarray(0, 4)], SUM);

    structuredClone(x, { transfer: [x.buffer] });
    fails("ERR_PROGRAM", /buffer with 0/, () => addon.run(ADD, 13, x, y, z));
    fails("ERR_PROGRAM", /buffer 0 has 0 elements/, () => addon.execute(handle));
    const words = ADD.slice();
    structuredClone(words, { transfer: [words.buffer] });
    fails("ERR_ARGUMENT", /0 words/, () => addon.run(words, 13, y, y, z));
  },

  "compiled programs"() {
    const buffers = arrays();
    const list = [...buffers];
    const handle = addon.create(ADD, 13, list);
    list.length = 0;
    addon.execute(handle);
    assert.deepEqual([...buffers[2]], SUM);
    buffers[0].fill(0);
    addon.execute(handle);
    assert.deepEqual([...buffers[2]], [10, 20, 30, 40]);
    assert.equal(addon.release(handle), undefined);
    addon.release(handle);
    fails("ERR_ARGUMENT", /has been released/, () => addon.execute(handle));
    const many = Array.from({ length: 1000 }, () => buffers[0]);
    addon.execute(addon.create(ADD, 13, [...buffers, ...many]));
  },

  "create refuses what is no program"() {
    for (const list of [undefined, null, 3, {}, new Float32Array(4), { length: 3 }]) {
      fails("ERR_ARGUMENT", /buffers must be an array/, () => addon.create(ADD, 13, list));
    }
    const [x, y] = arrays();
    fails("ERR_ARGUMENT", /create: buffer 2 must be/, () => addon.create(ADD, 13, [x, y, 3]));
    fails("ERR_ARGUMENT", /create: buffer 2 must be/, () =>
      addon.create(ADD, 13, [x, y, new Uint16Array(4)]),
    );
    fails("ERR_ARGUMENT", /words must be/, () => addon.create([], 13, arrays()));
    fails("ERR_ARGUMENT", /count must be/, () => addon.create(ADD, 14, arrays()));
    fails("ERR_PROGRAM", /slot is 0/, () => addon.create(ADD, 13, []));
    const thrown = new Error("from a getter");
    assert.throws(
      () =>
        addon.create(
          ADD,
          13,
          Object.defineProperty([x, y], 2, {
            get() {
              throw thrown;
            },
          }),
        ),
      thrown,
    );
  },

  "buffers that shrink while create reads them"() {
    const [x, y] = arrays();
    const list = [x, y];
    Object.defineProperty(list, 2, {
      get() {
        structuredClone(x, { transfer: [x.buffer] });
        addon.run(ADD, 13, ...arrays());
        return new Float32Array(4);
      },
    });
    fails("ERR_PROGRAM", /operand 0 reaches element 3 of a buffer with 0/, () => addon.create(ADD, 13, list));
  },

  "handles are told from everything else"() {
    const foreign = [undefined, null, 0, {}, [], ADD, Object.create(null), process, new Proxy({}, {})];
    for (const handle of foreign) {
      fails("ERR_ARGUMENT", /execute: the argument must be a handle/, () => addon.execute(handle));
      fails("ERR_ARGUMENT", /release: the argument must be a handle/, () => addon.release(handle));
    }
  },

  "a second copy of the module has its own state"() {
    const require = createRequire(import.meta.url);
    delete require.cache[require.resolve(path)];
    const second = load();
    assert.notEqual(second, addon);
    second.configure({ isa: "scalar", threads: 2 });
    assert.equal(addon.configure({}).isa, info.levels.at(-1));
    const handle = addon.create(ADD, 13, arrays());
    fails("ERR_ARGUMENT", /must be a handle/, () => second.execute(handle));
  },

  async "collected programs free their memory"() {
    if (globalThis.gc === undefined) return;
    const rss = () => process.memoryUsage().rss + process.memoryUsage().external;
    const words = new Float64Array(13 * 200);
    for (let i = 0; i < 200; i++) words.set(ADD, 13 * i);
    const round = async () => {
      for (let i = 0; i < 300; i++)
        addon.create(words, words.length, [new Float32Array(1 << 16), ...arrays()].slice(1));
      globalThis.gc();
      await new Promise((resolve) => setImmediate(resolve));
    };
    for (let i = 0; i < 3; i++) await round();
    const before = rss();
    for (let i = 0; i < 10; i++) await round();
    assert.ok(rss() - before < 50e6, `${(rss() - before) / 1e6} MB more`);
  },

  "random words over a shared arena never crash"() {
    const random = randomNumbers(1);
    const below = (n) => Math.floor(random() * n);
    const hostile = [
      NaN,
      Infinity,
      -Infinity,
      2 ** 53,
      -(2 ** 53),
      2 ** 53 - 1,
      1 - 2 ** 53,
      2 ** 31,
      0.5,
      -0,
      1e300,
    ];
    const arena = new ArrayBuffer(4096);
    const views = [
      new Float32Array(arena),
      new Float64Array(arena, 8, 100),
      new Int32Array(arena, 0, 64),
      new Uint8Array(arena, 3, 500),
      new BigInt64Array(arena, 16, 50),
    ];
    const storages = ["f32", "f64", "i32", "u8", "i64"];
    const words = new Float64Array(400);
    let ran = 0;
    for (let trial = 0; trial < 30000; trial++) {
      if (trial % 10 === 0)
        new Int32Array(arena).forEach((_, i, all) => {
          all[i] = below(6);
        });
      const kernel = below(info.kernels.length);
      const [, signature, scalars] = info.kernels[kernel].split(":");
      const counts = [];
      const operands = [...signature.matchAll(/(\w+)\[(\w*)\](\*?)/g)].flatMap((operand) => {
        if (operand[3] === "") return [operand];
        counts.push(below(3));
        return Array(counts.at(-1)).fill(operand);
      });
      const letters = [...new Set(operands.flatMap(([, , axes]) => [...axes]))];
      const ranks = new Map(letters.map((letter) => [letter, letter < "a" ? below(3) : 1]));
      const row = [kernel, 0, ...counts];
      for (const [, type] of operands) row.push(storages.indexOf(type), below(10));
      for (const [letter, rank] of ranks) {
        if (letter < "a") row.push(rank);
        for (let i = 0; i < rank; i++) row.push(below(6));
      }
      for (const [, , axes] of operands)
        for (const letter of axes) for (let i = 0; i < ranks.get(letter); i++) row.push(below(12) - 3);
      for (const name of scalars.split(" ").filter(Boolean)) {
        for (let n = name.endsWith("*") ? below(20) : 1; n > 0; n--) row.push(below(5) / 2);
      }
      row[1] = row.length;
      if (below(3) === 0) row[2 + below(row.length - 2)] = hostile[below(hostile.length)];
      words.set(row);
      try {
        // Sizes in the billions over strides of 0 are valid, but nobody wants to wait for them.
        if (row.slice(2 + counts.length + 2 * operands.length).some((word) => word > 1e4)) {
          addon.release(addon.create(words, row.length, views));
          continue;
        }
        addon.run(words, row.length, ...views);
        ran++;
      } catch (error) {
        assert.ok(error.code === "ERR_PROGRAM" || error.code === "ERR_INDEX", error.stack);
      }
    }
    assert.ok(ran > 3000, `${ran} programs ran`);
  },

  async "workers at once, and an exit in mid-step"() {
    const run = (mode) =>
      new Promise((resolve, reject) => {
        const worker = new Worker(new URL(import.meta.url), { workerData: { path, mode } });
        worker.on("error", reject);
        worker.on("exit", resolve);
        if (mode === "forever") worker.on("message", () => worker.terminate());
      });
    const codes = await Promise.all([
      run("count"),
      run("count"),
      run("count"),
      run("forever"),
      run("forever"),
    ]);
    assert.deepEqual(codes, [0, 0, 0, 1, 1]);
  },
};

if (isMainThread) {
  for (const [name, test] of Object.entries(tests)) {
    await test();
    console.log(`ok   ${name}`);
  }
} else {
  const { parentPort } = await import("node:worker_threads");
  addon.configure({ threads: 4, isa: info.levels[workerData.mode === "count" ? 0 : info.levels.length - 1] });
  const n = 200000;
  const [x, y, z] = [new Float32Array(n).fill(1), new Float32Array(n).fill(2), new Float32Array(n)];
  const words = Float64Array.of(id("add_f32"), 13, 0, 0, 1, 0, 2, 0, 1, n, 1, 1, 1);
  const handle = addon.create(words, 13, [x, y, z]);
  for (let i = 0; workerData.mode === "forever" || i < 200; i++) {
    z.fill(0);
    addon.execute(handle);
    if (z.some((value) => value !== 3)) throw new Error("wrong sum");
    if (i === 50) parentPort.postMessage("running");
  }
}
