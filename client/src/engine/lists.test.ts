import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeForm } from "../../test/forms";
import { Lists } from "./lists";

const definition = makeForm(
  [
    { type: "select_one", name: "town", choices: "town" },
    {
      type: "select_one",
      name: "clinic",
      choices: "clinics",
      items: "instance('clinics')/root/item",
      itemValue: "code",
      itemLabel: "title",
    },
    { type: "text", name: "note" },
  ],
  {
    choices: {
      town: [
        { name: "to", label: { en: "Toronto", fr: "Toronto, ville" }, data: { province: "on" } },
        { name: "ot", label: { fr: "Ottawa" } },
        { name: "x-1", label: { en: ["Where ", ["s", "?"], " is"] } },
        { name: "bare", label: {} },
      ],
      empty: [],
    },
    tables: {
      clinics: {
        columns: ["code", "title"],
        rows: [
          ["7", "Rexdale"],
          ["7", "again"],
          ["8", ""],
        ],
      },
      none: { columns: ["code"], rows: [] },
    },
  },
);

describe("lists", () => {
  const lists = new Lists(definition);
  const cells = (name: string, column: string): string[] =>
    lists
      .root(name)!
      .childrenNamed("root")
      .flatMap((root) => root.childrenNamed("item"))
      .map((item) => String(item.childrenNamed(column)[0]?.value()));

  it("are none where the form has none of that name", () => {
    assert.equal(lists.root("nowhere"), null);
    assert.deepEqual(lists.rowsWith("nowhere", "name", "to"), []);
    assert.equal(lists.choice("nowhere", "to"), undefined);
  });

  it("have a row for each choice: name, words, reference and what else the form says", () => {
    assert.deepEqual(cells("town", "name"), ["to", "ot", "x-1", "bare"]);
    assert.deepEqual(cells("town", "label"), ["Toronto", "Ottawa", "Where … is", ""]);
    assert.deepEqual(cells("town", "itextId"), ["town-0", "town-1", "town-2", "town-3"]);
    assert.deepEqual(cells("town", "province"), ["on", "undefined", "undefined", "undefined"]);
  });

  it("have a row for each line of a table", () => {
    assert.deepEqual(cells("clinics", "title"), ["Rexdale", "again", ""]);
    assert.deepEqual(cells("none", "code"), []);
    assert.deepEqual(cells("empty", "name"), []);
  });

  it("know the place and the parent of each row", () => {
    const root = lists.root("clinics")!.childrenNamed("root")[0]!;
    const rows = root.childrenNamed("item");
    assert.deepEqual(
      rows.map((row) => row.position()),
      [1, 2, 3],
    );
    assert.ok(rows.every((row) => row.parent === root));
    assert.equal(rows[0]!.childrenNamed("code")[0]!.parent, rows[0]);
    assert.equal(rows[0]!.allChildren().length, 2);
    assert.deepEqual(rows[0]!.childrenNamed("no such column"), []);
    assert.deepEqual(root.childrenNamed("row"), []);
  });

  it("are read once", () => {
    assert.equal(lists.root("clinics"), lists.root("clinics"));
  });

  it("find rows by a cell, in their order", () => {
    const titles = (code: string): string[] =>
      lists
        .rowsWith("clinics", "code", code)
        .map((row) => String(row.childrenNamed("title")[0]!.value()));
    assert.deepEqual(titles("7"), ["Rexdale", "again"]);
    assert.deepEqual(titles("8"), [""]);
    assert.deepEqual(titles("9"), []);
    assert.deepEqual(lists.rowsWith("clinics", "nothing", "7"), []);
    assert.equal(lists.rowsWith("town", "province", "on").length, 1);
  });

  it("find a choice by its name", () => {
    assert.equal(lists.choice("town", "ot")?.name, "ot");
    assert.equal(lists.choice("town", "Ottawa"), undefined);
  });
});

describe("the words of a reference", () => {
  const lists = new Lists(definition);

  it("are those of the choice with that number", () => {
    assert.equal(lists.text("town-1"), "Ottawa");
    assert.equal(lists.text("town-2"), "Where … is");
  });

  it("are none where there is no such choice", () => {
    for (const reference of ["", "town", "town-", "town-9", "town-x", "nowhere-0", "-0"])
      assert.equal(lists.text(reference), "", reference);
  });
});

describe("words in a list", () => {
  it("are in the form's first language, whatever the phone speaks", () => {
    const french = new Lists({ ...definition, languages: ["fr", "en"] });
    assert.equal(french.text("town-0"), "Toronto, ville");
    assert.equal(new Lists({ ...definition, languages: [] }).text("town-0"), "Toronto");
  });
});

describe("the label of a choice", () => {
  const lists = new Lists(definition);

  it("is in the form's first language, else in another", () => {
    assert.equal(lists.choiceLabel("to", "/data/town"), "Toronto");
    assert.equal(lists.choiceLabel("ot", "/data/town"), "Ottawa");
  });

  it("is its name where it has no words, or the question offers none of that name", () => {
    assert.equal(lists.choiceLabel("bare", "/data/town"), "bare");
    assert.equal(lists.choiceLabel("elsewhere", "/data/town"), "elsewhere");
    assert.equal(lists.choiceLabel("to", "/data/note"), "to");
    assert.equal(lists.choiceLabel("to", "/data/nothing"), "to");
  });

  it("is the cell that the form names, where the choices are a table", () => {
    assert.equal(lists.choiceLabel("7", "/data/clinic"), "Rexdale");
    assert.equal(lists.choiceLabel("8", "/data/clinic"), "8");
  });
});
