/** The style sheet of reports: one column on a phone, light or dark as the reader's system. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1c2430; --muted: #667085; --line: #e4e2dc;
  --train: #c4781c; --test: #1f6fb2; --wrong: #b3372f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --card: #1a2029; --ink: #e6e9ee; --muted: #98a3b3; --line: #2d3541;
    --train: #e5a04b; --test: #62b0ee; --wrong: #f08a80;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1080px; padding: 32px 20px 56px;
  background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
}
h1 { margin: 0; font-size: 28px; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 0 0 12px; font-size: 18px; }
.lead, .note { margin: 6px 0 0; color: var(--muted); }
section .note { margin: 0 0 14px; }
section { margin-top: 28px; padding: 20px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin-top: 24px; }
.numbers div { padding: 14px 16px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.numbers dt { color: var(--muted); font-size: 13px; }
.numbers dd { margin: 2px 0 0; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.numbers .headline { color: var(--test); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 28px; margin-top: 28px; }
.pair section { margin: 0; min-width: 0; }
svg { display: block; width: 100%; height: auto; }
.narrow { display: none; }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(72px, 1fr)); gap: 14px 12px; }
figure { margin: 0; text-align: center; }
figure img { display: block; width: 100%; aspect-ratio: 1; border-radius: 6px; image-rendering: pixelated; }
figcaption { margin-top: 4px; font-size: 14px; font-variant-numeric: tabular-nums; }
figcaption b { color: var(--wrong); }
figcaption small { display: block; color: var(--muted); font-size: 12px; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--muted); font-size: 13px; font-weight: 500; }
th:first-child, td:first-child { padding-left: 0; text-align: left; }
th:last-child, td:last-child { padding-right: 0; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 6px 20px; margin: 0; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 760px) {
  .numbers { grid-template-columns: 1fr 1fr; }
  body { padding: 20px 14px 40px; }
  .pair { grid-template-columns: 1fr; }
  section { padding: 16px; }
}
@media (max-width: 480px) {
  .wide { display: none; }
  .narrow { display: block; }
  .numbers dd { font-size: 19px; }
  .mistakes { grid-template-columns: repeat(auto-fill, minmax(52px, 1fr)); }
}
`;
