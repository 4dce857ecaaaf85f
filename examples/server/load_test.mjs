/**
 * How requests fare while the server trains: latency and throughput of POST /predict, and the delay of the server's event
 * loop, without training and with it, in one run. The server is a process of its own; this one sends the requests.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { data } from "thalweg";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    connections: { type: "string", default: "4" },
    examples: { type: "string", default: "8000" },
    layers: { type: "string", default: "784,256,128,10" },
    threads: { type: "string", default: String(Math.max(1, availableParallelism() - 1)) },
    priority: { type: "string", default: "low" },
    json: { type: "boolean", default: false },
  },
});
const agent = new Agent({ keepAlive: true });
const folder = mkdtempSync(join(tmpdir(), "thalweg-load-"));
const args = [
  "--port",
  "0",
  "--folder",
  folder,
  "--layers",
  values.layers,
  "--threads",
  values.threads,
  "--priority",
  values.priority,
];
const child = spawn(process.execPath, [new URL("server.mjs", import.meta.url).pathname, ...args], {
  stdio: ["ignore", "pipe", "inherit"],
});
const [line] = await once(child.stdout.setEncoding("utf8"), "data");
const base = /http:\S+(?=;)/.exec(line)[0];

/** One request; the parsed answer. */
function call(method, path, body) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = text === undefined ? {} : { "content-type": "application/json" };
    const sent = request(`${base}${path}`, { method, agent, headers }, (response) => {
      let answer = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        answer += chunk;
      });
      response.on("end", () => {
        if (response.statusCode < 300) resolve(JSON.parse(answer));
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
      });
    });
    sent.on("error", reject);
    sent.end(text);
  });
}

const digits = data.digits({ n: Number(values.examples) }).train;
const [pixels, labels] = digits.batch(Int32Array.from({ length: digits.length }, (_, i) => i));
const rows = pixels.toArray().map((row) => row.map((value) => Number(value.toFixed(3))));

/** Requests over all connections for so many seconds. */
async function measure(name) {
  await call("GET", "/event-loop");
  const latencies = [];
  const end = performance.now() + 1000 * Number(values.seconds);
  const connection = async (first) => {
    for (let i = first; performance.now() < end; i = (i + 1) % rows.length) {
      const begin = performance.now();
      await call("POST", "/predict", { inputs: [rows[i]] });
      latencies.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: Number(values.connections) }, (_, i) => connection(100 * i)));
  const { p99: eventLoopP99 } = await call("GET", "/event-loop");
  const { last } = await call("GET", "/status");
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.floor(share * (latencies.length - 1))];
  return {
    name,
    requestsPerSecond: latencies.length / Number(values.seconds),
    p50: at(0.5),
    p99: at(0.99),
    eventLoopP99,
    samplesPerSecond: name === "idle" ? null : (last?.samplesPerSecond ?? null),
  };
}

try {
  for (let i = 0; i < rows.length; i += 1000) {
    await call("POST", "/examples", {
      inputs: rows.slice(i, i + 1000),
      labels: Array.from(labels.data.slice(i, i + 1000)),
    });
  }
  // Until the engine has compiled what it runs.
  for (let i = 0; i < 500; i++) await call("POST", "/predict", { inputs: [rows[i % rows.length]] });
  const idle = await measure("idle");
  await call("POST", "/train", { epochs: 100_000, batchSize: 128 });
  await sleep(1000);
  const training = await measure("training");
  await sleep(2000);
  const { last } = await call("GET", "/status");
  await call("DELETE", "/train");
  const result = {
    cores: availableParallelism(),
    threads: Number(values.threads),
    connections: Number(values.connections),
    rows: [idle, training],
    samplesPerSecondWithoutRequests: last?.samplesPerSecond ?? null,
  };
  if (values.json) console.log(JSON.stringify(result));
  else print(result);
} finally {
  child.kill("SIGTERM");
  await once(child, "exit");
  agent.destroy();
  rmSync(folder, { recursive: true });
}

function print({ cores, threads, connections, rows: measured, samplesPerSecondWithoutRequests }) {
  console.log(
    `${cores} cores, ${threads} threads for training, ${connections} connections, ${values.layers}`,
  );
  console.table(
    measured.map(({ name, requestsPerSecond, p50, p99, eventLoopP99, samplesPerSecond }) => ({
      server: name,
      "requests/s": Math.round(requestsPerSecond),
      "p50 ms": p50.toFixed(2),
      "p99 ms": p99.toFixed(2),
      "event loop p99 ms": eventLoopP99.toFixed(2),
      "trains samples/s": samplesPerSecond === null ? "" : Math.round(samplesPerSecond),
    })),
  );
  console.log(`training without requests: ${Math.round(samplesPerSecondWithoutRequests ?? 0)} samples/s`);
}
