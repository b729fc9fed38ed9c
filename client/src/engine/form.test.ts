import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seeded } from "../../test/chance";
import { Filled, makeForm, NOON, type Row } from "../../test/forms";
import type { AnswerNode } from "./node";

const shownNames = (filled: Filled, act: () => void): string[] => {
  const names = new Set<string>();
  filled.form.onChange = (changed: ReadonlySet<AnswerNode>) => {
    for (const node of changed) names.add(node.where() || "the form");
  };
  act();
  return [...names].sort();
};

describe("relevance", () => {
  const rows: Row[] = [
    { type: "select_one", name: "who" },
    { type: "integer", name: "age", relevant: "${who} = 'person'" },
    { type: "text", name: "school", relevant: "${age} < 18" },
  ];

  it("leaves out what was answered and then made irrelevant", () => {
    const filled = new Filled(rows);
    filled.answer("who", "person").answer("age", "15").answer("school", "a school");
    filled.answer("who", "group");
    assert.deepEqual(filled.form.finish(), { who: "group" });
  });

  it("brings an answer back when its question is relevant again", () => {
    const filled = new Filled(rows);
    filled.answer("who", "person").answer("age", "15").answer("school", "a school");
    filled.answer("who", "group").answer("who", "person");
    assert.deepEqual(filled.form.finish(), { who: "person", age: "15", school: "a school" });
  });

  it("takes an irrelevant answer for a blank one in expressions", () => {
    const filled = new Filled([
      ...rows,
      { type: "text", name: "seen", calculate: "concat('<', ${age}, '>')" },
    ]);
    filled.answer("who", "person").answer("age", "15");
    assert.equal(filled.read("seen"), "<15>");
    filled.answer("who", "group");
    assert.equal(filled.read("seen"), "<>");
  });

  it("of a group decides about all that is in it", () => {
    const filled = new Filled([
      { type: "text", name: "yes" },
      {
        type: "group",
        name: "more",
        relevant: "${yes} = 'yes'",
        rows: [
          { type: "text", name: "inner", default: "here" },
          { type: "group", name: "deep", rows: [{ type: "text", name: "last", default: "there" }] },
        ],
      },
    ]);
    assert.deepEqual(filled.form.finish(), {});
    filled.answer("yes", "yes");
    assert.deepEqual(filled.form.finish(), {
      yes: "yes",
      more: { inner: "here", deep: { last: "there" } },
    });
  });

  it("of a question may read the question itself", () => {
    const filled = new Filled([{ type: "text", name: "a", relevant: ". != 'no'" }]);
    filled.answer("a", "no");
    assert.deepEqual(filled.form.finish(), {});
  });
});

describe("calculations", () => {
  it("follow each other in the order of the form, each once a change", () => {
    const filled = new Filled([
      { type: "integer", name: "a" },
      { type: "integer", name: "b", calculate: "${a} * 2" },
      { type: "integer", name: "c", calculate: "${b} + ${a}" },
      { type: "text", name: "d", calculate: "concat(${c}, '!')" },
    ]);
    filled.answer("a", "5");
    assert.equal(filled.read("d"), "15!");
    filled.answer("a", "");
    assert.equal(filled.read("c"), "");
    assert.equal(filled.read("d"), "!");
  });

  it("give what the type of the question can hold", () => {
    const filled = new Filled([
      { type: "decimal", name: "n" },
      { type: "integer", name: "whole", calculate: "${n}" },
      { type: "date", name: "day", calculate: "${n}" },
      { type: "dateTime", name: "moment", calculate: "${n}" },
      { type: "time", name: "time", calculate: "${n}" },
      { type: "text", name: "plain", calculate: "${n}" },
    ]);
    filled.answer("n", "20000.75");
    assert.equal(filled.read("whole"), "20000");
    assert.equal(filled.read("day"), "2024-10-04");
    assert.equal(filled.read("moment"), "2024-10-04T18:00:00.000");
    assert.equal(filled.read("time"), "18:00:00.000");
    assert.equal(filled.read("plain"), "20000.75");
  });

  it("give nothing where the value is no number", () => {
    const filled = new Filled([
      { type: "text", name: "a" },
      { type: "integer", name: "b", calculate: "${a} + 1" },
    ]);
    filled.answer("a", "many");
    assert.equal(filled.read("b"), "");
  });

  it("use one moment for all that a change computes", () => {
    let ticks = 0;
    const definition = makeForm([
      { type: "text", name: "a" },
      { type: "text", name: "b", calculate: "concat(${a}, now())" },
      { type: "text", name: "c", calculate: "concat(${a}, now())" },
    ]);
    const filled = new Filled(definition);
    const clock = filled.form as unknown as { clock: () => unknown };
    const before = clock.clock;
    clock.clock = () => {
      ticks++;
      return before();
    };
    filled.answer("a", "x");
    assert.equal(ticks, 1);
    assert.equal(filled.read("b"), filled.read("c"));
  });

  it("have no value while they are irrelevant", () => {
    const filled = new Filled([
      { type: "integer", name: "a" },
      { type: "integer", name: "b", calculate: "${a} + 1", relevant: "${a} > 10" },
    ]);
    filled.answer("a", "11").answer("a", "3");
    assert.deepEqual(filled.form.finish(), { a: "3" });
    assert.equal(filled.at("b").text, "");
  });
});

describe("a new form", () => {
  const rows: Row[] = [
    { type: "text", name: "a", default: "plain" },
    { type: "date", name: "b", firstValue: "today()" },
    { type: "text", name: "start", preload: "start" },
    { type: "text", name: "today", preload: "today" },
    { type: "text", name: "user", preload: "username" },
    { type: "text", name: "phone", preload: "deviceid" },
    { type: "text", name: "end", preload: "end" },
  ];

  it("begins with its defaults and what the phone knows", () => {
    const filled = new Filled(rows);
    assert.deepEqual(filled.form.toJson(), {
      a: "plain",
      b: "2026-11-23",
      start: "2026-11-23T12:00:00.000",
      today: "2026-11-23",
      user: "amina",
      phone: "device-7",
      end: "2026-11-23T12:00:00.000",
    });
  });

  it("prefers the last answers to its defaults", () => {
    const filled = new Filled(rows, null, { remembered: { "/data/a": "again", "/data/x": "?" } });
    assert.equal(filled.read("a"), "again");
  });

  it("gives no default to a draft that is opened again", () => {
    const filled = new Filled(rows, { b: "2026-01-02" });
    assert.deepEqual(filled.form.toJson(), { b: "2026-01-02" });
  });

  it("ends with no day where only a month or a year is asked", () => {
    const asked = makeForm([
      { type: "date", name: "month", appearance: "month-year", default: "2026-03-08" },
      { type: "date", name: "year", appearance: "year", default: "2026-03-08" },
      { type: "date", name: "day", default: "2026-03-08" },
      { type: "date", name: "none", appearance: "month-year" },
    ]);
    const finished = { month: "2026-03-01", year: "2026-01-01", day: "2026-03-08" };
    assert.deepEqual(new Filled(asked).form.finish(), finished);
  });

  it("takes the moment of finishing for the end", () => {
    const filled = new Filled(rows, { end: "2020-01-01T00:00:00.000" });
    assert.equal((filled.form.finish() as { end: string }).end, `${NOON}.000`);
  });
});

describe("answers that are opened again", () => {
  const rows: Row[] = [
    { type: "group", name: "g", rows: [{ type: "text", name: "inner" }] },
    { type: "repeat", name: "people", rows: [{ type: "text", name: "name" }] },
    { type: "text", name: "note" },
  ];

  it("come out as they went in", () => {
    const answers = { g: { inner: "x" }, people: [{ name: "A" }, {}, { name: "C" }], note: "n" };
    assert.deepEqual(new Filled(rows, answers).form.toJson(), answers);
  });

  it("lose what the form does not know, and what has another shape", () => {
    const wrong = { g: "x", people: { name: "A" }, note: ["n"] as never, other: "?" };
    assert.deepEqual(new Filled(rows, wrong).form.toJson(), {});
    assert.deepEqual(new Filled(rows, { g: [{ inner: "x" }] }).form.toJson(), {});
  });
});

describe("repeats", () => {
  const people: Row[] = [
    {
      type: "repeat",
      name: "people",
      rows: [
        { type: "integer", name: "age" },
        { type: "text", name: "label", calculate: "concat(position(..), ':', ../age)" },
        { type: "integer", name: "total", calculate: "../age + sum(${age})" },
      ],
    },
    { type: "integer", name: "sum", calculate: "sum(${age})" },
    { type: "integer", name: "number", calculate: "count(${people})" },
  ];

  it("begin empty, and count what is added", () => {
    const filled = new Filled(people);
    assert.equal(filled.read("number"), "0");
    filled.add("people");
    filled.add("people");
    assert.equal(filled.read("number"), "2");
  });

  it("compute in the instance that changed, and what looks at all of them", () => {
    const filled = new Filled(people, { people: [{ age: "3" }, { age: "4" }] });
    filled.answer("people/1/age", "10");
    assert.equal(filled.read("people/0/label"), "1:3");
    assert.equal(filled.read("people/1/label"), "2:10");
    assert.equal(filled.read("people/0/total"), "16");
    assert.equal(filled.read("sum"), "13");
  });

  it("number their instances anew when one goes", () => {
    const filled = new Filled(people, { people: [{ age: "3" }, { age: "4" }, { age: "5" }] });
    filled.form.removeInstance(filled.at("people/0"));
    assert.equal(filled.read("people/0/label"), "1:4");
    assert.equal(filled.read("people/1/label"), "2:5");
    assert.equal(filled.read("sum"), "9");
    assert.equal(filled.read("number"), "2");
  });

  it("take the defaults of their questions for each new instance", () => {
    const filled = new Filled([
      { type: "repeat", name: "r", rows: [{ type: "text", name: "a", default: "d" }] },
    ]);
    filled.add("r");
    filled.answer("r/0/a", "other");
    filled.add("r");
    assert.deepEqual(filled.form.toJson(), { r: [{ a: "other" }, { a: "d" }] });
  });

  it("may stand in each other", () => {
    const filled = new Filled([
      {
        type: "repeat",
        name: "houses",
        rows: [
          {
            type: "repeat",
            name: "people",
            rows: [{ type: "integer", name: "age" }],
          },
          { type: "integer", name: "oldest", calculate: "max(../people/age)" },
        ],
      },
      { type: "integer", name: "all", calculate: "count(${age})" },
    ]);
    filled.add("houses");
    filled.add("houses");
    for (const house of [0, 1])
      for (let person = 0; person < 2; person++) filled.add(`houses/${house}/people`);
    filled.answer("houses/0/people/0/age", "30").answer("houses/0/people/1/age", "41");
    filled.answer("houses/1/people/1/age", "9");
    assert.equal(filled.read("houses/0/oldest"), "41");
    assert.equal(filled.read("houses/1/oldest"), "9");
    assert.equal(filled.read("all"), "4");
  });

  it("carry a running total through the instances that follow", () => {
    const filled = new Filled(
      [
        {
          type: "repeat",
          name: "r",
          rows: [
            { type: "integer", name: "n" },
            {
              type: "integer",
              name: "total",
              calculate: "coalesce(${r}[position() = position(current()/..) - 1]/total, 0) + ../n",
            },
          ],
        },
      ],
      { r: [{ n: "1" }, { n: "2" }, { n: "3" }] },
    );
    const totals = (): string[] => [0, 1, 2].map((at) => filled.read(`r/${at}/total`));
    assert.deepEqual(totals(), ["1", "3", "6"]);
    filled.answer("r/0/n", "10");
    assert.deepEqual(totals(), ["10", "12", "15"]);
    filled.answer("r/1/n", "0");
    assert.deepEqual(totals(), ["10", "10", "13"]);
  });
});

describe("a repeat that counts its instances", () => {
  const rows: Row[] = [
    { type: "integer", name: "size" },
    {
      type: "repeat",
      name: "r",
      count: "${size}",
      rows: [{ type: "text", name: "a", default: "new" }],
    },
    { type: "integer", name: "n", calculate: "count-non-empty(${a})" },
  ];

  it("has none for no number, for a negative one and for a blank", () => {
    const filled = new Filled(rows);
    for (const text of ["x", "-3", "", "0.9"]) {
      filled.answer("size", text);
      assert.equal(filled.form.root.childrenNamed("r").length, 0, text);
    }
  });

  it("makes as many as it is told, at most a thousand", () => {
    const filled = new Filled(rows);
    filled.answer("size", "3");
    assert.deepEqual(filled.form.toJson()["r"], [{ a: "new" }, { a: "new" }, { a: "new" }]);
    filled.answer("size", "2000");
    assert.equal(filled.form.root.childrenNamed("r").length, 1000);
  });

  it("keeps what was answered in instances beyond, until they count again", () => {
    const filled = new Filled(rows);
    filled.answer("size", "3").answer("r/2/a", "third").answer("size", "1");
    assert.deepEqual(filled.form.toJson()["r"], [{ a: "new" }]);
    assert.equal(filled.read("n"), "1");
    filled.answer("size", "3");
    assert.deepEqual(filled.form.toJson()["r"], [{ a: "new" }, { a: "new" }, { a: "third" }]);
    assert.equal(filled.read("n"), "3");
  });

  it("takes no defaults where answers are opened again", () => {
    const filled = new Filled(rows, { size: "2", r: [{ a: "old" }] });
    assert.deepEqual(filled.form.toJson()["r"], [{ a: "old" }, {}]);
  });
});

describe("choices", () => {
  const rows: Row[] = [
    { type: "select_one", name: "district", choices: "districts" },
    {
      type: "select_multiple",
      name: "places",
      choices: "places",
      items: "instance('places')/root/item[district = ${district}]",
    },
  ];
  const choices = {
    districts: ["north", "south"],
    places: [
      { name: "park", label: { en: "Park" }, data: { district: "north" } },
      { name: "plaza", label: { en: "Plaza" }, data: { district: "north" } },
      { name: "pier", label: { en: "Pier", fr: "Quai" }, data: { district: "south" } },
    ],
  };
  const names = (filled: Filled): string[] =>
    filled.form.options(filled.at("places")).map((option) => option.name);

  it("are those that the filter lets through", () => {
    const filled = new Filled(rows, null, { choices });
    assert.deepEqual(names(filled), []);
    filled.answer("district", "north");
    assert.deepEqual(names(filled), ["park", "plaza"]);
  });

  it("are taken back when they are no longer offered", () => {
    const filled = new Filled(rows, null, { choices });
    filled.answer("district", "north").answer("places", "park plaza");
    filled.answer("district", "south");
    assert.equal(filled.read("places"), "");
    filled.answer("places", "pier").answer("district", "south");
    assert.equal(filled.read("places"), "pier");
  });

  it("are taken back one by one in an answer with several", () => {
    const filled = new Filled(
      [
        { type: "text", name: "without" },
        {
          type: "select_multiple",
          name: "several",
          choices: "list",
          items: "instance('list')/root/item[name != ${without}]",
        },
      ],
      { several: "a b c" },
      { choices: { list: ["a", "b", "c"] } },
    );
    filled.answer("without", "b");
    assert.equal(filled.read("several"), "a c");
  });

  it("have words in the language that is asked for, else in one that there is", () => {
    const filled = new Filled(rows, { district: "south" }, { choices });
    const [pier] = filled.form.options(filled.at("places"));
    assert.equal(filled.form.labelOf(pier!, "fr", filled.at("places")), "Quai");
    assert.equal(filled.form.labelOf(pier!, "so", filled.at("places")), "Pier");
  });

  it("show their name where they have no words", () => {
    const filled = new Filled(rows, null, { choices });
    const option = { name: "bare", label: "" };
    assert.equal(filled.form.labelOf(option, "en", filled.at("places")), "bare");
  });

  it("may come from a table, by the columns that the form names", () => {
    const filled = new Filled(
      [
        {
          type: "select_one",
          name: "clinic",
          choices: "clinics",
          items: "instance('clinics')/root/item",
          itemValue: "code",
          itemLabel: "title",
        },
      ],
      null,
      {
        tables: {
          clinics: {
            columns: ["code", "title"],
            rows: [
              ["7", "Rexdale"],
              ["", "?"],
            ],
          },
        },
      },
    );
    assert.deepEqual(filled.form.options(filled.at("clinic")), [{ name: "7", label: "Rexdale" }]);
  });

  it("are shuffled once, and stay so", () => {
    const many = Array.from({ length: 30 }, (_, number) => `c${number}`);
    const row = { type: "select_one", name: "a", choices: "many" };
    const items = "randomize(instance('many')/root/item)";
    const filled = new Filled([{ ...row, items }], null, { choices: { many } });
    const order = (): string[] => filled.form.options(filled.at("a")).map(({ name }) => name);
    const first = order();
    assert.deepEqual(order(), first);
    assert.notDeepEqual(first, many);
    assert.deepEqual([...first].sort(), [...many].sort());
  });

  it("are shuffled the same way on every phone where the form gives the seed", () => {
    const many = Array.from({ length: 30 }, (_, number) => `c${number}`);
    const row = { type: "select_one", name: "a", choices: "many" };
    const items = "randomize(instance('many')/root/item, 42)";
    const order = (): string[] => {
      const filled = new Filled([{ ...row, items }], null, { choices: { many } });
      return filled.form.options(filled.at("a")).map(({ name }) => name);
    };
    assert.deepEqual(order(), order());
    assert.notDeepEqual(order(), many);
  });
});

describe("triggers", () => {
  const rows: Row[] = [
    { type: "text", name: "kind" },
    { type: "text", name: "note" },
    { type: "text", name: "when", triggers: { kind: "concat('asked at ', ${kind})" } },
  ];

  it("follow from what a form begins with, but never over another first answer", () => {
    const rows: Row[] = [
      { type: "text", name: "kind" },
      { type: "text", name: "who", triggers: { kind: "if(${kind} = 'first', 'new', ${who})" } },
    ];
    const begin = (remembered: Record<string, string>): string =>
      new Filled(rows, null, { remembered }).read("who");
    assert.equal(begin({}), "");
    assert.equal(begin({ "/data/kind": "first" }), "new");
    assert.equal(begin({ "/data/kind": "other" }), "");
    assert.equal(begin({ "/data/kind": "first", "/data/who": "known" }), "known");
  });

  it("set a question when another is answered, and only then", () => {
    const filled = new Filled(rows);
    assert.equal(filled.read("when"), "");
    filled.answer("note", "x");
    assert.equal(filled.read("when"), "");
    filled.answer("kind", "a");
    assert.equal(filled.read("when"), "asked at a");
  });

  it("leave what a person writes afterwards alone, until the next time", () => {
    const filled = new Filled(rows);
    filled.answer("kind", "a").answer("when", "by hand").answer("note", "y");
    assert.equal(filled.read("when"), "by hand");
    filled.answer("kind", "a"); // the same answer is no change
    assert.equal(filled.read("when"), "by hand");
    filled.answer("kind", "b");
    assert.equal(filled.read("when"), "asked at b");
  });

  it("set it in the same instance of a repeat", () => {
    const filled = new Filled(
      [
        {
          type: "repeat",
          name: "r",
          rows: [
            { type: "text", name: "a" },
            { type: "text", name: "b", triggers: { a: "'set'" } },
          ],
        },
      ],
      { r: [{}, {}] },
    );
    filled.answer("r/1/a", "x");
    assert.equal(filled.read("r/0/b"), "");
    assert.equal(filled.read("r/1/b"), "set");
  });

  it("of the whole form set it in every instance", () => {
    const filled = new Filled(
      [
        { type: "text", name: "all" },
        {
          type: "repeat",
          name: "r",
          rows: [{ type: "text", name: "b", triggers: { all: "'set'" } }],
        },
      ],
      { r: [{}, {}] },
    );
    filled.answer("all", "x");
    assert.deepEqual(filled.form.toJson()["r"], [{ b: "set" }, { b: "set" }]);
  });
});

describe("problems", () => {
  const rows: Row[] = [
    { type: "text", name: "a", required: true, requiredMessage: "Say who." },
    { type: "integer", name: "n", constraint: ". < 10", constraintMessage: "Under ten." },
    { type: "text", name: "b", required: "${n} > 5" },
    { type: "note", name: "info", required: true },
    { type: "integer", name: "sum", calculate: "${n} + 1", constraint: "false()" },
  ];

  it("are what is missing, mistyped or not allowed", () => {
    const filled = new Filled(rows);
    assert.deepEqual(filled.problems(), ["a required"]);
    filled.answer("a", "x").answer("n", "12");
    assert.deepEqual(filled.problems(), ["n constraint", "b required"]);
    filled.answer("n", "many");
    assert.deepEqual(filled.problems(), ["n type"]);
    filled.answer("n", "7").answer("b", "y");
    assert.deepEqual(filled.problems(), []);
  });

  it("come with the words of the form", () => {
    const filled = new Filled(rows);
    const of = (name: string): unknown => filled.form.problem(filled.at(name), "en");
    assert.deepEqual(of("a"), { code: "required", message: "Say who." });
    filled.answer("n", "12");
    assert.deepEqual(of("n"), { code: "constraint", message: "Under ten." });
    filled.answer("n", "x");
    assert.deepEqual(of("n"), { code: "type", message: "" });
  });

  it("are none where a question is irrelevant, computed or only a note", () => {
    const filled = new Filled([
      { type: "text", name: "x", required: true, relevant: "false()" },
      { type: "note", name: "y", required: true },
      { type: "text", name: "z", required: true, calculate: "''" },
    ]);
    assert.deepEqual(filled.problems(), []);
  });

  it("name the instance of a repeat", () => {
    const filled = new Filled(
      [
        {
          type: "group",
          name: "g",
          rows: [
            { type: "repeat", name: "r", rows: [{ type: "text", name: "a", required: true }] },
          ],
        },
      ],
      { g: { r: [{ a: "x" }, {}] } },
    );
    assert.deepEqual(filled.problems(), ["g.r[2].a required"]);
  });

  it("can be asked for before an answer is given", () => {
    const filled = new Filled(rows, { n: "3" });
    assert.equal(filled.form.allows(filled.at("n"), "12"), false);
    assert.equal(filled.form.allows(filled.at("n"), "9"), true);
    assert.equal(filled.form.allows(filled.at("a"), "anything"), true);
    assert.equal(filled.read("n"), "3");
  });
});

describe("what must be shown anew", () => {
  const rows: Row[] = [
    { type: "text", name: "name" },
    { type: "text", name: "greeting", label: "Hello ${name}" },
    { type: "text", name: "other" },
    { type: "text", name: "limited", constraint: "${name} != ''" },
    { type: "integer", name: "sum", calculate: "string-length(${name})" },
  ];

  it("is what changed, and what shows it", () => {
    const filled = new Filled(rows);
    const names = shownNames(filled, () => filled.answer("name", "Ali"));
    assert.deepEqual(names, ["greeting", "limited", "name", "sum"]);
  });

  it("is nothing that stayed the same", () => {
    const filled = new Filled(rows, { name: "Ali" });
    assert.deepEqual(
      shownNames(filled, () => filled.answer("name", "Ali")),
      [],
    );
    const names = shownNames(filled, () => filled.answer("name", "Eve"));
    assert.ok(!names.includes("sum"), names.join());
  });

  it("is the parent of a repeat that has another instance", () => {
    const filled = new Filled([
      { type: "repeat", name: "r", rows: [{ type: "text", name: "a" }] },
      { type: "note", name: "n", label: "There are ${r}" },
    ]);
    assert.deepEqual(
      shownNames(filled, () => filled.add("r")),
      ["n", "the form"],
    );
  });

  it("fills answers into words", () => {
    const filled = new Filled(rows, { name: "Ali" });
    const { label } = filled.at("greeting").element;
    assert.equal(filled.form.plain(label!["en"]!, filled.at("greeting")), "Hello Ali");
  });
});

describe("a person who said no", () => {
  const rows: Row[] = [
    { type: "date", name: "day" },
    { type: "text", name: "code" },
    {
      type: "group",
      name: "consent",
      relevant: "${code} != ''",
      rows: [
        { type: "select_one", name: "reply" },
        { type: "integer", name: "tier", calculate: "if(${reply} = 'yes', 1, 0)" },
      ],
    },
    { type: "text", name: "note" },
  ];
  const extras = {
    summary: { tier: "/data/consent/tier", person: "/data/code" },
    kept_after_no: ["/data/day", "/data/consent/reply", "/data/consent/tier"],
  };
  const answers = { day: "2026-11-23", code: "K7QM3RXDQ", note: "said much" };

  it("leaves nothing but what the form keeps of a no", () => {
    const filled = new Filled(rows, answers, extras).answer("consent/reply", "no");
    assert.deepEqual(filled.form.finish(), {
      day: "2026-11-23",
      consent: { reply: "no", tier: "0" },
    });
    assert.equal(filled.form.refusedBy(), "K7QM3RXDQ");
  });

  it("keeps in memory what it cut, should the no be a slip of the thumb", () => {
    const filled = new Filled(rows, { ...answers, day: "" }, extras).answer("consent/reply", "no");
    assert.deepEqual(filled.form.toUncutJson(), {
      code: "K7QM3RXDQ",
      consent: { reply: "no", tier: "0" },
      note: "said much",
    });
  });

  it("loses nothing who said yes", () => {
    const filled = new Filled(rows, answers, extras).answer("consent/reply", "yes");
    const finished = filled.form.finish();
    assert.deepEqual(finished, { ...answers, consent: { reply: "yes", tier: "1" } });
    assert.equal(filled.form.refusedBy(), "");
  });

  it("is nobody as long as nothing about consent is answered", () => {
    const filled = new Filled(rows, answers, extras);
    assert.equal(filled.form.refusedBy(), "");
    assert.equal((filled.form.finish() as { note: string }).note, "said much");
  });

  it("is nobody where consent was not asked for, or the form does not keep a no", () => {
    const unasked = new Filled(rows, { ...answers, code: "" }, extras);
    assert.equal(unasked.form.refusedBy(), "");
    const other = new Filled(rows, answers, { summary: extras.summary });
    other.answer("consent/reply", "no");
    assert.equal((other.form.finish() as { note: string }).note, "said much");
  });
});

describe("step by step or at once", () => {
  const rows: Row[] = [
    { type: "integer", name: "a" },
    { type: "integer", name: "b", relevant: "${a} > 2" },
    { type: "integer", name: "sum", calculate: "coalesce(${a}, 0) + coalesce(${b}, 0)" },
    {
      type: "repeat",
      name: "r",
      rows: [
        { type: "integer", name: "x" },
        { type: "integer", name: "y", calculate: "../x + ${sum}", relevant: "../x != ${a}" },
        { type: "integer", name: "place", calculate: "position(..)" },
      ],
    },
    { type: "integer", name: "size", calculate: "sum(${x}) mod 4" },
    {
      type: "repeat",
      name: "c",
      count: "${size}",
      rows: [{ type: "integer", name: "z", calculate: "${sum} * position(..)" }],
    },
    { type: "integer", name: "last", calculate: "sum(${z}) + max(${y})" },
  ];

  it("comes to the same, whatever was answered in whatever order", () => {
    const { below, pick, seed } = seeded("steps");
    const definition = makeForm(rows);
    for (let round = 0; round < 40; round++) {
      const filled = new Filled(definition);
      for (let step = 0; step < 25; step++) {
        const instances = filled.form.root.childrenNamed("r");
        const act = below(6);
        if (act === 0) filled.add("r");
        else if (act === 1 && instances.length > 0)
          filled.form.removeInstance(instances[below(instances.length)]!);
        else if (act < 4 && instances.length > 0)
          filled.answer(`r/${below(instances.length)}/x`, String(below(6)));
        else filled.answer(pick(["a", "b"]), pick(["", "1", "3", "5", "x"]));
      }
      const byStep = JSON.stringify(filled.form.toJson());
      assert.equal(byStep, JSON.stringify(filled.form.finish()), `seed ${seed}, round ${round}`);
    }
  });
});
