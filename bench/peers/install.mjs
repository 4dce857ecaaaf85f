// The peers that npm has, installed in a package of their own when they are first needed.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

export const INSTALL = "npm ci --ignore-scripts --prefix bench/peers";

/** Installs them unless they are there. Without a network nothing happens, and their import says what is missing. */
export function installPackages() {
  if (existsSync(join(FOLDER, "node_modules", ".package-lock.json"))) return;
  console.error(`> ${INSTALL}`);
  // Without scripts: onnxruntime's would download its builds for GPUs.
  const shell = process.platform === "win32";
  spawnSync("npm", ["ci", "--ignore-scripts"], {
    cwd: FOLDER,
    stdio: ["ignore", "ignore", "inherit"],
    shell,
  });
}
