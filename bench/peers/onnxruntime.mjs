// onnxruntime-node on its CPU provider: a model of one node, with inputs and output that stay where they are.
import { INSTALL } from "./install.mjs";
import { oneNodeModel } from "./onnx_model.mjs";
import { suitsNode } from "./suits.mjs";

const isTransposed = (letter) => Number(letter === "t");

/** The node for each kind of case: operator, attributes, and the shapes of its operands. */
const NODES = {
  matmul: ({ shape: [m, k, n], form: [a, b] }) => ({
    operator: "Gemm",
    attributes: { transA: isTransposed(a), transB: isTransposed(b) },
    shapes: [a === "n" ? [m, k] : [k, m], b === "n" ? [k, n] : [n, k], [m, n]],
  }),
  ...Object.fromEntries(
    ["Exp", "Tanh", "Sigmoid", "Gelu", "Softmax"].map((operator) => [
      operator.toLowerCase(),
      ({ shape }) => ({ operator, shapes: [shape, shape] }),
    ]),
  ),
};

export const onnxruntime = {
  name: "onnxruntime",
  install: INSTALL,
  open: async () => {
    const { default: ort } = await import("onnxruntime-node");
    return {
      about: `${ort.env.versions?.node ?? ""} cpu provider`.trim(),
      prepare: async (work, inputs, threads) => {
        const node = NODES[work.kind]?.(work);
        if (!node || !suitsNode(work)) return null;
        const operands = { ...inputs, ...work.outputs(inputs) };
        const described = Object.keys(operands).map((name, i) => ({ name, shape: node.shapes[i] }));
        const model = oneNodeModel({ ...node, inputs: described.slice(0, -1), output: described.at(-1) });
        const session = await ort.InferenceSession.create(model, {
          executionProviders: ["cpu"],
          intraOpNumThreads: threads,
          interOpNumThreads: 1,
        });
        const tensors = described.map(({ name, shape }) => [
          name,
          new ort.Tensor("float32", operands[name], shape),
        ]);
        const feeds = Object.fromEntries(tensors.slice(0, -1));
        const fetches = Object.fromEntries(tensors.slice(-1));
        return {
          operands,
          hasThreads: threads > 1,
          run: async (calls) => {
            for (let i = 0; i < calls; i++) await session.run(feeds, fetches);
          },
          close: () => session.release(),
        };
      },
    };
  },
};
