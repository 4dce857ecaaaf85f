// All work that is one instruction. A case describes itself once, for every executor and peer:
//   kind, name, shape, dtype, unit, flops, bytes     what it is, and how much of it a call does
//   kernel, dims, scalars                            the instruction
//   inputs()                                         operands by name, in the order of the kernel's signature
//   outputs(inputs)                                  fresh arrays for what a side writes: new names, or an input's
//   residual(operands), tolerance                    how far a result is off after one call, and how far it may be
//   pattern                                          the hand-written loop to hold it against, beyond the caches
import { elementwiseCases } from "./elementwise.mjs";
import { matmulCases } from "./matmul.mjs";
import { optimCases } from "./optim.mjs";
import { softmaxCases } from "./softmax.mjs";

export const allCases = () => [...matmulCases(), ...elementwiseCases(), ...softmaxCases(), ...optimCases()];
