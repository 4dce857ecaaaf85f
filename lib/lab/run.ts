/** Runs all studies, and what is kept of them in results.json. */
import type { ImageDatasets } from "../data/mnist.js";
import type { Check } from "./checks.js";
import type { Study, StudyResult } from "./experiment.js";

/** What all studies have found. */
export interface LabResults {
  /** Where the images come from, for people. */
  readonly source: string;
  readonly seconds: number;
  readonly studies: readonly StudyResult[];
}

/** Told how the lab goes on. */
export interface LabObserver {
  begin(study: Study, index: number, count: number): void;
  /** `share` of the study, in [0, 1]. */
  progress(share: number): void;
  end(result: StudyResult, index: number, count: number): void;
}

/** Runs the studies one after the other. */
export async function runStudies(
  studies: readonly Study[],
  images: ImageDatasets,
  source: string,
  observer: LabObserver,
): Promise<LabResults> {
  const begin = performance.now();
  const results: StudyResult[] = [];
  for (const [i, study] of studies.entries()) {
    observer.begin(study, i, studies.length);
    const result = await study.run({ images, progress: (share) => observer.progress(share) });
    observer.end(result, i, studies.length);
    results.push(result);
  }
  return { source, seconds: (performance.now() - begin) / 1000, studies: results };
}

/** The checks that are not met. */
export const failures = ({ studies }: LabResults): Check[] =>
  studies.flatMap(({ checks }) => checks.filter(({ isMet }) => !isMet));

/** results.json: every check and every number plotted, by study. NaN and infinities are written as text. */
export function resultsJson({ source, seconds, studies }: LabResults, machine: object): string {
  const all = studies.flatMap(({ checks }) => checks);
  const results = {
    command: "lab",
    source,
    seconds,
    machine,
    numbers: { total: all.length, met: all.filter(({ isMet }) => isMet).length },
    studies: Object.fromEntries(
      studies.map(({ name, seconds: time, checks, figure, data }) => [
        name,
        { title: figure.title, seconds: time, checks, data },
      ]),
    ),
  };
  const textOfNonFinite = (_: string, value: unknown): unknown =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  return `${JSON.stringify(results, textOfNonFinite, 1)}\n`;
}
