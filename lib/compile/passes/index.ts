/** The passes in their order. Each takes the nodes and returns better ones; none changes a bit of a result. */
import type { Node } from "../graph.js";
import { fuseChains } from "./chains.js";
import { mergeCommonSubexpressions } from "./common_subexpressions.js";
import { forwardCopies } from "./copies.js";
import { removeDeadCode } from "./dead_code.js";
import { fuseEpilogues } from "./epilogues.js";
import { masksFromActivations } from "./masks.js";

/** A rewriting of the nodes. */
export type Pass = (nodes: readonly Node[]) => Node[];

/** All passes by name, in the order in which they run. */
export const PASSES: readonly (readonly [name: string, pass: Pass])[] = [
  ["dead code", removeDeadCode],
  ["common subexpressions", mergeCommonSubexpressions],
  ["copies", forwardCopies],
  ["masks from activations", masksFromActivations],
  ["dead code", removeDeadCode],
  ["matrix product epilogues", fuseEpilogues],
  ["elementwise chains", fuseChains],
];
