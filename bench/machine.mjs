// The machine that a run is made on, as names and values.
import { readdirSync, readFileSync } from "node:fs";
import { release, totalmem, type } from "node:os";
import { machineInfo } from "../dist/cli/machine.js";

const CACHES = "/sys/devices/system/cpu/cpu0/cache";

/** `32K L1d, 1024K L2, 32768K L3` of the first processor, where Linux says so. */
function caches() {
  try {
    const read = (index, name) => readFileSync(`${CACHES}/${index}/${name}`, "utf8").trim();
    return readdirSync(CACHES)
      .filter((index) => index.startsWith("index") && read(index, "type") !== "Instruction")
      .map((index) => `${read(index, "size")} L${read(index, "level")}`)
      .join(", ");
  } catch {
    return "unknown";
  }
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
