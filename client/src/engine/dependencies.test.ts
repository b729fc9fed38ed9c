import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeForm, type Row } from "../../test/forms";
import type { Element, FormDefinition } from "./definition";
import { buildReaders, type Dependents, type Reader } from "./dependencies";

type ListName = "readers" | "viewers" | "choosers" | "targets";

function build(form: FormDefinition): Map<string, Dependents> {
  const children = new Map<string, Element[]>();
  for (const element of form.elements) {
    const siblings = children.get(element.parent) ?? [];
    children.set(element.parent, [...siblings, element]);
  }
  return buildReaders(form, children);
}

/** Who depends on an element, as "name@scope"; those that only stand in it have a “^”. */
function list(rows: Row[], path: string, name: ListName, form = makeForm(rows)): string[] {
  const describeReader = ({ by, scope, isParent }: Reader): string =>
    `${by.element.name}@${scope}${isParent ? "^" : ""}`;
  return build(form).get(`/data/${path}`)![name].map(describeReader);
}

describe("who reads an answer", () => {
  const rows: Row[] = [
    { type: "integer", name: "a" },
    { type: "integer", name: "b", relevant: "${a} > 1", calculate: "${a} + ${c}" },
    { type: "integer", name: "c" },
    { type: "text", name: "d", calculate: "if(${a} = 1, ${b}, -${c})" },
    { type: "text", name: "e", calculate: "concat(${a} | ${c}, 'x')" },
  ];

  it("is nobody, where nobody names it", () => {
    assert.deepEqual(list(rows, "d", "readers"), []);
    assert.deepEqual(list(rows, "e", "readers"), []);
  });

  it("is each that names it, once, wherever in the expression", () => {
    assert.deepEqual(list(rows, "a", "readers"), ["b@1", "d@1", "e@1"]);
    assert.deepEqual(list(rows, "c", "readers"), ["b@1", "d@1", "e@1"]);
    assert.deepEqual(list(rows, "b", "readers"), ["d@1"]);
  });

  it("is not the question itself, where its rule reads its own answer", () => {
    const own: Row[] = [{ type: "text", name: "a", relevant: ". != 'x'", constraint: ". != ''" }];
    assert.deepEqual(list(own, "a", "readers"), []);
    assert.equal(build(makeForm(own)).get("/data/a")!.readsItself, false);
  });

  it("comes in the order of the form, which it knows", () => {
    const dependents = build(makeForm(rows));
    assert.deepEqual(
      [...dependents.values()].map(({ order }) => order),
      [0, 1, 2, 3, 4],
    );
    assert.deepEqual(dependents.get("/data/a")!.parts, ["data", "a"]);
    assert.ok([...dependents.values()].every(({ isSingle }) => isSingle));
  });
});

describe("groups and repeats", () => {
  const rows: Row[] = [
    { type: "integer", name: "size" },
    { type: "group", name: "g", relevant: "${size} > 0", rows: [{ type: "text", name: "inner" }] },
    {
      type: "repeat",
      name: "r",
      count: "${size}",
      rows: [
        { type: "integer", name: "n" },
        { type: "integer", name: "twice", calculate: "../n * 2" },
        { type: "integer", name: "place", calculate: "position(..)" },
        { type: "integer", name: "share", calculate: "../n div sum(${n})" },
      ],
    },
    { type: "integer", name: "total", calculate: "sum(${n})" },
    { type: "integer", name: "number", calculate: "count(${r})" },
    { type: "integer", name: "any", calculate: "count(${r}/*)" },
    { type: "integer", name: "second", calculate: "${r}[position() = 2]/n" },
  ];

  it("are read by what stands in them", () => {
    assert.deepEqual(list(rows, "g", "readers"), ["inner@2^"]);
    assert.ok(list(rows, "r", "readers").includes("n@2^"));
  });

  it("are counted by what their size reads", () => {
    assert.deepEqual(list(rows, "size", "readers"), ["g@1", "r@1"]);
  });

  it("tell the same instance from all of them", () => {
    const readers = list(rows, "r/n", "readers");
    assert.deepEqual(readers, ["twice@2", "share@2", "share@1", "total@1", "any@1", "second@1"]);
  });

  it("are looked at by who asks for a position or a number", () => {
    const readers = list(rows, "r", "readers");
    assert.ok(readers.includes("place@2"), readers.join());
    assert.ok(readers.includes("number@1"), readers.join());
  });

  it("let every child be read by who says *", () => {
    for (const name of ["n", "twice", "place", "share"])
      assert.ok(list(rows, `r/${name}`, "readers").includes("any@1"), name);
  });

  it("hold more than one node of what is in a repeat, and one of the rest", () => {
    const dependents = build(makeForm(rows));
    const single = [...dependents.values()].filter(({ isSingle }) => isSingle);
    const names = single.map(({ element }) => element.name);
    assert.deepEqual(names, ["size", "g", "inner", "total", "number", "any", "second"]);
  });

  it("do not take a name that begins alike for what is in a repeat", () => {
    const alike: Row[] = [
      { type: "repeat", name: "r", rows: [{ type: "text", name: "a" }] },
      { type: "group", name: "rest", rows: [{ type: "text", name: "b" }] },
    ];
    assert.equal(build(makeForm(alike)).get("/data/rest/b")!.isSingle, true);
    assert.equal(build(makeForm(alike)).get("/data/r/a")!.isSingle, false);
  });
});

describe("a running total", () => {
  it("reads itself in other instances", () => {
    const total = "coalesce(${r}[position() = position(current()/..) - 1]/t, 0) + ../n";
    const rows: Row[] = [
      {
        type: "repeat",
        name: "r",
        rows: [
          { type: "integer", name: "n" },
          { type: "integer", name: "t", calculate: total },
        ],
      },
    ];
    assert.equal(build(makeForm(rows)).get("/data/r/t")!.readsItself, true);
    assert.equal(build(makeForm(rows)).get("/data/r/n")!.readsItself, false);
    const others: Row[] = [
      { type: "integer", name: "a" },
      { type: "integer", name: "b", calculate: "${a} + 1" },
    ];
    assert.equal(build(makeForm(others)).get("/data/b")!.readsItself, false);
    assert.deepEqual(list(rows, "r/t", "readers"), ["t@1"]);
  });
});

describe("who shows an answer", () => {
  const rows: Row[] = [
    { type: "text", name: "a" },
    { type: "text", name: "b", label: "Hello ${a}", hint: "for ${a}" },
    { type: "text", name: "c", required: "${a} = 'x'" },
    { type: "text", name: "d", constraint: ". != ${a}", constraintMessage: "not ${a}" },
    { type: "text", name: "e", readonly: "${a} = ''" },
    { type: "text", name: "f", label: "plain" },
    { type: "select_one", name: "g", choices: "list" },
  ];
  const form = makeForm(rows, {
    choices: {
      list: [
        {
          name: "1",
          label: {
            en: [
              "The ",
              [
                "path",
                "/",
                [
                  ["child", "data"],
                  ["child", "a"],
                ],
              ],
            ],
          },
        },
      ],
    },
  });

  it("is whose words or rules name it, each once", () => {
    assert.deepEqual(list(rows, "a", "viewers", form), ["b@1", "c@1", "d@1", "e@1", "g@1"]);
  });

  it("need not compute anew", () => {
    assert.deepEqual(list(rows, "a", "readers", form), []);
  });
});

describe("who offers choices by an answer", () => {
  it("is each whose filter names it, also within brackets", () => {
    const rows: Row[] = [
      { type: "text", name: "district" },
      {
        type: "select_one",
        name: "place",
        choices: "places",
        items: "instance('places')/root/item[district = ${district}]",
      },
      {
        type: "repeat",
        name: "r",
        rows: [
          { type: "text", name: "own" },
          {
            type: "select_one",
            name: "inner",
            items: "instance('places')/root/item[a = current()/../own and b = ${district}]",
          },
        ],
      },
    ];
    assert.deepEqual(list(rows, "district", "choosers"), ["place@1", "inner@1"]);
    assert.deepEqual(list(rows, "r/own", "choosers"), ["inner@2"]);
    assert.deepEqual(list(rows, "district", "viewers"), []);
  });

  it("does not show the words of a list that it does not offer as it is", () => {
    const rows: Row[] = [
      { type: "text", name: "a" },
      { type: "select_one", name: "b", choices: "list", items: "instance('list')/root/item" },
    ];
    const form = makeForm(rows, {
      choices: {
        list: [
          {
            name: "1",
            label: {
              en: [
                [
                  "path",
                  "/",
                  [
                    ["child", "data"],
                    ["child", "a"],
                  ],
                ],
              ],
            },
          },
        ],
      },
    });
    assert.deepEqual(list(rows, "a", "viewers", form), []);
  });
});

describe("what is set when a question is answered", () => {
  it("is in the same instance as far as their paths go together", () => {
    const rows: Row[] = [
      { type: "text", name: "a" },
      {
        type: "repeat",
        name: "r",
        rows: [
          { type: "text", name: "b" },
          { type: "text", name: "c", triggers: { a: "'1'", b: "'2'" } },
          {
            type: "repeat",
            name: "s",
            rows: [
              { type: "text", name: "d", triggers: { b: "'3'" } },
              { type: "text", name: "e", triggers: { d: "'4'" } },
            ],
          },
        ],
      },
    ];
    assert.deepEqual(list(rows, "a", "targets"), ["c@1"]);
    assert.deepEqual(list(rows, "r/b", "targets"), ["c@2", "d@2"]);
    assert.deepEqual(list(rows, "r/s/d", "targets"), ["e@3"]);
  });

  it("is in every instance of another repeat", () => {
    const rows: Row[] = [
      { type: "repeat", name: "r", rows: [{ type: "text", name: "a" }] },
      { type: "repeat", name: "s", rows: [{ type: "text", name: "b", triggers: { a: "'1'" } }] },
    ];
    assert.deepEqual(list(rows, "r/a", "targets"), ["b@1"]);
  });
});
