// Modules that import each other in a circle: none of them can be read, tested or moved alone.
// Project references (tsconfig.json) hold the order of folders; this looks inside them too, and
// counts imports of types, which the compiler lets pass.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]*)"/g;
const ENDINGS = ["", ".ts", ".tsx", "/index.ts", "/index.tsx"];

const isFile = (path) => existsSync(path) && statSync(path).isFile();

/** Return the TypeScript files below a folder, by full path. */
export function listModules(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** Return which module imports which, by full path. */
export function readImports(modules) {
  const imports = new Map();
  for (const path of modules) {
    const targets = new Set();
    for (const [, specifier] of readFileSync(path, "utf8").matchAll(IMPORT)) {
      const start = resolve(dirname(path), specifier);
      const target = ENDINGS.map((ending) => start + ending).find(isFile);
      if (target) targets.add(target);
    }
    imports.set(path, [...targets]);
  }
  return imports;
}

/** Return each set of modules that reach each other (Tarjan's strongly connected components). */
export function findCircles(imports) {
  const order = new Map();
  const lowest = new Map();
  const open = [];
  const circles = [];
  function visit(path) {
    order.set(path, order.size);
    lowest.set(path, order.get(path));
    open.push(path);
    for (const target of imports.get(path) ?? []) {
      if (!order.has(target)) visit(target);
      if (open.includes(target)) {
        lowest.set(path, Math.min(lowest.get(path), lowest.get(target)));
      }
    }
    if (lowest.get(path) !== order.get(path)) return;
    const members = open.splice(open.indexOf(path));
    const isCircle = members.length > 1 || (imports.get(path) ?? []).includes(path);
    if (isCircle) circles.push(members.sort());
  }
  for (const path of imports.keys()) if (!order.has(path)) visit(path);
  return circles;
}
