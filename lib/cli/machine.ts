/** The machine and the executor that a result was made with. */
import { availableParallelism, cpus } from "node:os";
import { type BackendInfo, backendInfo } from "../runtime/executor.js";
import { packageVersion } from "./version.js";

/** What `thalweg info --json` prints. */
export interface MachineInfo extends BackendInfo {
  /** Version of this package. */
  version: string;
  node: string;
  platform: string;
  cpu: string;
  /** Logical processors that this process may use. */
  cores: number;
}

/** Executor, package, Node and processor. */
export function machineInfo(): MachineInfo {
  return {
    version: packageVersion(),
    ...backendInfo(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model.trim() || "unknown",
    cores: availableParallelism(),
  };
}

/** `native executor, avx2, 2 threads`. */
export function describeExecutor({ backend, isa, threads }: BackendInfo): string {
  const name = backend === "native" ? "native executor" : "TypeScript executor";
  const level = backend === "native" ? `, ${isa}` : "";
  return `${name}${level}, ${threads} thread${threads === 1 ? "" : "s"}`;
}
