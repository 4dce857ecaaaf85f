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
    for (const yields of [1, null, "true"]) {
      fails("ERR_ARGUMENT", /yields must be true or false/, () => addon.configure({ yields, threads: 2 }));
    }
    assert.equal(addon.configure({ yields: true }).threads, 3);
    addon.configure({ yields: false });
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

    const bound = addon.create(ADD, 13, shared);
    shared[2].fill(0);
    addon.execute(bound);
    assert.deepEqual([...shared[2]], SUM);
    // Three parts of one buffer, one of them at its end.
    const memory = new ArrayBuffer(48, { maxByteLength: 64 });
    const parts = [0, 16, 32].map((at) => new Float32Array(memory, at, 4));
    for (const i of [0, 1]) parts[i].set(arrays()[i]);
    const together = addon.create(ADD, 13, parts);
    addon.execute(together);
    assert.deepEqual([...parts[2]], SUM);
    memory.resize(40);
    fails("ERR_PROGRAM", /buffer 2 has 2 elements of f32; it needs 4/, () => addon.execute(together));
    memory.resize(0);
    fails("ERR_PROGRAM", /buffer 0 has 0 elements/, () => addon.execute(together));
    memory.resize(64);
    for (const i of [0, 1]) parts[i].set(arrays()[i]);
    addon.execute(together);
    assert.deepEqual([...parts[2]], SUM);
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
    const many = Array.from({ length: 1000 }, () => buffers[0]);
    addon.execute(addon.create(ADD, 13, [...buffers, ...many]));
  },

  "a handle keeps its buffers, and nobody can take them from it"() {
    const out = new Float32Array(4);
    const handle = addon.create(ADD, 13, [arrays()[0], arrays()[1], out]);
    assert.throws(() => {
      delete handle.buffers;
    }, TypeError);
    assert.throws(() => {
      handle.buffers = [];
    }, TypeError);
    assert.throws(() => {
      handle.buffers[0] = null;
    }, TypeError);
    for (let i = 0; i < 3; i++) globalThis.gc?.();
    addon.execute(handle);
    assert.deepEqual([...out], SUM);
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

  "rebound slots and patched words"() {
    const SGD = Float64Array.of(id("sgd_f32"), 10, 0, 0, 1, 0, 4, 1, 1, 0.5, 0, 0);
    SGD[1] = SGD.length;
    const make = (rebound, patched, words = SGD) =>
      addon.create(words, words.length, [new Float32Array(4).fill(1), new Float32Array(4)], rebound, patched);
    for (const list of [3, null, [0], new Float64Array(1), new Uint8Array(1)]) {
      fails("ERR_ARGUMENT", /rebound must be an Int32Array/, () => make(list));
      fails("ERR_ARGUMENT", /patched must be an Int32Array/, () => make(undefined, list));
    }
    for (const slot of [-1, 2, 2 ** 30]) {
      fails("ERR_ARGUMENT", /rebound\[0\] is -?\d+; it must be in \[0, 2\)/, () => make(Int32Array.of(slot)));
    }
    for (const word of [-1, SGD.length]) {
      fails("ERR_ARGUMENT", /patched\[0\] is/, () => make(undefined, Int32Array.of(word)));
    }
    for (const word of [0, 1, 2, 3, 6, 7, 8]) {
      fails("ERR_ARGUMENT", /is no scalar/, () => make(undefined, Int32Array.of(word)));
    }
    fails("ERR_ARGUMENT", /rebound names a slot twice/, () => make(Int32Array.of(1, 0, 1)));

    const handle = make(Int32Array.of(1), Int32Array.of(9));
    const target = new Float32Array(4);
    for (const scalars of [undefined, null, 1, [1], new Float64Array(0), new Float32Array(1)]) {
      fails("ERR_ARGUMENT", /scalars must be a Float64Array of at least 1/, () =>
        addon.execute(handle, scalars, target),
      );
    }
    fails("ERR_ARGUMENT", /needs 1 buffers, got 0/, () => addon.execute(handle, Float64Array.of(1)));
    fails("ERR_ARGUMENT", /needs 1 buffers, got 2/, () =>
      addon.execute(handle, Float64Array.of(1), target, target),
    );
    fails("ERR_ARGUMENT", /buffer 0 must be/, () => addon.execute(handle, Float64Array.of(1), {}));
    fails("ERR_PROGRAM", /has 3 elements of f32; it needs 4/, () =>
      addon.execute(handle, Float64Array.of(1), new Float32Array(3)),
    );
    fails("ERR_PROGRAM", /of f64; it needs 4 of f32/, () =>
      addon.execute(handle, Float64Array.of(1), new Float64Array(4)),
    );
    addon.execute(handle, Float64Array.of(2), target);
    assert.deepEqual([...target], [-2, -2, -2, -2]);
  },

  "patched code of a chain is checked at every run"() {
    const random = randomNumbers(7);
    // y = exp(x), of 4 elements: load 0 into register 0, exp, store.
    const code = [-1, 0, 0, id("exp_f32"), 1, 0, -2, 1, 1];
    const words = Float64Array.of(id("fused_f32"), 0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 4, 0, 1, 1, ...code);
    words[1] = words.length;
    const patched = Int32Array.from(code, (_, i) => words.length - code.length + i);
    const guarded = new Float32Array(12).fill(7);
    const handle = addon.create(
      words,
      words.length,
      [new Float32Array(4), guarded.subarray(4, 8)],
      undefined,
      patched,
    );
    addon.execute(handle, Float64Array.from(code));
    assert.deepEqual([...guarded.subarray(4, 8)], [1, 1, 1, 1]);
    let refused = 0;
    for (let trial = 0; trial < 20000; trial++) {
      const scalars = Float64Array.from(code);
      const values = [
        -1,
        -2,
        0,
        1,
        2,
        15,
        16,
        0.5,
        NaN,
        1e300,
        -3,
        Math.floor(random() * info.kernels.length),
      ];
      for (let n = 0; n < 2; n++)
        scalars[Math.floor(random() * 9)] = values[Math.floor(random() * values.length)];
      try {
        addon.execute(handle, scalars);
      } catch (error) {
        assert.equal(error.code, "ERR_PROGRAM", error.stack);
        refused++;
      }
    }
    assert.ok(refused > 5000, `${refused} were refused`);
    assert.ok([...guarded.subarray(0, 4), ...guarded.subarray(8)].every((value) => value === 7));
  },

  async "runs aside"() {
    const none = new Float64Array(0);
    const control = () => new Int32Array(2);
    const run = (...segments) =>
      new Promise((resolve) =>
        addon.start((error, completed) => resolve([error, completed]), control(), ...segments),
      );
    const buffers = arrays();
    const handle = addon.create(ADD, 13, buffers);
    assert.deepEqual(await run(handle, 3, undefined, [], none), [undefined, 3]);
    assert.deepEqual([...buffers[2]], SUM);
    assert.deepEqual(await run(handle, 0, undefined, [], none), [undefined, 0]);

    const start = (...rest) => addon.start(() => assert.fail("must not start"), ...rest);
    for (const callback of [undefined, null, 3, {}]) {
      fails("ERR_ARGUMENT", /callback must be a function/, () =>
        addon.start(callback, control(), handle, 1, undefined, [], none),
      );
    }
    for (const words of [undefined, null, new Int32Array(1), new Float64Array(2), [0, 0]]) {
      fails("ERR_ARGUMENT", /control must be an Int32Array of two/, () =>
        start(words, handle, 1, undefined, [], none),
      );
    }
    for (const few of [[], [handle], [handle, 1, undefined, []], [handle, 1, undefined, [], none, handle]]) {
      fails("ERR_ARGUMENT", /needs handle, steps, scalars, buffers and strides/, () =>
        start(control(), ...few),
      );
    }
    for (const steps of [-1, 0.5, NaN, Infinity, 2 ** 31, "1", undefined]) {
      fails("ERR_ARGUMENT", /steps must be an integer/, () =>
        start(control(), handle, steps, undefined, [], none),
      );
    }
    fails("ERR_ARGUMENT", /must be a handle/, () => start(control(), {}, 1, undefined, [], none));
    fails("ERR_ARGUMENT", /a program may occur once/, () =>
      start(control(), handle, 1, undefined, [], none, handle, 1, undefined, [], none),
    );
    for (const list of [undefined, 3, {}]) {
      fails("ERR_ARGUMENT", /buffers must be an array/, () =>
        start(control(), handle, 1, undefined, list, none),
      );
    }
    const moving = addon.create(ADD, 13, arrays(), Int32Array.of(0, 2));
    const x = new Float32Array(12).fill(1);
    const out = new Float32Array(12);
    for (const strides of [undefined, [4, 4], new Float64Array(1), new Float32Array(2)]) {
      fails("ERR_ARGUMENT", /needs 2 buffers, and as many strides/, () =>
        start(control(), moving, 3, undefined, [x, out], strides),
      );
    }
    for (const stride of [-1, NaN, 0.5, 5, 2 ** 53, 1e300, Infinity]) {
      fails("ERR_ARGUMENT", /buffer 1 has 12 elements; 3 steps of/, () =>
        start(control(), moving, 3, undefined, [x, out], Float64Array.of(4, stride)),
      );
    }
    fails("ERR_ARGUMENT", /buffer 1 must be/, () =>
      start(control(), moving, 1, undefined, [x, 3], Float64Array.of(4, 4)),
    );
    assert.deepEqual(await run(moving, 3, undefined, [x, out], Float64Array.of(4, 4)), [undefined, 3]);
    assert.deepEqual([...out], [11, 21, 31, 41, 11, 21, 31, 41, 11, 21, 31, 41]);

    // While it runs, nobody else has it, and all of it stays alive.
    const long = run(handle, 200000, undefined, [], none);
    fails("ERR_ARGUMENT", /execute: the program is running/, () => addon.execute(handle));
    fails("ERR_ARGUMENT", /start: the program is running/, () =>
      start(control(), handle, 1, undefined, [], none),
    );
    globalThis.gc?.();
    assert.deepEqual(await long, [undefined, 200000]);

    const stopped = control();
    stopped[1] = 1;
    const result = new Promise((resolve) =>
      addon.start((...all) => resolve(all), stopped, moving, 3, undefined, [x, out], Float64Array.of(4, 4)),
    );
    assert.deepEqual(await result, [undefined, 0]);
  },

  "getters that change what start has been given"() {
    const first = addon.create(ADD, 13, arrays(), Int32Array.of(0));
    const second = addon.create(ADD, 13, arrays(), Int32Array.of(0));
    const x = new Float32Array(4);
    const list = (get) => Object.defineProperty([], 0, { get });
    const start = (buffers) =>
      addon.start(
        () => assert.fail("must not start"),
        new Int32Array(2),
        ...[first, 1, undefined, [x], Float64Array.of(0)],
        ...[second, 1, undefined, buffers, Float64Array.of(0)],
      );
    const thrown = new Error("from a getter");
    assert.throws(
      () =>
        start(
          list(() => {
            throw thrown;
          }),
        ),
      thrown,
    );
    fails("ERR_ARGUMENT", /buffer 0 has 0 elements/, () =>
      start(
        list(() => {
          structuredClone(x, { transfer: [x.buffer] });
          return new Float32Array(4);
        }),
      ),
    );
  },

  async "what a callback throws is an uncaught exception"() {
    const thrown = new Error("from the callback");
    const caught = new Promise((resolve) => process.once("uncaughtException", resolve));
    const handle = addon.create(ADD, 13, arrays());
    addon.start(
      () => {
        throw thrown;
      },
      new Int32Array(2),
      handle,
      1,
      undefined,
      [],
      new Float64Array(0),
    );
    assert.equal(await caught, thrown);
    addon.execute(handle);
  },

  "handles are told from everything else"() {
    const foreign = [undefined, null, 0, {}, [], ADD, Object.create(null), process, new Proxy({}, {})];
    for (const handle of foreign) {
      fails("ERR_ARGUMENT", /execute: the argument must be a handle/, () => addon.execute(handle));
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
          addon.create(words, row.length, views);
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
        if (mode !== "count") worker.on("message", () => worker.terminate());
      });
    const codes = await Promise.all([
      run("count"),
      run("count"),
      run("count"),
      run("forever"),
      run("forever"),
      run("aside"),
      run("aside"),
    ]);
    assert.deepEqual(codes, [0, 0, 0, 1, 1, 1, 1]);
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
  if (workerData.mode === "aside") {
    addon.start(() => undefined, new Int32Array(2), handle, 2 ** 31 - 1, undefined, [], new Float64Array(0));
    parentPort.postMessage("running");
  }
  for (let i = 0; workerData.mode === "forever" || (workerData.mode === "count" && i < 200); i++) {
    z.fill(0);
    addon.execute(handle);
    if (z.some((value) => value !== 3)) throw new Error("wrong sum");
    if (i === 50) parentPort.postMessage("running");
  }
}
