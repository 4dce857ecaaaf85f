// `npm run quickstart`: on a fresh clone, installs, builds, and trains on the digits that the program draws itself.
// Arguments go to `thalweg train`.
import { join } from "node:path";
import { ensureBuilt, ROOT } from "./ensure_built.mjs";

await ensureBuilt();
process.argv.splice(2, 0, "train", "--data", "digits", "--out", join(ROOT, "runs", "quickstart"));
await import("../dist/cli/main.js");
