// Some of the same work through the public API, operation by operation: with its checks, the graph switched off, and a
// fresh result each time. The difference to the row without `eager` is what those cost.
import { noGrad, tensor } from "../../dist/index.js";
import { withBackend } from "../../dist/runtime/executor.js";
import { repeat } from "../harness.mjs";

const flat = (inputs) => Object.values(inputs).map((data) => tensor(data));

/** By the name of a case: its operands as tensors, and the operation. */
const CALLS = {
  "program 16": { operands: flat, call: (a, b) => a.add(b) },
  "add 1000000": { operands: flat, call: (a, b) => a.add(b) },
  "exp 100000": { operands: flat, call: (x) => x.exp() },
  "softmax 1024x1024": {
    operands: ({ x }) => [tensor(x).reshape([1024, 1024])],
    call: (x) => x.softmax(),
  },
  "matmul 128x784x256 nt": {
    operands: ({ a, b }) => [tensor(a).reshape([128, 784]), tensor(b).reshape([256, 784]).transpose()],
    call: (a, b) => a.matmul(b),
  },
};

export const eagerCases = (cases) =>
  cases
    .filter(({ name }) => name in CALLS)
    .map((work) => ({ ...work, ...CALLS[work.name], name: `eager ${work.name.replace("program", "add")}` }));

/** One of our executors behind the public API. */
export function onEagerOperation(work, inputs, backend) {
  const tensors = work.operands(inputs);
  const on = (body) => withBackend({ backend }, () => noGrad(body));
  const [output] = Object.keys(work.outputs(inputs));
  return {
    // The backend is chosen once for all calls of a turn, so that the choice is not timed.
    run: (calls) => on(() => repeat(() => work.call(...tensors))(calls)),
    read: () => ({ ...inputs, [output]: on(() => work.call(...tensors)).data }),
  };
}
