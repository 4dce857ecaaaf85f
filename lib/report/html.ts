/** Pieces of HTML that reports are made of. */

/** Text as it may stand in HTML, in attributes too. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Names and values, as `<dl>`. `asHtml` turns the names into HTML, values are text. */
export function facts(
  rows: readonly (readonly [name: string, value: string])[],
  asHtml: (name: string) => string = escapeHtml,
): string {
  const items = rows.map(([name, value]) => `<dt>${asHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<dl class="facts">${items.join("")}</dl>`;
}

/** A table that scrolls sideways where it does not fit. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string) =>
    `<tr>${row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;
  const body = rows.map((row) => cells(row, "td")).join("\n");
  return `<div class="scroll"><table><thead>${cells(head, "th")}</thead><tbody>${body}</tbody></table></div>`;
}

/** A section with a heading. `body` is HTML. */
export const section = (title: string, body: string): string =>
  `<section><h2>${escapeHtml(title)}</h2>${body}</section>`;

/** A whole page without scripts or outside resources. `style` is CSS, `body` is HTML. */
export const page = (title: string, style: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`;
