// jax-js on wasm: functions compiled by its jit. One thread: it has more only where browsers have workers.
import { INSTALL } from "./install.mjs";
import { prepareTraining } from "./jax_js_train.mjs";
import { suitsNode } from "./suits.mjs";

/** What jax-js computes for each kind of case: a function of its operands in order. */
const FUNCTIONS = {
  matmul:
    ({ numpy }, { form: [a, b] }) =>
    (x, y) =>
      numpy.matmul(a === "t" ? x.transpose() : x, b === "t" ? y.transpose() : y),
  exp: ({ numpy }) => numpy.exp,
  tanh: ({ numpy }) => numpy.tanh,
  sigmoid: ({ nn }) => nn.sigmoid,
  gelu:
    ({ nn }) =>
    (x) =>
      nn.gelu(x, { approximate: false }),
  softmax:
    ({ nn }) =>
    (x) =>
      nn.softmax(x),
};

function shapesOf({ kind, shape, form }) {
  if (kind !== "matmul") return [shape];
  const [m, k, n] = shape;
  return [form[0] === "n" ? [m, k] : [k, m], form[1] === "n" ? [k, n] : [n, k]];
}

export const jaxJs = {
  name: "jax-js",
  install: INSTALL,
  threads: [1],
  open: async () => {
    const jax = await import("@jax-js/jax");
    await jax.init("wasm");
    jax.defaultDevice("wasm");
    return {
      about: "wasm, jit, one thread",
      prepare: (work, inputs) => {
        if (work.kind === "train") return prepareTraining(jax, work, inputs);
        const body = FUNCTIONS[work.kind]?.(jax, work);
        if (!body || !suitsNode(work)) return null;
        const compiled = jax.jit(body);
        const shapes = shapesOf(work);
        const arrays = Object.values(inputs).map((data, i) => jax.numpy.array(data, { shape: shapes[i] }));
        const call = () => compiled(...arrays.map((array) => array.ref));
        const [output] = Object.keys(work.outputs(inputs));
        return {
          run: async (calls) => {
            for (let i = 0; i < calls; i++) {
              const result = call();
              await result.blockUntilReady();
              result.dispose();
            }
          },
          read: async () => ({ ...inputs, [output]: await call().data() }),
          close: () => {
            for (const array of arrays) array.dispose();
            compiled.dispose?.();
          },
        };
      },
    };
  },
};
