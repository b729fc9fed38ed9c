import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Filled, type Row } from "../../test/forms";
import { toText } from "./values";

const ROWS: Row[] = [
  { type: "integer", name: "n" },
  { type: "date", name: "day" },
  { type: "time", name: "time" },
  { type: "text", name: "text" },
  {
    type: "repeat",
    name: "r",
    rows: [{ type: "group", name: "g", rows: [{ type: "text", name: "a" }] }],
  },
];

describe("a node of answers", () => {
  const filled = new Filled(ROWS, { r: [{}, {}, {}] });

  it("has the value of its type", () => {
    for (const [name, text, kind] of [
      ["n", "7", "number"],
      ["text", "7", "string"],
      ["day", "2026-11-23", "object"],
      ["time", "10:00", "object"],
    ] as const) {
      filled.at(name).text = text;
      assert.equal(typeof filled.at(name).value(), kind, name);
    }
    assert.equal(toText(filled.at("time").value()), "10:00:00.000");
  });

  it("gives back as text what is none of its type", () => {
    for (const [name, text] of [
      ["n", "many"],
      ["day", "soon"],
      ["time", "late"],
    ] as const) {
      filled.at(name).text = text;
      assert.equal(filled.at(name).value(), text);
    }
  });

  it("has no value when it is blank or irrelevant", () => {
    filled.at("n").text = "";
    assert.equal(filled.at("n").value(), "");
    filled.at("text").text = "x";
    filled.at("text").isRelevant = false;
    assert.equal(filled.at("text").value(), "");
  });

  it("knows its place, its depth and its name in the form", () => {
    assert.equal(filled.at("r/2").position(), 3);
    assert.equal(filled.at("r/2/g").position(), 1);
    assert.equal(filled.at("r/2/g/a").depth, 4);
    assert.equal(filled.at("r/2/g/a").where(), "r[3].g.a");
    assert.equal(filled.form.root.where(), "");
    assert.equal(filled.form.root.position(), 1);
  });

  it("has children by name and all of them, in the order of the form", () => {
    assert.equal(filled.form.root.childrenNamed("r").length, 3);
    assert.deepEqual(filled.form.root.childrenNamed("nothing"), []);
    const names = filled.form.root.allChildren().map((node) => node.element.name);
    assert.deepEqual(names, ["n", "day", "time", "text", "r", "r", "r"]);
  });
});
