/** Starts the server; see README.md. */
import { backendInfo, setBackgroundPriority, setNumThreads } from "thalweg";
import { buildApp } from "./app.mjs";
import { readSettings } from "./settings.mjs";
import { Trainer } from "./trainer.mjs";

const settings = readSettings(process.argv.slice(2));
setNumThreads(settings.threads);
setBackgroundPriority(settings.priority);
const app = buildApp(new Trainer(settings));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => app.close());
const address = await app.listen({ port: settings.port, host: settings.host });
const { backend, isa, threads } = backendInfo();
console.log(`listening at ${address}; ${settings.layers.join("-")}, ${backend} ${isa}, ${threads} threads`);
