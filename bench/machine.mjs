// The machine that a run is made on, as names and values.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { release, totalmem, type } from "node:os";
import { machineInfo } from "../dist/cli/machine.js";

const CACHES = "/sys/devices/system/cpu/cpu0/cache";

/** Level and kilobytes of the first processor's data caches, where Linux lists them; a virtual machine may not. */
function cachesOfSystem() {
  try {
    const read = (index, name) => readFileSync(`${CACHES}/${index}/${name}`, "utf8").trim();
    return readdirSync(CACHES)
      .filter((index) => index.startsWith("index") && read(index, "type") !== "Instruction")
      .map((index) => [read(index, "level"), Number.parseInt(read(index, "size"), 10)]);
  } catch {
    return [];
  }
}

/** The same as the C library reads them from the processor; the last level may be that of all processors together. */
function cachesOfLibrary() {
  return ["LEVEL1_DCACHE_SIZE", "LEVEL2_CACHE_SIZE", "LEVEL3_CACHE_SIZE"]
    .map((name, i) => {
      const { stdout } = spawnSync("getconf", [name], { encoding: "utf8" });
      return [i + 1, Number.parseInt(stdout, 10) / 1024];
    })
    .filter(([, kilobytes]) => kilobytes > 0);
}

/** `32K L1, 1024K L2, 32768K L3`. */
function caches() {
  const found = [cachesOfSystem(), cachesOfLibrary()].find(({ length }) => length > 0) ?? [];
  return found.map(([level, kilobytes]) => `${kilobytes}K L${level}`).join(", ") || "unknown";
}

/** Whether the processor says that a hypervisor stands between. */
function isVirtual() {
  try {
    return /^flags.*\bhypervisor\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return false;
  }
}

export function describeMachine() {
  const { cpu, cores, isa, levels, compiler, node, version } = machineInfo();
  return [
    ["processor", `${cpu}, ${cores} cores${isVirtual() ? ", a virtual machine" : ""}`],
    ["caches", caches()],
    ["memory", `${Math.round(totalmem() / 2 ** 30)} GiB`],
    ["system", `${type()} ${release()}`],
    ["thalweg", `${version}, native executor, ${isa} (of ${levels.join(", ")}), ${compiler}`],
    ["Node", node],
    ["date", new Date().toISOString().slice(0, 10)],
  ];
}
