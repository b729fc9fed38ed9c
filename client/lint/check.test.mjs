import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { compare, countByFile, grownRules, writeBaseline } from "./baseline.mjs";
import { findCircles, listModules, readImports } from "./circles.mjs";

describe("the baseline", () => {
  const before = { "a.ts": { complexity: 1 }, "b.ts": { "max-len": 3 } };

  test("counts what was found by file and rule", () => {
    const messages = [{ ruleId: "max-len" }, { ruleId: "max-len" }, { ruleId: "eqeqeq" }];
    const counts = countByFile([{ filePath: "/x/a.ts", messages }], (path) => path.slice(3));
    assert.deepEqual(counts, { "a.ts": { "max-len": 2, eqeqeq: 1 } });
  });

  test("notices what grew, what shrank and what is new", () => {
    const after = { "a.ts": { complexity: 2 }, "b.ts": { "max-len": 1 }, "c.ts": { eqeqeq: 1 } };
    assert.deepEqual(compare(before, after), [
      { file: "a.ts", rule: "complexity", allowed: 1, count: 2 },
      { file: "b.ts", rule: "max-len", allowed: 3, count: 1 },
      { file: "c.ts", rule: "eqeqeq", allowed: 0, count: 1 },
    ]);
    assert.deepEqual(compare(before, before), []);
  });

  test("is lowered where faults went away or moved to another file, and never raised", () => {
    assert.deepEqual(grownRules(before, { "moved.ts": { complexity: 1, "max-len": 2 } }), []);
    assert.deepEqual(grownRules(before, { "a.ts": { complexity: 2 } }), ["complexity"]);
    assert.deepEqual(grownRules(before, { "a.ts": { eqeqeq: 1 } }), ["eqeqeq"]);
  });

  test("is written one line a file, so that two branches seldom touch the same line", () => {
    const text = writeBaseline({ "b.ts": { z: 1, a: 2 }, "a.ts": { z: 1 } });
    assert.deepEqual(text.split("\n"), [
      "{",
      '  "a.ts": {"z":1},',
      '  "b.ts": {"a":2,"z":1}',
      "}",
      "",
    ]);
  });
});

describe("circles of imports", () => {
  const folder = mkdtempSync(join(tmpdir(), "circles-"));
  after(() => rmSync(folder, { recursive: true }));
  const plant = (name, text) => writeFileSync(join(folder, name), text);
  const circles = () =>
    findCircles(readImports(listModules(folder))).map((paths) =>
      paths.map((path) => path.slice(folder.length + 1)),
    );

  test("are found however they are written: types, parts loaded later, a folder's index", () => {
    mkdirSync(join(folder, "words"));
    plant("today.tsx", 'import type { Card } from "./people";\n');
    plant("people.tsx", 'const words = await import("./words");\n');
    plant("words/index.ts", 'export {\n  a,\n  b,\n} from "../today";\n');
    plant("above.ts", 'import "./today";\nimport { render } from "preact";\n');
    assert.deepEqual(circles(), [["people.tsx", "today.tsx", "words/index.ts"]]);
  });

  test("are gone once one import of them is", () => {
    plant("words/index.ts", "export const a = 1;\n");
    assert.deepEqual(circles(), []);
  });
});
