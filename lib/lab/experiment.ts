/** What an experiment and its figure are. */
import type { EChartsOption } from "echarts";
import type { ImageDatasets } from "../data/mnist.js";
import type { Size } from "../report/svg.js";
import type { Check } from "./checks.js";

/** What experiments are given. */
export interface LabContext {
  /** Images of digits, 28×28 in ten classes. */
  readonly images: ImageDatasets;
  /** Tells how far the experiment is, in [0, 1]. */
  readonly progress: (share: number) => void;
}

/** Measures something through the public names of the package, and holds it against the lecture. */
export interface Experiment<Data> {
  /** Its key in results.json. */
  readonly name: string;
  /** Everything that is plotted, as JSON can hold it (NaN and infinities are written as text). */
  run(context: LabContext): Data | Promise<Data>;
  /** Every number of the lecture that the data must meet. */
  check(data: Data): Check[];
}

/** What a colour stands for. */
export interface LegendEntry {
  readonly name: string;
  readonly color: string;
  readonly dash?: "solid" | "dashed" | "dotted";
}

/** One image of a figure. */
export interface Panel {
  /** For readers who do not see it. */
  readonly label: string;
  /** Heading above the image. */
  readonly title: string;
  /** Names of what is drawn, set by the page: only it knows how wide its letters are. Empty where one thing is. */
  readonly legend: readonly LegendEntry[];
  option(size: Size): EChartsOption;
}

/** How large the panels of a figure are: two or three a row where there is room. */
export type PanelShape = "square" | "wide" | "third" | "full";

/** Panels of one shape. */
export interface PanelRow {
  readonly shape: PanelShape;
  readonly panels: readonly Panel[];
  /** Names that all panels share, set above them. */
  readonly legend?: readonly LegendEntry[];
}

/** Draws an experiment's data and says what it shows. */
export interface Figure<Data> {
  readonly title: string;
  readonly formulas: readonly string[];
  /** The call that produced it. */
  readonly code: string;
  /** What to look for; paragraphs. */
  readonly look: readonly string[];
  rows(data: Data): PanelRow[];
  /** Numbers worth printing beside the panels, and a table where there is one. */
  facts?(data: Data): readonly (readonly [name: string, value: string])[];
  table?(data: Data): { head: readonly string[]; rows: readonly (readonly string[])[] };
}

/** What one study has found. */
export interface StudyResult {
  readonly name: string;
  readonly seconds: number;
  readonly data: unknown;
  readonly checks: readonly Check[];
  readonly figure: DrawnFigure;
}

/** A figure with its data. */
export interface DrawnFigure {
  readonly title: string;
  readonly formulas: readonly string[];
  readonly code: string;
  readonly look: readonly string[];
  readonly rows: readonly PanelRow[];
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly table: { head: readonly string[]; rows: readonly (readonly string[])[] } | null;
}

/** An experiment with its figure. */
export interface Study {
  readonly name: string;
  readonly title: string;
  run(context: LabContext): Promise<StudyResult>;
}

/** Puts an experiment and its figure together. */
export const study = <Data>(experiment: Experiment<Data>, figure: Figure<Data>): Study => ({
  name: experiment.name,
  title: figure.title,
  async run(context) {
    const begin = performance.now();
    const data = await experiment.run(context);
    const seconds = (performance.now() - begin) / 1000;
    const { title, formulas, code, look } = figure;
    return {
      name: experiment.name,
      seconds,
      data,
      checks: experiment.check(data),
      figure: {
        title,
        formulas,
        code,
        look,
        rows: figure.rows(data),
        facts: figure.facts?.(data) ?? [],
        table: figure.table?.(data) ?? null,
      },
    };
  },
});
