// A case on our executors: one instruction, prepared once, run by one call each time.
import { dtypeOfTypedArray } from "../dist/ndarray/dtype.js";
import { uninitializedStorage } from "../dist/ndarray/storage.js";
import { executor, withBackend } from "../dist/runtime/executor.js";
import { encodeInstruction } from "../dist/runtime/program.js";
import { repeat } from "./harness.mjs";

/** Operands in the order of the kernel's signature; what the kernel writes is this side's own. */
function operandsOf(work, inputs) {
  const own = Object.entries(work.outputs(inputs));
  const operands = { ...inputs, ...Object.fromEntries(own) };
  return { operands, buffers: Object.values(operands) };
}

/** A copy in memory as the library gives it to its arrays. */
function inLibraryMemory(array) {
  const copy = uninitializedStorage(dtypeOfTypedArray(array), array.length);
  copy.set(array);
  return copy;
}

function encode({ kernel, dims, scalars }, count) {
  const slots = Array.from({ length: count }, (_, i) => i);
  const words = encodeInstruction(kernel, slots, new Array(count).fill(0), dims, scalars);
  return Float64Array.from(words);
}

/** A side of a comparison: `run(calls)`, and the operands as the calls so far have left them. */
export function onNative(work, inputs) {
  const given = operandsOf(work, inputs).operands;
  const operands = Object.fromEntries(Object.entries(given).map(([name, x]) => [name, inLibraryMemory(x)]));
  const buffers = Object.values(operands);
  const words = encode(work, buffers.length);
  const { addon } = executor();
  const program = addon.create(words, words.length, buffers);
  return {
    operands,
    hasThreads: false,
    run: repeat(() => addon.execute(program)),
  };
}

export function onTypeScript(work, inputs) {
  const { operands, buffers } = operandsOf(work, inputs);
  const words = encode(work, buffers.length);
  const ts = withBackend({ backend: "ts" }, executor);
  return { operands, run: repeat(() => ts.run(words, words.length, buffers)) };
}

/** Runs a side once and checks what came out. Returns the residual; throws where it exceeds the tolerance. */
export async function verify(work, side, who) {
  await side.run(1);
  const residual = work.residual((await side.read?.()) ?? side.operands);
  if (residual <= work.tolerance) return residual;
  throw new Error(`${work.name}: ${who} is off by ${residual}, more than ${work.tolerance}`);
}
