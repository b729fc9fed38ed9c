import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findIdentifiers, type Identifier } from "./identifiers_in_text";

const check = (kind: Identifier, notes: string[]): void => {
  for (const note of notes)
    assert.ok(findIdentifiers(note).includes(kind), `${note} → ${findIdentifiers(note).join()}`);
};

describe("a note warns of", () => {
  it("a phone number, however it is written", () => {
    check("phone", [
      "call 416 555 0199",
      "(416) 555-0199",
      "+1.416.555.0199",
      "4165550199",
      "555-0199",
    ]);
  });

  it("an address", () => {
    check("address", [
      "lives at 12 Driftwood Avenue",
      "seen at 5 jane st",
      "12b, rue Saint-Denis… 12 chemin du Lac",
      "apt 5",
      "unit #12",
      "M3N 2R4",
      "m3n2r4",
    ]);
  });

  it("a plate", () => {
    check("plate", ["car ABCD 123", "BLKZ123", "123 ABC", "plate with a 7", "plaque: AB12"]);
  });

  it("a birthday", () => {
    check("birthday", [
      "born in May",
      "DOB unknown",
      "12 March 2009",
      "née à Toronto",
      "1er août 2010",
    ]);
  });

  it("an account", () => {
    check("online", ["@some.one", "mail a.b@example.org", "insta: some1", "snap @hidden"]);
  });

  it("a name, by what stands before it or by its capital", () => {
    check("name", [
      "a boy called tay",
      "goes by Ghost",
      "saw mr. Smith there",
      "spoke with Jordan again",
      "s'appelle Ali",
      "avec Mme Tremblay",
    ]);
  });
});

describe("a note does not warn", () => {
  it("where there is nothing", () => {
    for (const note of [
      "",
      "talked about school and sports for a while",
      "He was calm. They left at 9 pm.",
      "Met at the park near Finch on Monday, before Ramadan",
      "3 people, 2 of them new; 15 minutes",
      "Wants help with housing and TTC fare",
      "police came at 10:30 and left at 11:15",
    ])
      assert.deepEqual(findIdentifiers(note), [], note);
  });

  it("of a capital at the beginning of a sentence", () => {
    assert.deepEqual(findIdentifiers("Jordan"), []);
    assert.deepEqual(findIdentifiers("He left. Jordan stayed."), []);
    assert.deepEqual(findIdentifiers("He left, Jordan stayed."), ["name"]);
  });

  it("of a number that is too short for a phone", () => {
    assert.deepEqual(findIdentifiers("12 of 345 on 2026"), []);
  });
});

describe("kinds", () => {
  it("are named once each", () => {
    assert.deepEqual(findIdentifiers("4165550199 or 4165550198, named x, called y"), [
      "phone",
      "name",
    ]);
  });

  it("are the same when a note is looked at again", () => {
    const note = "spoke with Jordan at 12 Driftwood Avenue";
    const first = findIdentifiers(note);
    assert.deepEqual(findIdentifiers(note), first);
    assert.deepEqual(first, ["address", "name"]);
  });
});
