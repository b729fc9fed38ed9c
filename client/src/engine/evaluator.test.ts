import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seeded } from "../../test/chance";
import { parse } from "../../test/expressions";
import { Filled, NOON, type Row } from "../../test/forms";
import { Context, evaluate, nodes, parseIndexCondition, shuffled } from "./evaluator";
import { loadFunctions } from "./load_functions";
import type { Json } from "./types";
import { parseDate, toText, type Value } from "./values";

await loadFunctions('["call","digest",[]]');

const ROWS: Row[] = [
  { type: "integer", name: "a" },
  { type: "text", name: "b" },
  { type: "date", name: "day" },
  { type: "group", name: "g", rows: [{ type: "text", name: "inner" }] },
  {
    type: "repeat",
    name: "r",
    rows: [
      { type: "integer", name: "n" },
      { type: "text", name: "kind" },
      { type: "repeat", name: "s", rows: [{ type: "integer", name: "m" }] },
    ],
  },
];

const PATHS: Record<string, string> = { n: "r/n", kind: "r/kind", inner: "g/inner", m: "r/s/m" };
const pathOf = (name: string): string => `/data/${PATHS[name] ?? name}`;

const ANSWERS: Json = {
  a: "7",
  b: "words here",
  day: "2026-11-23",
  g: { inner: "deep" },
  r: [
    { n: "1", kind: "x" },
    { n: "2", kind: "y", s: [{ m: "10" }, { m: "20" }] },
    { n: "3", kind: "x", s: [{ m: "30" }] },
  ],
};

const LISTS = {
  choices: {
    town: [
      { name: "to", label: { en: "Toronto", fr: "Toronto (fr)" }, data: { province: "on" } },
      { name: "ot", label: { en: "Ottawa" }, data: { province: "on" } },
      { name: "mo", label: { en: "Montréal" }, data: { province: "qc" } },
    ],
  },
  tables: {
    clinics: {
      columns: ["code", "title", "city"],
      rows: [
        ["1", "Rexdale", "to"],
        ["2", "Somerset", "ot"],
        ["3", "Jane", "to"],
      ],
    },
  },
};

/** The value of an expression at a question of the form. */
function run(expression: string, at = "a", answers: Json = ANSWERS): Value {
  const filled = new Filled(ROWS, answers, LISTS);
  return evaluate(parse(expression, pathOf), filled.form.context(filled.at(at)));
}

const text = (expression: string, at?: string): string => toText(run(expression, at));

describe("paths", () => {
  it("lead nowhere where nothing is", () => {
    assert.equal(run("${nothing}"), "");
    assert.equal(run("../nothing/more"), "");
    assert.equal(run("../../../../a"), "");
    assert.equal(run("/data/g/inner/deeper"), "");
  });

  it("lead from the root, from the question and from where the expression stands", () => {
    assert.equal(run("${a}"), 7);
    assert.equal(run("."), 7);
    assert.equal(run("../b"), "words here");
    assert.equal(run("../g/inner"), "deep");
    assert.equal(run("current()/../b"), "words here");
    assert.equal(run("./../b"), "words here");
  });

  it("give the first of several nodes as their value", () => {
    assert.equal(run("${n}"), 1);
    assert.equal(run("${m}"), 10);
  });

  it("stay in the instance that they start in", () => {
    assert.equal(run("../n", "r/1/kind"), 2);
    assert.equal(run("../s/m", "r/2/kind"), 30);
    assert.equal(run("../../n", "r/1/s/1/m"), 2);
    assert.equal(run("../../../n", "r/1/s/1/m"), "");
    assert.equal(run("../n", "r/1/s/0"), 2);
  });

  it("take any child where they say *", () => {
    assert.equal(run("../g/*"), "deep");
    assert.equal(run("../r/*"), 1);
    assert.equal(run("count(../g/*)"), 1);
    assert.equal(run("count(../r/*)"), 9);
    assert.equal(run("count(/data/*)"), 7);
  });

  it("lead to one parent, however many children they came from", () => {
    assert.equal(run("count(../r/n/..)"), 3);
    assert.equal(run("count(../r/n/../..)"), 1);
  });

  it("may be joined, each node once, in the order of the paths", () => {
    assert.equal(run("${b} | ${a}"), "words here");
    assert.equal(run("count(${n} | ${kind})"), 6);
    assert.equal(run("count(${n} | ${n})"), 3);
  });
});

describe("conditions in brackets", () => {
  it("choose by a value", () => {
    assert.equal(run("${r}[kind = 'y']/n"), 2);
    assert.equal(run("sum(${r}[kind = 'x']/n)"), 4);
    assert.equal(run("count(${r}[n > 5])"), 0);
  });

  it("choose by a place, also counted from the end", () => {
    assert.equal(run("${r}[2]/n"), 2);
    assert.equal(run("${r}[position() = last()]/n"), 3);
    assert.equal(run("${r}[last() - 1]/n"), 2);
    assert.equal(run("${r}[4]/n"), "");
    assert.equal(run("${r}[1.5]/n"), "");
  });

  it("count the place within one parent", () => {
    assert.equal(run("sum(${m})"), 60);
    assert.equal(run("sum(${r}/s[1]/m)"), 40);
    assert.equal(run("count(${r}/s[2])"), 1);
  });

  it("follow each other, each on what the last has left", () => {
    assert.equal(run("${r}[kind = 'x'][2]/n"), 3);
    assert.equal(run("${r}[2][kind = 'x']/n"), "");
  });

  it("know the question that they belong to as current()", () => {
    assert.equal(run("count(${r}[n < current()/../n])", "r/2/kind"), 2);
    assert.equal(run("sum(${r}[n < current()/../n]/n)", "r/1/kind"), 1);
  });

  it("may stand behind . and ..", () => {
    assert.equal(run(".[. = 7]"), 7);
    assert.equal(run(".[. = 8]"), "");
    assert.equal(run("count(.[. = 7])"), 1);
    assert.equal(run("count(.[. = 8])"), 0);
    assert.equal(run("count(../r/n/..[kind = 'x'])"), 2);
    assert.equal(run("..[a = 7]/b"), "words here");
    assert.equal(run("..[a = 8]/b"), "");
  });
});

describe("operators", () => {
  it("compute with numbers", () => {
    assert.equal(run("${a} + 1"), 8);
    assert.equal(run("${a} - '2'"), 5);
    assert.equal(run("2 + 3 * 4"), 14);
    assert.equal(run("(2 + 3) * 4"), 20);
    assert.equal(run("-${a}"), -7);
    assert.equal(run("7 div 2"), 3.5);
    assert.equal(run("1 div 0"), Infinity);
    assert.equal(run("7 mod 3"), 1);
    assert.equal(run("-7 mod 3"), -1);
  });

  it("make NaN of what is no number", () => {
    for (const expression of [
      "${b} + 1",
      "'' * 2",
      "'x' mod 2",
      "7 mod 0",
      "(1 div 0) mod 2",
      "-${b}",
    ])
      assert.ok(Number.isNaN(run(expression)), expression);
    assert.equal(run("5 mod (1 div 0)"), 5);
  });

  it("stop at the first yes of or, and at the first no of and", () => {
    assert.equal(run("true() or no-such-function()"), true);
    assert.equal(run("false() and no-such-function()"), false);
    assert.equal(run("'' or 0"), false);
    assert.equal(run("'a' and 1"), true);
    assert.equal(run("false() and true() or true()"), true);
  });

  it("compare numbers, texts and dates", () => {
    assert.equal(run("${a} = 7"), true);
    assert.equal(run("${a} = '7.0'"), true);
    assert.equal(run("${b} != 'words'"), true);
    assert.equal(run("${day} > '2026-11-22'"), true);
    assert.equal(run("${day} = today()"), true);
    assert.equal(run("'10' > '9'"), true);
  });

  it("hold where one of several nodes makes them hold", () => {
    assert.equal(run("${n} = 3"), true);
    assert.equal(run("${n} != 3"), true);
    assert.equal(run("${n} > 3"), false);
    assert.equal(run("${n} = ${a}"), false);
    assert.equal(run("${n} < ${m}"), true);
    assert.equal(run("(${n} | ${m}) = 20"), true);
  });

  it("take no node at all for a blank", () => {
    const nothing = { a: "7" };
    assert.equal(run("${n} = ''", "a", nothing), true);
    assert.equal(run("${n}[. > 1] = ''", "a", nothing), true);
    assert.equal(run("${r}[n = 9]/n = ''"), true);
    assert.equal(run("${r}[n = 9]/n != ''"), false);
  });
});

describe("functions of nodes", () => {
  it("count, sum and compare, blanks left out", () => {
    assert.equal(run("count(${r})"), 3);
    assert.equal(run("sum(${n})"), 6);
    assert.equal(run("max(${n}, 9)"), 9);
    assert.equal(run("min(${n})"), 1);
    assert.equal(run("sum(${r}[n = 9]/n)"), 0);
    const half: Json = { r: [{ n: "4" }, {}, { n: "6" }] };
    assert.equal(run("count-non-empty(${n})", "a", half), 2);
    assert.equal(run("min(${n})", "a", half), 4);
  });

  it("are no number where a value is none, or there is no value", () => {
    assert.ok(Number.isNaN(run("max(${kind})")));
    assert.ok(Number.isNaN(run("max(${r}[n = 9]/n)")));
    assert.ok(Number.isNaN(run("sum(${kind})")));
  });

  it("join texts", () => {
    assert.equal(run("concat(${kind}, '-', ${a})"), "xyx-7");
    assert.equal(run("join(', ', ${kind})"), "x, y, x");
    assert.equal(run("join('-', ${n}, 'end')"), "1-2-3-end");
    assert.equal(run("join('-', ${r}[n = 9]/n)"), "");
  });

  it("tell the position of a node and in a condition", () => {
    assert.equal(run("position(..)", "r/2/n"), 3);
    assert.equal(run("position(../..)", "r/1/s/1/m"), 2);
    assert.equal(run("position(..)", "r/1/s/1/m"), 2);
    assert.ok(Number.isNaN(run("position(${nothing})")));
  });

  it("measure places", () => {
    assert.equal(run("distance('0 0', '0 0')"), 0);
    assert.ok((run("area('0 0;0 1;1 1')") as number) > 6e9);
  });
});

describe("if, coalesce, once", () => {
  it("if looks only at the side that holds", () => {
    assert.equal(run("if(${a} > 5, 'many', no-such-function())"), "many");
    assert.equal(run("if('', no-such-function(), 'few')"), "few");
  });

  it("coalesce takes the first that is not blank", () => {
    assert.equal(run("coalesce('', ${nothing}, ${b}, 'x')"), "words here");
    assert.equal(run("coalesce('', '')"), "");
    assert.equal(run("coalesce(0, 1)"), 0);
  });

  it("once keeps the answer that is there", () => {
    assert.equal(run("once('new')"), 7);
    assert.equal(run("once('new')", "g/inner", {}), "new");
  });
});

describe("time and chance", () => {
  it("takes the clock of the phone", () => {
    assert.equal(text("now()"), `${NOON}.000`);
    assert.equal(text("today()"), "2026-11-23");
    assert.equal(text("today() + 1 = date('2026-11-24')"), "true");
  });

  it("draws numbers below one", () => {
    const drawn = new Set(Array.from({ length: 20 }, () => run("random()")));
    assert.ok(drawn.size > 1);
    for (const number of drawn) assert.ok(typeof number === "number" && number >= 0 && number < 1);
  });

  it("makes identifiers that look like identifiers, each another", () => {
    const ids = Array.from({ length: 20 }, () => text("uuid()"));
    for (const id of ids)
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(new Set(ids).size, 20);
  });

  it("makes shorter ones, and none of a length that there is not", () => {
    assert.match(text("uuid(8)"), /^[0-9a-f]{8}$/);
    assert.match(text("uuid(32)"), /^[0-9a-f]{32}$/);
    for (const length of ["0", "33", "-1"]) assert.equal(text(`uuid(${length})`), "", length);
  });
});

describe("lists", () => {
  it("are walked like answers", () => {
    assert.equal(run("count(instance('town')/root/item)"), 3);
    assert.equal(run("instance('clinics')/root/item[code = 2]/title"), "Somerset");
    assert.equal(run("count(instance('clinics')/root/item/*)"), 9);
    assert.equal(run("count(instance('nowhere')/root/item)"), 0);
  });

  it("are filtered by what they are worth, first by an index", () => {
    assert.equal(run("count(instance('clinics')/root/item[city = 'to'])"), 2);
    assert.equal(run("instance('clinics')/root/item['to' = city][2]/title"), "Jane");
    assert.equal(run("count(instance('clinics')/root/item[city = ${b}])"), 0);
    assert.equal(run("count(instance('clinics')/root/item[city = 'to'][code > 1])"), 1);
  });

  it("give the words of a choice", () => {
    assert.equal(run("instance('town')/root/item[name = 'mo']/label"), "Montréal");
    assert.equal(run("jr:itext(instance('town')/root/item[2]/itextId)"), "Ottawa");
    assert.equal(run("jr:itext('town-9')"), "");
    assert.equal(run("jr:itext('')"), "");
  });

  it("pulldata reads one cell", () => {
    assert.equal(run("pulldata('clinics', 'title', 'code', '3')"), "Jane");
    assert.equal(run("pulldata('clinics', 'title', 'code', '9')"), "");
    assert.equal(run("pulldata('clinics', 'nothing', 'code', '3')"), "");
    assert.equal(run("pulldata('nowhere', 'title', 'code', '3')"), "");
  });

  it("jr:choice-name reads the words of an answer", () => {
    const filled = new Filled(
      [{ type: "select_one", name: "t", choices: "town" }],
      { t: "to" },
      LISTS,
    );
    const ast = parse("jr:choice-name(${t}, '/data/t')");
    assert.equal(evaluate(ast, filled.form.context(filled.at("t"))), "Toronto");
  });
});

describe("a condition that an index answers", () => {
  const key = (condition: string): unknown => {
    const index = parseIndexCondition(parse(condition, pathOf));
    return index && [index.column, index.value[0]];
  };

  it("compares a column with a text or a path that does not depend on the row", () => {
    assert.deepEqual(key("city = 'to'"), ["city", "s"]);
    assert.deepEqual(key("'to' = city"), ["city", "s"]);
    assert.deepEqual(key("city = ${b}"), ["city", "path"]);
    assert.deepEqual(key("current()/../b = city"), ["city", "path"]);
  });

  it("is no other", () => {
    for (const condition of [
      "city != 'to'",
      "city = 7",
      "city = other",
      "city = ../b",
      "city = concat('t', 'o')",
      "city[1] = 'to'",
      "city/name = 'to'",
      ". = 'to'",
      "../city = 'to'",
      "city",
      "city = 'a' or city = 'b'",
    ])
      assert.equal(key(condition), null, condition);
  });

  it("finds the same rows as looking at each, for any table", () => {
    const { below, pick, seed } = seeded("indexes");
    for (let round = 0; round < 60; round++) {
      const rows = Array.from({ length: below(12) }, () => [pick(["", "a", "b", "1", "1.0"])]);
      const filled = new Filled([{ type: "text", name: "x" }], null, {
        tables: { t: { columns: ["c"], rows } },
      });
      const target = pick(["", "a", "b", "1"]);
      filled.answer("x", target);
      const count = (expression: string): Value =>
        evaluate(parse(expression), filled.form.context(filled.at("x")));
      const expected = rows.filter(([cell]) => cell === target).length;
      assert.equal(count("count(instance('t')/root/item[c = ${x}])"), expected, `seed ${seed}`);
      const slowly = count("count(instance('t')/root/item[concat(c, '') = ${x}])");
      assert.equal(slowly, expected, `seed ${seed}`);
    }
  });
});

describe("shuffling", () => {
  it("leaves the items alone without a seed that is a number", () => {
    assert.deepEqual(shuffled([1, 2, 3], NaN), [1, 2, 3]);
    assert.deepEqual(shuffled([1, 2, 3], Infinity), [1, 2, 3]);
  });

  it("is the same on every phone: Park and Miller, Fisher and Yates", () => {
    assert.deepEqual(shuffled(["a", "b", "c", "d", "e"], 42), ["a", "e", "c", "b", "d"]);
  });

  it("loses and doubles nothing, and does not touch what it was given", () => {
    const { below, seed } = seeded("shuffles");
    for (let round = 0; round < 200; round++) {
      const items = Array.from({ length: below(20) }, (_, number) => number);
      const before = [...items];
      const result = [...shuffled(items, below(10_000) - 5000)];
      assert.deepEqual(items, before);
      assert.deepEqual(
        result.sort((a, b) => a - b),
        before,
        `seed ${seed}`,
      );
    }
  });

  it("puts any item in any place about as often", () => {
    const places = [0, 0, 0, 0];
    for (let seed = 1; seed <= 4000; seed++)
      places[shuffled([0, 1, 2, 3], seed * 7919).indexOf(0)]!++;
    for (const count of places) assert.ok(count > 800 && count < 1200, places.join());
  });
});

describe("where an expression is evaluated", () => {
  it("keeps the question, the clock and the lists inside a condition", () => {
    const filled = new Filled(ROWS, ANSWERS, LISTS);
    const now = parseDate(NOON)!;
    const outer = new Context(filled.form.root, filled.at("a"), now, filled.form.lists);
    const inner = outer.inside(filled.at("b"), 2, 5);
    assert.equal(inner.current, filled.at("a"));
    assert.equal(inner.node, filled.at("b"));
    assert.deepEqual([inner.position, inner.size], [2, 5]);
    assert.deepEqual([outer.position, outer.size], [1, 1]);
    assert.equal(inner.inside(filled.at("day"), 1, 1).current, filled.at("a"));
  });

  it("finds no nodes in what is no path", () => {
    const filled = new Filled(ROWS, ANSWERS);
    const context = filled.form.context(filled.at("a"));
    assert.deepEqual(nodes(["s", "x"], context), []);
    assert.deepEqual(nodes(["call", "concat", []], context), []);
  });
});
