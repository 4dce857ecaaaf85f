/** A study that takes no time, whose one number is met or not. */
import { near } from "../../lib/lab/checks.js";
import { type Study, study } from "../../lib/lab/experiment.js";
import { curvesPanel } from "../../lib/lab/figures/curves_panel.js";

export const fakeStudy = (name: string, isMet: boolean): Study =>
  study<{ answer: number; holes: number[] }>(
    {
      name,
      run({ progress }) {
        progress(0.5);
        return { answer: 42, holes: [Number.NaN, Infinity, 1] };
      },
      check: ({ answer }) => [near("answer", answer, isMet ? 42 : 43, 0.5)],
    },
    {
      title: `Figure ${name}`,
      formulas: ["λ_max < 2"],
      code: 'step("now")',
      look: ["look at Z_{i+1}"],
      rows: () => [
        {
          shape: "wide",
          panels: [
            curvesPanel("curves", {
              label: "two curves",
              xName: "x",
              yName: "y",
              isLogarithmic: false,
              curves: ["a", "b"].map((curve, i) => ({
                name: curve,
                color: "var(--blue)",
                hasMarks: false,
                points: [
                  [0, i],
                  [1, 2],
                ],
              })),
            }),
          ],
        },
      ],
      facts: () => [["fact", "7"]],
      table: () => ({ head: ["head"], rows: [["cell"]] }),
    },
  );
