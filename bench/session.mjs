// One run of a benchmark: its options, the rows measured so far, and what is printed meanwhile.
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { backendInfo, setNumThreads } from "../dist/index.js";
import { takeTurns } from "./harness.mjs";
import { floorNs, formatFailure, formatRow, HEADER, makeRow } from "./rows.mjs";

/** Reads the options that all benchmarks have, and those in `more` (as for parseArgs). */
export function parseOptions(more = {}) {
  const { values } = parseArgs({
    options: {
      filter: { type: "string", default: "" },
      threads: { type: "string", default: [...new Set([1, availableParallelism()])].join() },
      json: { type: "string" },
      report: { type: "string" },
      ...more,
    },
  });
  const filter = new RegExp(values.filter);
  return {
    ...values,
    threads: values.threads.split(",").map(Number),
    selects: ({ name }) => filter.test(name),
  };
}

export class Session {
  rows = [];
  failures = 0;

  /** `pace`: rounds and budget of takeTurns. */
  constructor(pace) {
    this.pace = pace;
    const { backend, isa, loadErrors } = backendInfo();
    if (backend !== "native") {
      const reasons = loadErrors.map(({ path, reason }) => `\n  ${path}: ${reason}`).join("");
      console.error(`bench: the native binary is not loaded, so there is nothing to compare${reasons}`);
      process.exit(1);
    }
    this.say(
      `native executor, ${isa}; ratio = the other's time over ours (above 1: ours is faster), median of pairs`,
    );
    this.say(HEADER);
  }

  say(line) {
    console.log(line);
  }

  setThreads(threads) {
    setNumThreads(threads);
  }

  /** Who runs our side, if a row says nothing else. */
  get native() {
    const { backend, isa, threads } = backendInfo();
    return { backend, isa, threads };
  }

  /** Nanoseconds that a training step takes at least, by the ceilings of this run. */
  floorOf(work) {
    return floorNs(work, this.rows, this.native.threads);
  }

  /**
   * Times `ours` in turn with `theirs` and `ceiling`, where there are such, and keeps the row. `prepare(keep)` gives
   * them verified, with the other details of makeRow; it hands every side that it makes to `keep`, which sees to
   * its end. A row that fails is said and counted, and the run goes on.
   */
  async measure(work, prepare) {
    const kept = [];
    const keep = (side) => {
      kept.push(side);
      return side;
    };
    try {
      const { ours, theirs, ceiling, ...details } = await prepare(keep);
      const sides = { ours, ceiling, theirs };
      const names = Object.keys(sides).filter((name) => sides[name]);
      const times = await takeTurns(
        names.map((name) => sides[name]),
        { ...this.pace, ...(work.warmUpNs && { warmUpNs: work.warmUpNs }) },
      );
      const timesOf = Object.fromEntries(names.map((name, i) => [name, times[i]]));
      if (ceiling) timesOf.ceiling = { times: timesOf.ceiling, work: ceiling.work };
      const row = makeRow(
        work,
        { by: this.native, note: (theirs ?? ceiling ?? ours).note, ...details },
        timesOf,
      );
      this.rows.push(row);
      this.say(formatRow(row));
    } catch (error) {
      this.failures++;
      this.say(formatFailure(work, error));
    } finally {
      for (const side of kept) await side.close?.();
    }
  }

  /** Writes the files that were asked for. */
  async finish({ json, report }) {
    if (json) writeFileSync(json, `${JSON.stringify(this.rows, null, 1)}\n`);
    if (report) writeFileSync(report, (await import("./report/report.mjs")).reportPage(this.rows));
    if (this.failures === 0) return;
    this.say(`${this.failures} rows failed`);
    process.exitCode = 1;
  }
}
