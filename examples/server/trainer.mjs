/**
 * Trains in the background and answers meanwhile. There are two models: the one that is trained, whose tensors nobody may
 * touch while an epoch runs, and a serving copy that is refreshed after each epoch.
 *
 * Everything that must survive is in the folder, and each file is whole at any moment:
 *   examples.jsonl      the examples
 *   model.safetensors   the weights that are served
 *   job.json            the training that was asked for, until it is done
 *   checkpoint-N        where training N is
 */
import { EventEmitter } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { fit, Generator, io, manualSeed, nn, noGrad, optim, tensor } from "thalweg";
import { ExampleStore } from "./examples.mjs";

/** A network of the given sizes. */
function makeModel(layers) {
  const modules = layers.slice(1).flatMap((size, i) => {
    const linear = new nn.Linear(layers[i], size);
    return i === layers.length - 2 ? [linear] : [linear, new nn.ReLU()];
  });
  return new nn.Sequential(...modules);
}

export class Trainer extends EventEmitter {
  examples;
  #layers;
  #folder;
  #model;
  #serving;
  #job = null;
  #stop = null;
  #running = null;
  #last = null;

  constructor({ layers, folder }) {
    super();
    this.setMaxListeners(0);
    this.#layers = layers;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    // Files that a kill has left unfinished.
    for (const name of readdirSync(folder))
      if (name.endsWith(".tmp")) rmSync(join(folder, name), { force: true });
    this.examples = new ExampleStore(join(folder, "examples.jsonl"));
    manualSeed(0);
    this.#model = makeModel(layers);
    this.#serving = makeModel(layers).eval();
    if (existsSync(this.#path("model.safetensors"))) {
      this.#model.loadStateDict(io.loadSafetensors(this.#path("model.safetensors")).tensors);
    }
    this.#serving.loadStateDict(this.#model.stateDict());
    // A training that was cut off goes on.
    if (existsSync(this.#path("job.json")))
      this.#begin(JSON.parse(readFileSync(this.#path("job.json"), "utf8")));
  }

  get features() {
    return this.#layers[0];
  }

  get classes() {
    return this.#layers.at(-1);
  }

  get status() {
    return { examples: this.examples.count, training: this.#job !== null, job: this.#job, last: this.#last };
  }

  /** Probabilities of each class for each input, by the weights of the last whole epoch. */
  predict(inputs) {
    const x = tensor(Float32Array.from(inputs.flat()), { shape: [inputs.length, this.features] });
    return noGrad(() => this.#serving.forward(x).softmax(1)).toArray();
  }

  /** Begins to train on the examples that there are now; the job. Null if a training runs already. */
  async start({ epochs, batchSize, learningRate }) {
    if (this.#job !== null) return null;
    const number = (this.#last?.job ?? 0) + 1;
    const job = { number, examples: this.examples.count, epochs, batchSize, learningRate };
    await this.#begin(job, async () => {
      rmSync(this.#path(`checkpoint-${number}`), { force: true });
      // Where the training begins must be on the disk before it begins.
      await this.#saveServed();
      await writeWhole(this.#path("job.json"), JSON.stringify(job));
    });
    return job;
  }

  /** Ends the training that runs, for good. */
  async stop() {
    this.#stop?.abort(new Error("stopped on request"));
    await this.#running;
  }

  /** Ends it so that the next start of the server goes on with it. */
  async close() {
    this.#stop?.abort(CLOSING);
    await this.#running;
    this.examples.close();
  }

  /** Begins a training once it is prepared; the promise is that of the preparation. */
  #begin(job, prepare = async () => undefined) {
    this.#job = job;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const prepared = prepare();
    this.#running = prepared.then(
      () => this.#train(job, signal),
      () => {
        this.#job = null;
      },
    );
    return prepared;
  }

  async #train(job, signal) {
    const { number, examples, epochs, batchSize, learningRate } = job;
    const checkpoint = this.#path(`checkpoint-${number}`);
    try {
      const training = fit(this.#model, this.examples.dataset(examples), {
        loss: "crossEntropy",
        optimizer: new optim.Adam(this.#model.parameters(), { lr: learningRate }),
        epochs,
        batchSize,
        generator: new Generator(number),
        checkpoint: { path: checkpoint },
        signal,
        callbacks: {
          onProgress: (progress) => this.emit("progress", { type: "progress", job: number, ...progress }),
        },
      });
      for await (const { epoch, trainLoss, seconds, samplesPerSecond } of training) {
        this.#serving.loadStateDict(this.#model.stateDict());
        await this.#saveServed();
        this.#last = { job: number, epoch, epochs, trainLoss, seconds, samplesPerSecond };
        this.emit("progress", { type: "epoch", ...this.#last });
      }
      this.#finish(number, { type: "done" });
    } catch (error) {
      if (error === CLOSING) return;
      // The model may be in the middle of an epoch; what is served is whole.
      this.#model.loadStateDict(this.#serving.stateDict());
      this.#finish(number, { type: signal.aborted ? "stopped" : "failed", message: error.message });
    }
  }

  #finish(number, event) {
    const { type: outcome, ...reason } = event;
    this.#last = { ...(this.#last?.job === number ? this.#last : {}), job: number, outcome, ...reason };
    this.#job = null;
    rmSync(this.#path("job.json"), { force: true });
    rmSync(this.#path(`checkpoint-${number}`), { force: true });
    this.emit("progress", { job: number, ...event });
  }

  /** The bytes are taken now; the disk is waited for without holding anybody up. */
  #saveServed() {
    return writeWhole(this.#path("model.safetensors"), io.encodeSafetensors(this.#serving.stateDict()));
  }

  #path(name) {
    return join(this.#folder, name);
  }
}

/** Writes a file so that at any moment there is the old one or the whole new one. */
async function writeWhole(path, content) {
  const file = await open(`${path}.tmp`, "w");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.tmp`, path);
}

const CLOSING = new Error("the server is closing");
