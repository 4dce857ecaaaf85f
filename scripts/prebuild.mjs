// `npm run prebuild`: the stripped binary for this platform, in prebuilds/. On Linux its name carries the C library
// (thalweg.glibc.node), so that the loader never offers it to the other one.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

const prebuildify = createRequire(import.meta.url).resolve("prebuildify/bin.js");
const libc = process.platform === "linux" ? ["--tag-libc"] : [];
const args = ["--napi", "--strip", "--name", "thalweg", "--target", "20.19.0", ...libc];
const { status } = spawnSync(process.execPath, [prebuildify, ...args], { stdio: "inherit" });
process.exitCode = status ?? 1;
