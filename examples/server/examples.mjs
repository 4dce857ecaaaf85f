/** The examples that were posted: a line of JSON each, appended to a file that is only ever added to. */
import { closeSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { data, tensor } from "thalweg";

export class ExampleStore {
  #file;
  #inputs = [];
  #labels = [];

  /** Reads what is there. A last line that a kill has cut off was never confirmed to anybody, and is removed. */
  constructor(path) {
    this.#file = openSync(path, "a");
    const text = readFileSync(path, "utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
    for (const line of whole.split("\n")) {
      if (line !== "") this.#keep(JSON.parse(line));
    }
  }

  get count() {
    return this.#labels.length;
  }

  /** Adds examples; they are on the disk when this returns. */
  add(inputs, labels) {
    const added = inputs.map((input, i) => ({ input, label: labels[i] }));
    writeSync(this.#file, added.map((example) => `${JSON.stringify(example)}\n`).join(""));
    fsyncSync(this.#file);
    for (const example of added) this.#keep(example);
  }

  /** The first so many as a dataset: those that a training began with, however many came since. */
  dataset(count) {
    const features = this.#inputs[0].length;
    const inputs = new Float32Array(count * features);
    for (let i = 0; i < count; i++) inputs.set(this.#inputs[i], i * features);
    return new data.TensorDataset(
      tensor(inputs, { shape: [count, features] }),
      tensor(Int32Array.from(this.#labels.slice(0, count))),
    );
  }

  close() {
    closeSync(this.#file);
  }

  #keep({ input, label }) {
    this.#inputs.push(Float32Array.from(input));
    this.#labels.push(label);
  }
}
