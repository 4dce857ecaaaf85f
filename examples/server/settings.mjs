/** What the server is told on the command line: where its files are, and what its model looks like. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

/** Settings from arguments such as `--port 3000 --layers 784,256,10 --folder state`. */
export function readSettings(args) {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: "string", default: "3000" },
      host: { type: "string", default: "127.0.0.1" },
      folder: { type: "string", default: "state" },
      layers: { type: "string", default: "784,256,128,10" },
      // One core stays for requests.
      threads: { type: "string", default: String(Math.max(1, availableParallelism() - 1)) },
      // Requests come first; "normal" trains as fast as it can.
      priority: { type: "string", default: "low" },
    },
  });
  const layers = values.layers.split(",").map(Number);
  if (layers.length < 2 || layers.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new Error(`--layers must be sizes such as 784,256,10, got ${values.layers}`);
  }
  return {
    port: Number(values.port),
    host: values.host,
    folder: values.folder,
    layers,
    threads: Number(values.threads),
    priority: values.priority,
  };
}
