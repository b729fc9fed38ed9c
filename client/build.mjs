// Build the client: `node build.mjs` writes static/dist; `node build.mjs --tests` bundles what tests/conformance runs.
// Names carry a hash of the content, so browsers may keep them for ever; the build fails above the size budget.

import { build } from "esbuild";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "../static/dist");
const BUDGET = 70 * 1024; // bytes of the phone app after brotli
const sha256 = (data) => createHash("sha256").update(data).digest("hex");
/** What this build was made from, for the centre to see which phones are behind. */
const sources = readdirSync(join(here, "src"), { recursive: true, withFileTypes: true })
  .filter((one) => one.isFile() && /\.(tsx?|json)$/.test(one.name) && !/\.test\./.test(one.name))
  .map((one) => join(one.parentPath ?? one.path, one.name))
  .sort()
  .map((path) => readFileSync(path));
const common = {
  define: { BUILT: JSON.stringify(sha256(Buffer.concat(sources)).slice(0, 8)) },
  absWorkingDir: here,
  bundle: true,
  logLevel: "warning",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
};

const hash = (data) => sha256(data).slice(0, 12);
const preload = ({ name }) => `<link rel="modulepreload" href="/static/${name}">`;

async function bundle(entry, options = {}) {
  const result = await build({
    ...common,
    entryPoints: [entry],
    format: "esm",
    minify: true,
    write: false,
    ...options,
  });
  return Buffer.from(result.outputFiles[0].contents);
}

/** A script in pieces: what is needed first, what is fetched while the worker types their PIN, the words of a language. */
async function inPieces(named, entryPoint) {
  const result = await build({
    ...common,
    entryPoints: { [named]: entryPoint },
    format: "esm",
    minify: true,
    write: false,
    splitting: true,
    metafile: true,
    outdir: "out",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
  });
  const outputs = Object.entries(result.metafile.outputs).map(([path, about]) => [
    basename(path),
    about,
  ]);
  const entry = outputs.find(([, about]) => about.entryPoint === entryPoint);
  const needed = new Set(
    entry[1].imports
      .filter(({ kind }) => kind === "import-statement")
      .map(({ path }) => basename(path)),
  );
  return result.outputFiles.map(({ path, contents }) => {
    const name = basename(path);
    return {
      name,
      data: Buffer.from(contents),
      isEntry: name === entry[0],
      isStatic: needed.has(name),
    };
  });
}

async function tests() {
  const forNode = { ...common, format: "esm", platform: "node" };
  await Promise.all([
    build({ ...forNode, entryPoints: ["test/runner.ts"], outfile: "build/test/runner.mjs" }),
    build({ ...forNode, entryPoints: ["test/chaos.ts"], outfile: "build/test/chaos.mjs" }),
    build({
      ...common,
      entryPoints: ["test/chart.ts"],
      globalName: "chart",
      outfile: "build/test/chart.js",
    }),
    build({
      ...common,
      entryPoints: ["test/phone.ts"],
      globalName: "phone",
      outfile: "build/test/phone.js",
    }),
  ]);
}

async function app() {
  const temporary = `${dist}.new`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const names = {};
  const write = (name, data) => writeFileSync(join(temporary, name), data);
  const keep = (name, data) => {
    const [stem, extension] = name.split(".");
    names[name] = `${stem}-${hash(data)}.${extension}`;
    write(names[name], data);
    return data;
  };
  const scripts = await inPieces("app", "src/app.tsx");
  for (const { name, data } of scripts) write(name, data);
  names["app.js"] = scripts.find(({ isEntry }) => isEntry).name;
  const style = keep("phone.css", await bundle("styles/phone.css"));
  const trial = await inPieces("try", "src/preview/main.tsx");
  for (const { name, data } of trial) write(name, data);
  names["try.js"] = trial.find(({ isEntry }) => isEntry).name;
  keep("office.css", await bundle("styles/office.css"));
  keep("public.css", await bundle("styles/public.css"));
  keep("board.js", await bundle("src/board/board.ts"));
  keep("map.js", await bundle("src/map/office_entry.ts"));
  keep("kpi.js", await bundle("src/embed/kpi.ts", { format: "iife", loader: { ".css": "text" } }));
  const icon = keep("icon.svg", readFileSync(join(here, "public/icon.svg")));
  for (const size of ["192", "512"])
    keep(`icon${size}.png`, readFileSync(join(here, `public/icon-${size}.png`)));
  const link = (name) => `/static/${names[name]}`;
  const page = readFileSync(join(here, "public/app.html"), "utf8")
    .replace("{{script}}", link("app.js"))
    .replace(
      "{{preload}}",
      scripts
        .filter(({ isStatic }) => isStatic)
        .map(preload)
        .join("\n  "),
    )
    .replace("{{style}}", link("phone.css"))
    .replaceAll("{{icon}}", link("icon.svg"))
    .replace("{{icon192}}", link("icon192.png"));
  write("app.html", page);
  const manifest = readFileSync(join(here, "public/manifest.webmanifest"), "utf8")
    .replace("/app/icon.svg", link("icon.svg"))
    .replace("/app/icon-512.png", link("icon512.png"))
    .replace("/app/icon-192.png", link("icon192.png"));
  write("manifest.webmanifest", manifest);
  const shell = {
    "/app/": Buffer.from(page),
    "/app/manifest.webmanifest": Buffer.from(manifest),
    [link("phone.css")]: style,
    [link("icon.svg")]: icon,
    [link("icon192.png")]: readFileSync(join(temporary, names["icon192.png"])),
    ...Object.fromEntries(scripts.map(({ name, data }) => [`/static/${name}`, data])),
  };
  const hashes = Object.fromEntries(
    Object.entries(shell).map(([url, data]) => [url, sha256(data)]),
  );
  const define = {
    ...common.define,
    SHELL: JSON.stringify(hashes),
    BUILD: JSON.stringify(hash(JSON.stringify(hashes))),
  };
  const worker = await bundle("src/worker/service_worker.ts", { define });
  write("sw.js", worker);
  for (const { name, isEntry } of [...scripts, ...trial]) if (!isEntry) names[name] = name;
  write("names.json", JSON.stringify(names, null, 2));

  const first = Buffer.concat(
    scripts.filter(({ isEntry, isStatic }) => isEntry || isStatic).map(({ data }) => data),
  );
  const later = scripts
    .filter(({ isEntry, isStatic }) => !isEntry && !isStatic)
    .map(({ name, data }) => [name, data]);
  const sizes = {
    first,
    ...Object.fromEntries(later),
    style,
    page: Buffer.from(page),
    icon,
    worker,
  };
  const total = Object.values(sizes).reduce(
    (sum, data) => sum + brotliCompressSync(data).length,
    0,
  );
  const parts = Object.entries(sizes).map(
    ([name, data]) => `${name} ${(brotliCompressSync(data).length / 1024).toFixed(1)}`,
  );
  console.log(
    `phone app: ${(total / 1024).toFixed(1)} KB brotli of ${BUDGET / 1024} (${parts.join(", ")})`,
  );
  write("size.json", JSON.stringify({ brotli: total, budget: BUDGET }));
  if (total > BUDGET) throw new Error("The phone app is over its budget.");
  for (const name of readdirSync(temporary).filter((one) =>
    /\.(js|css|svg|html|webmanifest)$/.test(one),
  )) {
    const data = readFileSync(join(temporary, name));
    write(`${name}.br`, brotliCompressSync(data));
    write(`${name}.gz`, gzipSync(data, { level: 9 }));
  }
  if (existsSync(dist)) {
    // Files of the version before stay, so that a page opened just now still finds its parts.
    const fresh = new Set(readdirSync(temporary));
    const before = existsSync(join(dist, "names.json"))
      ? Object.values(JSON.parse(readFileSync(join(dist, "names.json"), "utf8")))
      : [];
    for (const name of before)
      if (!fresh.has(name) && existsSync(join(dist, name)))
        write(basename(name), readFileSync(join(dist, name)));
    rmSync(dist, { recursive: true });
  }
  renameSync(temporary, dist);
}

await (process.argv.includes("--tests") ? tests() : app());
