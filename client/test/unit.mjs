/**
 * Run the unit tests beside the modules, "src/.../*.test.ts": `npm test`, or `npm test -- storage/`
 * for some of them, or `npm test -- --changed` for those that are not as they were when they last
 * passed.
 *
 * Each file is bundled with modules of its own, and runs with globals of its own (test/suites.mjs),
 * so that what one test leaves behind is not seen by another file; all of them run in this one
 * process, which is much cheaper than one process a file.
 */

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runFile } from "./suites.mjs";

const client = join(dirname(fileURLToPath(import.meta.url)), "..");
const output = join(client, "build/unit");
const passedFile = join(client, "build/unit_passed.json"); // hashes of what passed, by path
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const isChangedOnly = process.argv.includes("--changed");

const paths = readdirSync(join(client, "src"), { recursive: true })
  .filter((path) => /\.test\.tsx?$/.test(path))
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  .sort();
if (paths.length === 0) throw new Error(`No unit test is called ${words.join(" or ")}.`);

rmSync(output, { recursive: true, force: true });
await build({
  absWorkingDir: client,
  entryPoints: paths.map((path) => join("src", path)),
  outdir: output,
  outbase: "src",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  sourcemap: "inline",
  logLevel: "warning",
  define: { BUILT: '"test"', VERSION: '"1.2.3"', MAP_STYLE: '"/static/map.css"' },
  plugins: [{ name: "suites", setup: useSuites }],
});

function useSuites({ onResolve }) {
  const path = pathToFileURL(join(client, "test/suites.mjs")).href;
  onResolve({ filter: /^node:test$/ }, () => ({ path, external: true }));
}

/**
 * A hash of all that a test depends on: its modules are in its bundle; packages and Node are not.
 */
const common = ["package-lock.json", "test/suites.mjs", "test/unit.mjs"]
  .map((name) => readFileSync(join(client, name)))
  .concat(Buffer.from(process.version));
const bundleOf = (path) => join(output, path.replace(/\.tsx?$/, ".mjs"));
const hashOf = (path) =>
  createHash("sha256")
    .update(Buffer.concat([readFileSync(bundleOf(path)), ...common]))
    .digest("hex");

const passed = existsSync(passedFile) ? JSON.parse(readFileSync(passedFile, "utf8")) : {};
const hashes = Object.fromEntries(paths.map((path) => [path, hashOf(path)]));
const chosen = paths.filter((path) => !isChangedOnly || passed[path] !== hashes[path]);
process.on("exit", (code) => {
  if (code !== 0) return;
  for (const path of chosen) passed[path] = hashes[path];
  mkdirSync(dirname(passedFile), { recursive: true });
  writeFileSync(passedFile, JSON.stringify(passed, null, 1));
});

// As in browsers and newer versions of Node: something may ask for it just after its page is gone.
globalThis.navigator ??= {};
// The page is dear to make: the files that need one share it.
const isKept = (name) => name === "testPage";
for (const path of chosen)
  await runFile(path, () => import(pathToFileURL(bundleOf(path)).href), isKept);
if (words.length === 0) {
  await import("../lint/check.test.mjs");
  await import("../budgets.test.mjs");
}
