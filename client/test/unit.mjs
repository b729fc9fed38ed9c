/**
 * Run the unit tests beside the modules, "src/.../*.test.ts": `npm test`, or `npm test -- storage/` for some of them.
 *
 * Each file is bundled with modules of its own, so that what one test leaves in a module is not seen by another file; all of
 * them then run in this one process, which is much cheaper than one process a file.
 */

import { build } from "esbuild";
import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const client = join(dirname(fileURLToPath(import.meta.url)), "..");
const output = join(client, "build/unit");
const words = process.argv.slice(2);

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
  define: { BUILT: '"test"' },
});
for (const path of paths)
  await import(pathToFileURL(join(output, path.replace(/\.tsx?$/, ".mjs"))).href);
if (words.length === 0) {
  await import("../lint/check.test.mjs");
  await import("../budgets.test.mjs");
}
