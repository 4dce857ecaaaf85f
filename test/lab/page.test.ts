/** The page and the file of numbers, for studies made up here. */
import { describe, expect, it } from "vitest";
import { data as datasets } from "../../lib/index.js";
import { atLeast, atMost, holds, near, relative, withinFactor } from "../../lib/lab/checks.js";
import type { Study } from "../../lib/lab/experiment.js";
import { formatMeasured, labPage } from "../../lib/lab/page.js";
import { failures, type LabResults, resultsJson, runStudies } from "../../lib/lab/run.js";
import { STUDIES } from "../../lib/lab/studies.js";
import { svgRenderer } from "../../lib/report/svg.js";
import { fakeStudy } from "./fake_study.js";

const images = datasets.digits({ n: 10 });
const silent = { begin: () => undefined, progress: () => undefined, end: () => undefined };
const run = (...studies: Study[]): Promise<LabResults> => runStudies(studies, images, "none <b>", silent);
const render = await svgRenderer();

describe("checks", () => {
  it.each([
    ["near", near("x", 1.1, 1, 0.1000001), near("x", 1.11, 1, 0.1), "± 0.1"],
    ["relative", relative("x", -2.03, -2, 0.02), relative("x", -2.05, -2, 0.02), "± 2 %"],
    [
      "a tight relative",
      relative("x", 1 + 1e-10, 1, 1e-9),
      relative("x", 1 + 1e-8, 1, 1e-9),
      "± 1e-9 relative",
    ],
    ["withinFactor", withinFactor("x", 0.11, 1, 10), withinFactor("x", 10.1, 1, 10), "within a factor of 10"],
    ["atMost", atMost("x", 1, 1), atMost("x", 1.01, 1), "at most"],
    ["atLeast", atLeast("x", 1, 1), atLeast("x", 0.99, 1), "at least"],
    ["holds", holds("x", true), holds("x", false), "holds"],
  ])("%s tells met from not met", (_, met, missed, tolerance) => {
    expect([met.isMet, missed.isMet]).toEqual([true, false]);
    expect(met.tolerance).toBe(tolerance);
  });

  it("are not met by NaN", () => {
    const checks = [
      near("x", Number.NaN, 1, 9),
      relative("x", Number.NaN, 1, 9),
      withinFactor("x", Number.NaN, 1, 9),
      atMost("x", Number.NaN, 1),
      atLeast("x", Number.NaN, 1),
    ];
    expect(checks.every(({ isMet }) => !isMet)).toBe(true);
  });
});

describe("page", () => {
  it("has every figure twice, with formula, call, text, numbers and checks", async () => {
    const html = labPage(
      await run(fakeStudy("one", true), fakeStudy("two", false)),
      [["cpu", "a&b"]],
      render,
    );
    for (const name of ["one", "two"]) {
      const section = html.split(`<section id="${name}">`)[1].split("</section>")[0];
      expect(section.match(/<svg /g)).toHaveLength(2);
      expect(section).toContain("<li>λ<sub>max</sub> &#60; 2</li>");
      expect(section).toContain("step(&#34;now&#34;)");
      expect(section).toContain("look at Z<sub>i+1</sub>");
      expect(section).toContain("<dt>fact</dt><dd>7</dd>");
      expect(section).toContain("<td>cell</td>");
      expect(section).toContain('<ul class="legend">');
    }
    expect(html).toContain("none &#60;b&#62;");
    expect(html).toContain("a&#38;b");
    expect(html).toContain("1 of 2");
  });

  it("opens the checks that are not met, and says which", async () => {
    const html = labPage(await run(fakeStudy("one", true), fakeStudy("two", false)), [], render);
    const [good, bad] = ["one", "two"].map(
      (name) => html.split(`<section id="${name}">`)[1].split("</section>")[0],
    );
    expect(good).toContain("<details><summary>1 of 1 numbers met");
    expect(bad).toContain('<details open><summary class="failed">0 of 1 numbers met');
    expect(bad).toMatch(
      /<tr class="failed"><td>answer<\/td><td>42<\/td><td>43<\/td><td>± 0.5<\/td><td>not met/,
    );
    expect(html).toContain('<a class="failed" href="#two">');
  });

  it("stands alone, for light and dark and for phones", async () => {
    const html = labPage(await run(fakeStudy("one", true)), [], render);
    expect(html.match(/<script|<link|@import|url\((?!#)|src=/g)).toBeNull();
    expect(html).toContain("prefers-color-scheme: dark");
    expect(html).toContain("width=device-width");
    // A colour that is no variable would stay as it is in the dark.
    const drawn = html.split("<body>")[1].replace(/<defs[\s\S]*?<\/defs>/g, "");
    expect(drawn.match(/(?:fill|stroke)="(?:#|rgb)[^"]*"/g)).toBeNull();
  });

  it("has the numbers without echarts, and says why there is no figure", async () => {
    const html = labPage(await run(fakeStudy("one", true)), [], null);
    expect(html).not.toContain("<svg");
    expect(html).toMatch(/drawn where the optional package echarts is installed/);
    expect(html).toContain("1 of 1 numbers met");
  });

  it.each([
    [0, "0"],
    [0.38415532, "0.384155"],
    [3.1e-8, "3.10e-8"],
    [34000, "34000"],
    [4.8e14, "4.80e+14"],
    [Number.NaN, "NaN"],
  ])("writes %s as %s", (value, text) => {
    expect(formatMeasured(value)).toBe(text);
  });
});

describe("results", () => {
  it("hold checks and data, with NaN and infinities as text", async () => {
    const results = await run(fakeStudy("one", true), fakeStudy("two", false));
    const json = JSON.parse(resultsJson(results, { cpu: "x" })) as Record<string, unknown>;
    expect(json).toMatchObject({
      command: "lab",
      machine: { cpu: "x" },
      numbers: { total: 2, met: 1 },
      studies: {
        one: { title: "Figure one", checks: [{ name: "answer", measured: 42, isMet: true }] },
        two: { data: { answer: 42, holes: ["NaN", "Infinity", 1] } },
      },
    });
    expect(failures(results).map(({ expected }) => expected)).toEqual([43]);
  });

  it("are of ten studies with names of their own", () => {
    expect(new Set(STUDIES.map(({ name }) => name)).size).toBe(10);
    expect(STUDIES.every(({ name }) => /^[a-zA-Z]+$/.test(name))).toBe(true);
  });
});
