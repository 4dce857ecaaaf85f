// Who appears in a report, how they are written, and in which colour (a CSS variable of the page).
export const SIDES = {
  thalweg: { label: "thalweg", color: "var(--ours)", symbol: "circle" },
  openblas: { label: "OpenBLAS", color: "var(--s1)", symbol: "triangle" },
  blis: { label: "BLIS", color: "var(--s2)", symbol: "diamond" },
  pytorch: { label: "PyTorch", color: "var(--s3)", symbol: "rect" },
  onnxruntime: { label: "ONNX Runtime", color: "var(--s4)", symbol: "roundRect" },
  "tfjs-wasm": { label: "TensorFlow.js wasm", color: "var(--s5)", symbol: "pin" },
  "tfjs-cpu": { label: "TensorFlow.js cpu", color: "var(--s6)", symbol: "arrow" },
  "jax-js": { label: "jax-js wasm", color: "var(--s7)", symbol: "emptyTriangle" },
  ts: { label: "TypeScript executor", color: "var(--s7)", symbol: "emptyCircle" },
};

export const labelOf = (side) => SIDES[side]?.label ?? side;

/** `1 thread`, `2 threads`. */
export const threadsOf = (n) => `${n} thread${n === 1 ? "" : "s"}`;

export const CEILINGS = ["peak fma", "peak copy"];
