/** The server of examples/server by requests over HTTP, in a process of its own that is killed and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { Generator } from "../../lib/index.js";
import { PACKAGE_ROOT } from "../../lib/runtime/native_addon.js";

const FOLDER = join(PACKAGE_ROOT, "examples", "server");
const isInstalled = existsSync(join(FOLDER, "node_modules", "fastify"));
const isBuilt = existsSync(join(PACKAGE_ROOT, "dist", "index.js"));
if (!isInstalled) console.warn(`skipped: fastify is missing; npm install in ${FOLDER} installs it`);
if (!isBuilt) console.warn("skipped: dist is missing; npm run build:ts makes it");

const FEATURES = 8;
const CLASSES = 3;

interface Server {
  child: ChildProcess;
  base: string;
}

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) if (child.exitCode === null) child.kill("SIGKILL");
});

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "thalweg-server-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

async function start(folder: string): Promise<Server> {
  const args = ["server.mjs", "--port", "0", "--folder", folder, "--layers", `${FEATURES},400,${CLASSES}`];
  const child = spawn(process.execPath, args, { cwd: FOLDER, stdio: ["ignore", "pipe", "inherit"] });
  running.push(child);
  const [line] = (await once((child.stdout as NodeJS.ReadableStream).setEncoding("utf8"), "data")) as [
    string,
  ];
  return { child, base: /http:\S+(?=;)/.exec(line)?.[0] ?? "" };
}

async function end({ child }: Server, signal: NodeJS.Signals): Promise<unknown> {
  child.kill(signal);
  const [code, by] = child.exitCode === null ? await once(child, "exit") : [child.exitCode, null];
  return by ?? code;
}

interface Answer {
  status: number;
  body: Record<string, unknown> & { message?: string };
}

async function call({ base }: Server, method: string, path: string, body?: unknown): Promise<Answer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = body === undefined ? undefined : { "content-type": "application/json" };
  const response = await fetch(`${base}${path}`, { method, headers, body: text });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

/** Examples that can be learnt: the class is the largest of the first inputs. */
function examples(count: number): { inputs: number[][]; labels: number[] } {
  const inputs = new Generator(4).normal([count, FEATURES]).toArray() as number[][];
  return {
    inputs,
    labels: inputs.map((input) => {
      const first = input.slice(0, CLASSES);
      return first.indexOf(Math.max(...first));
    }),
  };
}

type Event = Record<string, unknown> & { type: string };

/** Events of the stream up to one that `isLast`. */
async function events(
  { base }: Server,
  isLast: (event: Event) => boolean,
  onOpen: () => void,
): Promise<Event[]> {
  const response = await fetch(`${base}/progress`);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const list: Event[] = [];
  let text = "";
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    const whole = text.split("\n\n");
    text = whole.pop() as string;
    for (const each of whole) {
      if (!each.startsWith("data: ")) continue;
      list.push(JSON.parse(each.slice("data: ".length)) as Event);
      if (list.length === 1) onOpen();
      if (isLast(list[list.length - 1])) return list;
    }
  }
  return list;
}

const JOB = { epochs: 30, batchSize: 16, learningRate: 0.01 };
const isEnd = ({ type }: Event): boolean => ["done", "stopped", "failed"].includes(type);

/** Waits for the end of the training, however it is asked. */
async function untilIdle(server: Server): Promise<Answer["body"]> {
  for (;;) {
    const { body } = await call(server, "GET", "/status");
    if (body.training === false) return body;
    await sleep(20);
  }
}

describe.skipIf(!isInstalled || !isBuilt)("the example server", () => {
  test("refuses what it cannot use, and says why", async () => {
    const server = await start(scratch());
    const row = Array(FEATURES).fill(0);
    const cases: [method: string, path: string, body: unknown, status: number, message: RegExp][] = [
      ["POST", "/predict", { inputs: [[1, 2]] }, 400, /body\/inputs\/0 must NOT have fewer than 8 items/],
      ["POST", "/predict", { inputs: [] }, 400, /body\/inputs must NOT have fewer than 1 items/],
      ["POST", "/predict", {}, 400, /body must have required property 'inputs'/],
      ["POST", "/predict", { inputs: [[...row.slice(1), "1"]] }, 400, /body\/inputs\/0\/7 must be number/],
      [
        "POST",
        "/predict",
        '{"inputs":[[3.4e38,0,0,0,0,0,0,0]]}',
        400,
        /body\/inputs\/0\/0 must be <= 1000000/,
      ],
      ["POST", "/predict", "{", 400, /JSON/],
      ["POST", "/examples", { inputs: [row], labels: [CLASSES] }, 400, /body\/labels\/0 must be <= 2/],
      ["POST", "/examples", { inputs: [row], labels: [0.5] }, 400, /body\/labels\/0 must be integer/],
      ["POST", "/examples", { inputs: [row], labels: [] }, 400, /1 inputs and 0 labels/],
      ["POST", "/examples", { inputs: [row], labels: [0], more: 1 }, 400, /additional properties/],
      ["POST", "/train", {}, 409, /there are no examples yet/],
      ["POST", "/train", { epochs: 0 }, 400, /body\/epochs must be >= 1/],
      ["GET", "/nothing", undefined, 404, /not found/],
    ];
    for (const [method, path, body, status, message] of cases) {
      const answer = await call(server, method, path, body);
      expect(answer, `${method} ${path} ${JSON.stringify(body)}`).toMatchObject({
        status,
        body: { message: expect.stringMatching(message) },
      });
    }
    expect((await call(server, "GET", "/status")).body).toMatchObject({ examples: 0, training: false });
    expect(await end(server, "SIGTERM")).toBe(0);
  });

  test("learns in the background, answers meanwhile, and tells its progress", async () => {
    const server = await start(scratch());
    const { inputs, labels } = examples(600);
    expect(await call(server, "POST", "/examples", { inputs, labels })).toEqual({
      status: 201,
      body: { added: 600, examples: 600 },
    });
    let told: Promise<Event[]> = Promise.resolve([]);
    await new Promise<void>((resolve) => {
      told = events(server, isEnd, resolve);
    });
    expect(await call(server, "POST", "/train", JOB)).toMatchObject({
      status: 202,
      body: { number: 1, examples: 600 },
    });
    expect(await call(server, "POST", "/train", JOB)).toMatchObject({
      status: 409,
      body: { message: /runs already/ },
    });
    // Every answer is one of a whole epoch's weights: probabilities that add up to 1.
    let answers = 0;
    while ((await call(server, "GET", "/status")).body.training === true) {
      const { status, body } = await call(server, "POST", "/predict", { inputs: inputs.slice(0, 3) });
      expect(status).toBe(200);
      for (const row of body.probabilities as number[][])
        expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      answers++;
    }
    expect(answers).toBeGreaterThan(0);
    const list = await told;
    const epochs = list.filter(({ type }) => type === "epoch");
    expect(list[0]).toMatchObject({ type: "status", examples: 600, training: false });
    expect(list.some(({ type }) => type === "progress")).toBe(true);
    expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: JOB.epochs }, (_, i) => i + 1));
    expect(list.at(-1)).toMatchObject({ type: "done", job: 1 });
    const losses = epochs.map(({ trainLoss }) => Number(trainLoss));
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]);
    const { body } = await call(server, "POST", "/predict", { inputs });
    const right = (body.labels as number[]).filter((label, i) => label === labels[i]).length;
    expect(right / labels.length).toBeGreaterThan(0.95);
    expect(await end(server, "SIGTERM")).toBe(0);
  });

  test("a training can be stopped, and another begun", async () => {
    const server = await start(scratch());
    await call(server, "POST", "/examples", examples(600));
    await call(server, "POST", "/train", { ...JOB, epochs: 100_000 });
    await sleep(200);
    expect((await call(server, "DELETE", "/train")).body).toMatchObject({ training: false });
    expect((await call(server, "POST", "/train", { ...JOB, epochs: 1 })).body).toMatchObject({ number: 2 });
    expect(await untilIdle(server)).toMatchObject({ last: { job: 2, epoch: 1 } });
  });

  test.each(["SIGKILL", "SIGTERM"] as const)(
    "survives %s at any time, with the same bits",
    async (signal) => {
      let interrupted = 0;
      const model = async (kills: number[]): Promise<Buffer> => {
        const folder = scratch();
        let server = await start(folder);
        await call(server, "POST", "/examples", examples(600));
        await call(server, "POST", "/train", JOB);
        for (const delay of kills) {
          await sleep(delay);
          await end(server, signal);
          if (existsSync(join(folder, "job.json"))) interrupted++;
          server = await start(folder);
        }
        expect(await untilIdle(server)).toMatchObject({ examples: 600 });
        await end(server, "SIGTERM");
        return readFileSync(join(folder, "model.safetensors"));
      };
      const whole = await model([]);
      expect((await model([10, 120, 200])).equals(whole)).toBe(true);
      expect(interrupted).toBeGreaterThan(0);
    },
    120_000,
  );
});
