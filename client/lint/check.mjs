// `node lint/check.mjs`: what ESLint and the search for circles find, against the baseline.
// `node lint/check.mjs --lower`: write the baseline anew, when no rule is broken more often in all.

import { ESLint } from "eslint";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { compare, countByFile, grownRules, writeBaseline } from "./baseline.mjs";
import { findCircles, listModules, readImports } from "./circles.mjs";

const client = dirname(dirname(fileURLToPath(import.meta.url)));
const file = join(client, "lint/baseline.json");
const nameOf = (path) => relative(client, path);

const linter = new ESLint({
  cwd: client,
  cache: true,
  cacheLocation: join(client, "build/eslint.json"),
  cacheStrategy: "content",
});
const results = await linter.lintFiles(["src", "test", "lint", "*.mjs"]);
for (const circle of findCircles(readImports(listModules(join(client, "src"))))) {
  for (const filePath of circle) {
    const others = circle.filter((path) => path !== filePath).map(nameOf);
    const message = `This module and ${others.join(", ") || "itself"} import each other.`;
    results.push({ filePath, messages: [{ ruleId: "import-circle", line: 1, message }] });
  }
}
const counts = countByFile(results, nameOf);
const baseline = JSON.parse(readFileSync(file, "utf8"));
const problems = [];

function describe(path, rule) {
  return results
    .filter(({ filePath }) => nameOf(filePath) === path)
    .flatMap(({ messages }) => messages)
    .filter(({ ruleId }) => ruleId === rule)
    .map(({ line, message }) => `${path}:${line} ${message} (${rule})`);
}

if (process.argv.includes("--lower")) {
  const grown = grownRules(baseline, counts);
  if (grown.length > 0)
    problems.push(`The baseline may only shrink; these grew: ${grown.join(", ")}`);
  else writeFileSync(file, writeBaseline(counts));
} else {
  for (const { file: path, rule, allowed, count } of compare(baseline, counts)) {
    if (count > allowed) problems.push(...describe(path, rule));
    else
      problems.push(
        `${path}: ${rule} ${allowed} → ${count}. Lower the baseline: npm run lint:lower`,
      );
  }
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
