import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeForm, type Row } from "../../test/forms";
import { fitsNewVersion } from "./draft_migration";
import type { Json } from "./types";

const CHOICES = { list: ["a", "b", "c"], other: ["b", "c", "d"] };

function doFit(answers: Json, before: Row[], after: Row[]): boolean {
  const form = (rows: Row[]): ReturnType<typeof makeForm> => makeForm(rows, { choices: CHOICES });
  return fitsNewVersion(answers, form(before), form(after));
}

const text: Row = { type: "text", name: "q" };

describe("a draft under a newer version of its form", () => {
  it("cannot go on where an answered question is gone", () => {
    assert.equal(doFit({ q: "x" }, [text], []), false);
    assert.equal(doFit({ q: "x" }, [text], [{ type: "text", name: "moved" }]), false);
  });

  it("can where only unanswered ones are gone", () => {
    const before: Row[] = [text, { type: "text", name: "old" }];
    assert.equal(doFit({ q: "x" }, before, [text]), true);
    assert.equal(doFit({}, before, []), true);
  });

  it("can where questions were added", () => {
    assert.equal(doFit({ q: "x" }, [text], [{ type: "integer", name: "new" }, text]), true);
  });

  it("cannot where an answer was of no question before either", () => {
    assert.equal(doFit({ stray: "x" }, [text], [text, { type: "text", name: "stray" }]), false);
  });

  it("cannot where the type of an answered question changed", () => {
    const number: Row = { type: "integer", name: "q" };
    assert.equal(doFit({ q: "7" }, [number], [text]), false);
    assert.equal(doFit({ q: "7" }, [text], [number]), false);
    assert.equal(doFit({ q: "7" }, [number], [{ type: "decimal", name: "q" }]), false);
  });

  it("takes what was typed and what was scanned for the same", () => {
    const barcode: Row = { type: "barcode", name: "q" };
    assert.equal(doFit({ q: "7" }, [text], [barcode]), true);
    assert.equal(doFit({ q: "7" }, [barcode], [text]), true);
  });

  it("does not mind what became of a calculation", () => {
    const calculated: Row = { type: "integer", name: "q", calculate: "1 + 1" };
    assert.equal(doFit({ q: "2" }, [calculated], []), true);
    assert.equal(doFit({ q: "2" }, [calculated], [text]), true);
  });

  it("cannot where a chosen choice is gone", () => {
    const before: Row[] = [{ type: "select_one", name: "q", choices: "list" }];
    const after: Row[] = [{ type: "select_one", name: "q", choices: "other" }];
    assert.equal(doFit({ q: "a" }, before, after), false);
    assert.equal(doFit({ q: "b" }, before, after), true);
    const nowhere: Row[] = [{ type: "select_one", name: "q", choices: "nowhere" }];
    assert.equal(doFit({ q: "b" }, before, nowhere), false);
  });

  it("looks at each of several choices, and of an order", () => {
    for (const type of ["select_multiple", "rank"]) {
      const before: Row[] = [{ type, name: "q", choices: "list" }];
      const after: Row[] = [{ type, name: "q", choices: "other" }];
      assert.equal(doFit({ q: "b c" }, before, after), true, type);
      assert.equal(doFit({ q: "c a" }, before, after), false, type);
    }
  });

  it("cannot where one choice became several, though the names are the same", () => {
    const before: Row[] = [{ type: "select_one", name: "q", choices: "list" }];
    const after: Row[] = [{ type: "select_multiple", name: "q", choices: "list" }];
    assert.equal(doFit({ q: "a" }, before, after), false);
  });

  it("leaves choices that a filter offers to the filter", () => {
    const row: Row = { type: "select_one", name: "q", choices: "list" };
    const filtered: Row = { ...row, choices: "other", items: "instance('other')/root/item" };
    assert.equal(doFit({ q: "a" }, [row], [filtered]), true);
  });

  it("looks into groups and into each instance of a repeat", () => {
    const within = (type: "group" | "repeat", rows: Row[]): Row[] => [{ type, name: "g", rows }];
    assert.equal(doFit({ g: { q: "x" } }, within("group", [text]), within("group", [text])), true);
    assert.equal(doFit({ g: { q: "x" } }, within("group", [text]), within("group", [])), false);
    const instances = { g: [{}, { q: "x" }] };
    assert.equal(doFit(instances, within("repeat", [text]), within("repeat", [text])), true);
    assert.equal(doFit(instances, within("repeat", [text]), within("repeat", [])), false);
    assert.equal(doFit({ g: [{}, {}] }, within("repeat", [text]), within("repeat", [])), true);
  });

  it("cannot where a group became a repeat, or a question", () => {
    const group: Row[] = [{ type: "group", name: "g", rows: [text] }];
    const repeat: Row[] = [{ type: "repeat", name: "g", rows: [text] }];
    assert.equal(doFit({ g: { q: "x" } }, group, repeat), false);
    assert.equal(doFit({ g: { q: "x" } }, group, [{ type: "text", name: "g" }]), false);
  });
});
