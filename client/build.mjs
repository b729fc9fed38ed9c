// Build the client: `node build.mjs` writes static/dist; `node build.mjs --tests` bundles what
// tests/conformance runs. Names carry a hash of the content, so browsers may keep them for ever.
// The build prints what each piece weighs and fails when one is over its budget (budgets.mjs).

import { build } from "esbuild";
import { minify } from "terser";
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
import { findExcess, FIRST_QUESTION_BUDGET, formatTable, sumFirstQuestion } from "./budgets.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "../static/dist");
const temporary = `${dist}.new`;
const COMPRESSED = /\.(js|css|svg|html|webmanifest)$/;

const TERSER = JSON.parse(
  readFileSync(join(here, "node_modules/terser/package.json"), "utf8"),
).version;

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const hash = (data) => sha256(data).slice(0, 12);
const weigh = (...files) => files.reduce((sum, data) => sum + brotliCompressSync(data).length, 0);

/** Return what this build is made from, for the centre to see which phones are behind. */
function hashSources() {
  const sources = readdirSync(join(here, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(tsx?|json)$/.test(entry.name))
    .filter((entry) => !entry.name.includes(".test."))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((path) => readFileSync(path));
  return sha256(Buffer.concat(sources)).slice(0, 8);
}

/** Return the version of the product: pyproject.toml is the one place that says it. */
function readVersion() {
  const project = readFileSync(join(here, "../pyproject.toml"), "utf8");
  return /^version = "(.+)"$/m.exec(project)[1];
}

const common = {
  define: {
    BUILT: JSON.stringify(hashSources()),
    VERSION: JSON.stringify(readVersion()),
    MAP_STYLE: '""',
  },
  absWorkingDir: here,
  bundle: true,
  logLevel: "warning",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
};

/**
 * Make a script smaller than esbuild does: by 4 percent after brotli (docs/decisions/0044).
 * Its input is already what esbuild made small, with the hash of that in its name. So TERSER is
 * in that input, as a comment: another version of terser gives another name.
 */
async function makeSmaller(script) {
  const { code } = await minify(script.toString(), {
    module: true,
    ecma: 2022,
    compress: { passes: 3, unsafe_arrows: true, pure_getters: true, keep_fargs: false },
  });
  return Buffer.from(code);
}

async function bundle(entry, options = {}) {
  const result = await build({
    ...common,
    entryPoints: [entry],
    format: "esm",
    minify: true,
    write: false,
    ...options,
  });
  const bundled = Buffer.from(result.outputFiles[0].contents);
  return entry.endsWith(".css") ? bundled : makeSmaller(bundled);
}

/**
 * Bundle a script in pieces: what is needed first, what is fetched while the worker types their
 * PIN, the words of a language. Returns [{name, stem, data, isEntry, isStatic, needs}]; static
 * pieces are needed by the entry at once, and `needs` names those that a piece needs at once.
 */
async function bundleInPieces(name, entryPoint, { plugins = [], define = {} } = {}) {
  const result = await build({
    ...common,
    entryPoints: { [name]: entryPoint },
    format: "esm",
    minify: true,
    write: false,
    splitting: true,
    metafile: true,
    plugins,
    define: { ...common.define, ...define },
    outdir: "out",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    footer: { js: `//${TERSER}` },
  });
  const outputs = Object.entries(result.metafile.outputs);
  const [path, entry] = outputs.find(([, about]) => about.entryPoint === entryPoint);
  const listNeeded = ({ imports }) =>
    imports.filter(({ kind }) => kind === "import-statement").map((each) => basename(each.path));
  const needed = listNeeded(entry);
  const describe = async (file) => ({
    name: basename(file.path),
    stem: basename(file.path).replace(/-[^-]*$/, ""),
    data: await makeSmaller(Buffer.from(file.contents)),
    isEntry: basename(file.path) === basename(path),
    isStatic: needed.includes(basename(file.path)),
    needs: listNeeded(outputs.find(([each]) => basename(each) === basename(file.path))[1]),
  });
  return Promise.all(result.outputFiles.map(describe));
}

/** Modules that are loaded only when somebody is in, or a form is shown. */
const LATER =
  /\/(screens\/others|team_later|fill\/(last_steps|overview)|rare_widgets|spot_map)\.tsx?$/;

/**
 * Say that the later pieces need a module, which is always there when they are loaded. So what they
 * share with it stays one file; else each combination of pieces that share something is a file of
 * its own, which compresses badly.
 */
const afterModule = (module) => ({
  name: `after ${module}`,
  setup({ onLoad }) {
    onLoad({ filter: LATER }, ({ path }) => ({
      contents: `import "${join(here, module)}";\n${readFileSync(path, "utf8")}`,
      loader: path.endsWith("x") ? "tsx" : "ts",
    }));
  },
});

async function buildTests() {
  const forNode = { ...common, format: "esm", platform: "node" };
  const forPage = { ...common };
  await Promise.all([
    build({ ...forNode, entryPoints: ["test/runner.ts"], outfile: "build/test/runner.mjs" }),
    build({ ...forNode, entryPoints: ["test/chaos.ts"], outfile: "build/test/chaos.mjs" }),
    build({
      ...forPage,
      entryPoints: ["test/chart.ts"],
      globalName: "chart",
      outfile: "build/test/chart.js",
    }),
    build({
      ...forPage,
      entryPoints: ["test/phone.ts"],
      globalName: "phone",
      outfile: "build/test/phone.js",
    }),
  ]);
}

/** Files on their way into static/dist, and their names without a hash. */
class Output {
  names = {};

  constructor() {
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { recursive: true });
  }

  write(name, data) {
    writeFileSync(join(temporary, name), data);
  }

  /** Write a file under a name with a hash in it; return its content. */
  add(name, data) {
    const [stem, extension] = name.split(".");
    this.names[name] = `${stem}-${hash(data)}.${extension}`;
    this.write(this.names[name], data);
    return data;
  }

  /** Write the pieces of a script; return them. */
  addPieces(name, pieces) {
    for (const piece of pieces) {
      this.write(piece.name, piece.data);
      this.names[piece.isEntry ? name : piece.name] = piece.name;
    }
    return pieces;
  }

  link(name) {
    return `/static/${this.names[name]}`;
  }

  /** Compress everything and put it in place of the version before. */
  finish() {
    this.write("names.json", JSON.stringify(this.names, null, 2));
    for (const name of readdirSync(temporary).filter((each) => COMPRESSED.test(each))) {
      const data = readFileSync(join(temporary, name));
      this.write(`${name}.br`, brotliCompressSync(data));
      this.write(`${name}.gz`, gzipSync(data, { level: 9 }));
    }
    if (existsSync(dist)) {
      this.keepFilesBefore();
      rmSync(dist, { recursive: true });
    }
    renameSync(temporary, dist);
  }

  /** Files of the version before stay, so that a page opened just now still finds its parts. */
  keepFilesBefore() {
    const written = new Set(readdirSync(temporary));
    const list = join(dist, "names.json");
    const before = existsSync(list) ? Object.values(JSON.parse(readFileSync(list, "utf8"))) : [];
    for (const name of before) {
      const isGone = !written.has(name) && existsSync(join(dist, name));
      if (isGone) this.write(basename(name), readFileSync(join(dist, name)));
    }
  }
}

/** Write the page of the phone app and its manifest; return both. */
function writePage(output, scripts) {
  const preloads = scripts
    .filter(({ isStatic }) => isStatic)
    .map(({ name }) => `<link rel="modulepreload" href="/static/${name}">`);
  const page = readFileSync(join(here, "public/app.html"), "utf8")
    .replace("{{script}}", output.link("app.js"))
    .replace("{{preload}}", preloads.join("\n  "))
    .replace("{{style}}", output.link("phone.css"))
    .replaceAll("{{icon}}", output.link("icon.svg"))
    .replace("{{icon192}}", output.link("icon192.png"));
  output.write("app.html", page);
  const manifest = readFileSync(join(here, "public/manifest.webmanifest"), "utf8")
    .replace("/app/icon.svg", output.link("icon.svg"))
    .replace("/app/icon-512.png", output.link("icon512.png"))
    .replace("/app/icon-192.png", output.link("icon192.png"));
  output.write("manifest.webmanifest", manifest);
  return { page: Buffer.from(page), manifest: Buffer.from(manifest) };
}

/** Bundle the service worker, which knows the hash of every file of the app's shell {url: data}. */
function bundleWorker(shell) {
  const hashes = Object.fromEntries(
    Object.entries(shell).map(([url, data]) => [url, sha256(data).slice(0, 32)]),
  );
  const define = {
    ...common.define,
    SHELL: JSON.stringify(hashes),
    BUILD: JSON.stringify(hash(JSON.stringify(hashes))),
  };
  return bundle("src/worker/service_worker.ts", { define });
}

/** Build the phone app; return what its pieces weigh. */
async function buildPhone(output) {
  const mapStyle = output.add("map.css", await bundle("styles/map.css"));
  const pieces = await bundleInPieces("app", "src/app.tsx", {
    plugins: [afterModule("src/app/unlocked.tsx")],
    define: { MAP_STYLE: JSON.stringify(output.link("map.css")) },
  });
  const scripts = output.addPieces("app.js", pieces);
  const style = output.add("phone.css", await bundle("styles/phone.css"));
  const icon = output.add("icon.svg", readFileSync(join(here, "public/icon.svg")));
  const pictures = {};
  for (const size of ["192", "512"]) {
    const data = readFileSync(join(here, `public/icon-${size}.png`));
    pictures[size] = output.add(`icon${size}.png`, data);
  }
  const { page, manifest } = writePage(output, scripts);
  const worker = await bundleWorker({
    "/app/": page,
    "/app/manifest.webmanifest": manifest,
    [output.link("phone.css")]: style,
    [output.link("map.css")]: mapStyle,
    [output.link("icon.svg")]: icon,
    [output.link("icon192.png")]: pictures["192"],
    ...Object.fromEntries(scripts.map(({ name, data }) => [`/static/${name}`, data])),
  });
  output.write("sw.js", worker);

  const names = {
    unlocked: "after sign-in",
    others: "other screens",
    qr_drawing: "QR codes",
    qr_reading: "QR reading",
    rare_widgets: "rare widgets",
    rare_exchange: "rare exchange",
    help_texts: "help texts",
    twice_shown: "hour shown twice",
    fr: "french",
    fr_later: "french, later",
    rare_functions: "rare functions",
    storage_broken: "broken storage",
    spot_map: "heat map",
    last_steps: "last steps",
    team_later: "crisis team",
    chunk: "shared later",
  };
  const unlocked = scripts.find(({ stem }) => stem === "unlocked");
  const sizes = { "before sign-in": weigh(page, style, icon), "heat map": weigh(mapStyle) };
  for (const { name, stem, data, isEntry, isStatic } of scripts) {
    let piece = names[stem] ?? stem;
    if (unlocked.needs.includes(name)) piece = "after sign-in"; // shared with what is loaded later
    if (isEntry || isStatic) piece = "before sign-in";
    sizes[piece] = (sizes[piece] ?? 0) + weigh(data);
  }
  return { ...sizes, "service worker": weigh(worker) };
}

/** Build what the office and public pages use; return what its pieces weigh. */
async function buildOthers(output) {
  const preview = output.addPieces(
    "try.js",
    await bundleInPieces("try", "src/preview/main.tsx", {
      plugins: [afterModule("src/preview/main.tsx")],
    }),
  );
  const kpi = { format: "iife", loader: { ".css": "text" } };
  const needed = preview.filter(({ isEntry, isStatic }) => isEntry || isStatic);
  return {
    "form preview": weigh(...needed.map(({ data }) => data)),
    board: weigh(output.add("board.js", await bundle("src/board/board.ts"))),
    passkeys: weigh(output.add("passkeys.js", await bundle("src/passkeys/passkeys.ts"))),
    "office map": weigh(output.add("map.js", await bundle("src/map/office_entry.ts"))),
    "embedded indicators": weigh(output.add("kpi.js", await bundle("src/embed/kpi.ts", kpi))),
    "board styles": weigh(output.add("board.css", await bundle("styles/board.css"))),
    "office styles": weigh(output.add("office.css", await bundle("styles/office.css"))),
    "public styles": weigh(output.add("public.css", await bundle("styles/public.css"))),
  };
}

async function buildApp() {
  const output = new Output();
  const sizes = { ...(await buildPhone(output)), ...(await buildOthers(output)) };
  console.log(`the client, compressed by brotli:\n${formatTable(sizes)}`);
  const total = { brotli: sumFirstQuestion(sizes), budget: FIRST_QUESTION_BUDGET };
  output.write("size.json", JSON.stringify({ ...total, pieces: sizes }));
  const problems = findExcess(sizes);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  output.finish();
}

await (process.argv.includes("--tests") ? buildTests() : buildApp());
