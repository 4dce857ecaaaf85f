/** What the lab's page adds to the style sheet of reports. */
export const LAB_STYLE = `
:root {
  --blue: #1f6fb2; --orange: #c8711a; --green: #2f8f57; --red: #c0392f; --violet: #7755b8; --teal: #17898a;
  --grey: #7b8494; --contour: #4a79a8; --code: #f4f2ed; --met: #2f8f57;
}
@media (prefers-color-scheme: dark) {
  :root {
    --blue: #62b0ee; --orange: #eda654; --green: #62c98f; --red: #f0857a; --violet: #b59cf0; --teal: #58c7c8;
    --grey: #939eae; --contour: #6f9ccb; --code: #141a22; --met: #62c98f;
  }
}
h2 .number { margin-right: 10px; color: var(--muted); font-weight: 500; }
.contents { display: flex; flex-wrap: wrap; gap: 8px; margin: 24px 0 0; padding: 0; list-style: none; font-size: 14px; }
.contents a {
  display: block; padding: 4px 12px; border: 1px solid var(--line); border-radius: 999px; background: var(--card);
  color: var(--ink); text-decoration: none;
}
.contents .failed { border-color: var(--wrong); color: var(--wrong); }
.formulas { margin: 0 0 14px; padding: 0; list-style: none; font: italic 17px/1.6 "Cambria Math", Cambria, Georgia, serif; overflow-wrap: anywhere; }
.panels { display: grid; align-items: end; gap: 20px 28px; margin: 18px 0; }
.panels.square, .panels.wide { grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); }
.panels.third { grid-template-columns: repeat(auto-fit, minmax(min(100%, 280px), 1fr)); }
.panels figure { min-width: 0; text-align: left; }
.panels.square figure { width: 100%; max-width: 520px; margin: 0 auto; }
.panels figcaption { margin: 0 0 6px; font-size: 14px; font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 18px 0 -8px; padding: 0; list-style: none; font-size: 13px; }
.panels .legend { margin: 0 0 8px; }
.legend i { display: inline-block; width: 18px; margin-right: 6px; vertical-align: middle; }
.look { margin: 0 0 10px; }
pre { margin: 14px 0 0; padding: 12px 14px; overflow-x: auto; background: var(--code); border-radius: 8px; font-size: 13px; line-height: 1.5; }
details { margin-top: 14px; font-size: 14px; }
summary { cursor: pointer; color: var(--met); font-weight: 600; }
summary.failed { color: var(--wrong); }
details .scroll { margin-top: 8px; }
details td:first-child { white-space: normal; min-width: 220px; }
details tr.failed td { color: var(--wrong); font-weight: 600; }
section > .facts, section > .scroll { margin-top: 14px; font-size: 15px; }
.numbers .failed { color: var(--wrong); }
.numbers .met { color: var(--met); }
@media (max-width: 480px) {
  .formulas { font-size: 15px; }
  section > .facts { grid-template-columns: 1fr; gap: 0; }
  section > .facts dd { margin-bottom: 8px; }
}
`;
