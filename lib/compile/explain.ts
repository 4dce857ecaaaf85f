/** What a compiled program does, for people and for tools. */
import { BYTES_OF_STORAGE } from "../runtime/types.js";
import { type Buffer, elementsOf, type Node, rolesOf, shapeOf } from "./graph.js";
import type { StepProgram } from "./program.js";

/** One instruction. */
export interface ExplainedInstruction {
  /** The kernel, such as `matmul_fused_f32`. */
  readonly kernel: string;
  /** The operation of the function that it computes. */
  readonly operation: string;
  /** The kernels that it stands for, where several were made one. */
  readonly fused: readonly string[];
  /** Shapes of its operands, inputs first. */
  readonly shapes: readonly (readonly number[])[];
  /** Bytes of its operands, counted once for each read and write. */
  readonly bytes: number;
  /** Floating-point operations: two for each product and sum of a matrix product, one for each elementwise result. */
  readonly flops: number;
}

/** A tensor from outside. */
export interface ExplainedCapture {
  /** A parameter requires a gradient, a state is written by the program; all else is a constant. */
  readonly role: "parameter or state" | "constant";
  readonly type: string;
  readonly length: number;
}

/** All of a program. */
export interface Explanation {
  readonly instructions: readonly ExplainedInstruction[];
  readonly captured: readonly ExplainedCapture[];
  /** Kernels that the plain function runs. */
  readonly traced: number;
  /** Scalars that are given anew at every step. */
  readonly liveScalars: number;
  readonly flops: number;
  readonly bytes: number;
  /** Bytes of the temporaries' memory, and the least that any plan needs. */
  readonly arena: { readonly bytes: number; readonly lowerBound: number; readonly inPlace: number };
  /** Milliseconds to trace, simplify and load it. */
  readonly compileTime: number;
}

/** Explains a program, as a table or as an object. */
export function explain(program: StepProgram, json: boolean): string | Explanation {
  const explanation = describe(program);
  return json ? explanation : table(explanation);
}

function describe(program: StepProgram): Explanation {
  const instructions = program.graph.nodes.map(describeNode);
  const written = new Set(program.written);
  const total = (of: (instruction: ExplainedInstruction) => number): number =>
    instructions.reduce((sum, instruction) => sum + of(instruction), 0);
  const types = new Map<unknown, Buffer>();
  for (const { uses } of program.graph.nodes) {
    for (const { buffer } of uses) if (buffer.storage !== null) types.set(buffer.storage, buffer);
  }
  return {
    instructions,
    captured: program.bound.map((storage) => ({
      role: written.has(storage) || program.isLearned(storage) ? "parameter or state" : "constant",
      type: types.get(storage)?.type ?? "",
      length: types.get(storage)?.length ?? 0,
    })),
    traced: program.traced,
    liveScalars: program.liveCount,
    flops: total(({ flops }) => flops),
    bytes: total(({ bytes }) => bytes),
    arena: {
      bytes: program.memory.size,
      lowerBound: program.memory.lowerBound,
      inPlace: program.memory.inPlace,
    },
    compileTime: program.compileTime,
  };
}

function describeNode(node: Node): ExplainedInstruction {
  const { kernel, counts, uses, operation, fused } = node;
  const roles = rolesOf(kernel, counts);
  const shapes = uses.map((_, i) => shapeOf(node, i));
  let bytes = 0;
  uses.forEach(({ buffer, strides }, i) => {
    // A broadcast axis is one in memory.
    const elements = shapes[i].reduce((n, size, axis) => (strides[axis] === 0 ? n : n * size), 1);
    bytes +=
      elements * BYTES_OF_STORAGE[buffer.type] * (Number(roles[i].isRead) + Number(roles[i].isWritten));
  });
  return { kernel: kernel.name, operation, fused, shapes, bytes, flops: flopsOf(node) };
}

function flopsOf(node: Node): number {
  const { kernel, sizes, uses, fused } = node;
  const last = elementsOf(node, uses.length - 1);
  if (kernel.stem.startsWith("matmul")) {
    const [batch, [m], [k], [n]] = sizes;
    const count = batch.reduce((product, size) => product * size, 1);
    return count * m * n * (2 * k + Math.max(fused.length - 1, 0));
  }
  if (kernel.stem === "fused") return last * fused.length;
  return uses.reduce((most, _, i) => Math.max(most, elementsOf(node, i)), 0);
}

const shapeText = (shape: readonly number[]): string => `[${shape.join(",")}]`;

function amount(value: number, unit: string): string {
  const units = ["", "k", "M", "G", "T"];
  let scale = 0;
  let scaled = value;
  while (scaled >= 1000 && scale < units.length - 1) {
    scaled /= 1000;
    scale++;
  }
  return `${scale === 0 ? scaled : scaled.toPrecision(3)} ${units[scale]}${unit}`;
}

function table(explanation: Explanation): string {
  const { instructions, captured, arena } = explanation;
  const rows = instructions.map(({ kernel, operation, fused, shapes, bytes, flops }, i) => [
    String(i),
    kernel,
    operation,
    shapes.slice(0, 4).map(shapeText).join(" ") + (shapes.length > 4 ? " …" : ""),
    amount(bytes, "B"),
    amount(flops, "FLOP"),
    fused.length > 0 ? `one pass over memory: ${fused.join(", ")}` : "",
  ]);
  const head = ["", "kernel", "operation", "operands", "bytes", "work", "fused"];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 || column === 4 || column === 5
          ? cell.padStart(widths[column])
          : cell.padEnd(widths[column]),
      )
      .join("  ")
      .trimEnd();
  const count = (role: ExplainedCapture["role"]): string => {
    const list = captured.filter((capture) => capture.role === role);
    return `${list.length} (${list.reduce((sum, { length }) => sum + length, 0)} elements)`;
  };
  return [
    line(head),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map(line),
    "",
    `${instructions.length} instructions from ${explanation.traced} traced; ${amount(explanation.flops, "FLOP")}, ` +
      `${amount(explanation.bytes, "B")} per step`,
    `captured: parameters and state ${count("parameter or state")}, constants ${count("constant")}`,
    `arena ${amount(arena.bytes, "B")} (at least ${amount(arena.lowerBound, "B")} are in use at once), ` +
      `${arena.inPlace} results in place; ${explanation.liveScalars} scalars given at every step`,
    `compiled in ${explanation.compileTime.toFixed(1)} ms`,
  ].join("\n");
}
