// node bench/report/main.mjs OUT.html ROWS.json…: the report of rows that were written with --json on this machine.
import { readFileSync, writeFileSync } from "node:fs";
import { reportPage } from "./report.mjs";

const [output, ...files] = process.argv.slice(2);
if (files.length === 0) {
  console.error("Usage: node bench/report/main.mjs OUT.html ROWS.json…");
  process.exit(2);
}
writeFileSync(output, reportPage(files.flatMap((file) => JSON.parse(readFileSync(file, "utf8")))));
