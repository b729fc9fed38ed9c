import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Filled, type Row } from "../../test/forms";
import { isMistyped, scale } from "./rules";

const CHOICES = { list: ["a", "b", "c"] };
const HASH = "0123456789abcdef".repeat(4);

function isRefused(row: Omit<Row, "name">, text: string): boolean {
  const filled = new Filled([{ name: "q", ...row }], null, { choices: CHOICES });
  filled.at("q").text = text;
  return isMistyped(filled.form, filled.at("q"));
}

function check(row: Omit<Row, "name">, refused: string[], taken: string[]): void {
  for (const text of refused) assert.equal(isRefused(row, text), true, `refused: ${text}`);
  for (const text of taken) assert.equal(isRefused(row, text), false, `taken: ${text}`);
}

describe("an answer of each type", () => {
  it("integer", () => {
    check(
      { type: "integer" },
      ["x", "1.0", "+1", " 1", "1e3", "--1", "-", "1234567890123456"],
      ["0", "-7", "007", "123456789012345"],
    );
  });

  it("decimal", () => {
    check({ type: "decimal" }, ["x", "1,5", "1e3", "+1", "."], ["0", "-7.25", ".5", "5."]);
  });

  it("date", () => {
    check(
      { type: "date" },
      ["x", "2026-02-30", "2026-11-23T10:00", "23.11.2026"],
      ["2026-11-23", "0001-01-01"],
    );
  });

  it("dateTime", () => {
    check(
      { type: "dateTime" },
      ["x", "2026-11-23", "2026-11-23T25:00"],
      ["2026-11-23T10:00", "2026-11-23T10:00:00.000-05:00"],
    );
  });

  it("time", () => {
    check({ type: "time" }, ["x", "25:00", "2026-11-23"], ["00:00", "23:59:59.999"]);
  });

  it("geopoint", () => {
    check(
      { type: "geopoint" },
      ["x", "43.6", "91 0", "1 2;3 4"],
      ["43.65 -79.38", "43.65 -79.38 120.5 8"],
    );
  });

  it("acknowledge", () => {
    check({ type: "acknowledge" }, ["ok", "yes", "OK "], ["OK"]);
  });

  it("text, and what no rule is known for, up to a length", () => {
    const long = "é".repeat(4000);
    check({ type: "text" }, [`${long}!`, "😀".repeat(4001)], ["", "x", long, "😀".repeat(4000)]);
    check({ type: "barcode" }, [`${long}!`], ["anything"]);
    check({ type: "unheard-of" }, [`${long}!`], ["anything"]);
  });
});

describe("a range", () => {
  const row = { type: "range", parameters: { start: "0", end: "1", step: "0.1" } };

  it("lets through what lies on its scale", () => {
    check(row, ["x", "-0.1", "1.1", "0.15", "0.1000001"], ["0", "0.3", "0.7", "1"]);
  });

  it("may go down, and begin anywhere", () => {
    const down = { type: "range", parameters: { start: "10", end: "-2", step: "-3" } };
    check(down, ["11", "9", "-5"], ["10", "7", "-2"]);
  });

  it("goes from 1 to 10 by 1 where the form says nothing", () => {
    check({ type: "range" }, ["0", "1.5", "11"], ["1", "10"]);
    const filled = new Filled([{ type: "range", name: "q" }]);
    assert.deepEqual(scale(filled.at("q")), { start: 1, end: 10, step: 1 });
  });
});

describe("choices", () => {
  it("of one are one name of the list", () => {
    check({ type: "select_one", choices: "list" }, ["d", "a b", "A", " a"], ["a", "c"]);
  });

  it("of several are names of the list, none twice", () => {
    check(
      { type: "select_multiple", choices: "list" },
      ["a d", "a a", "d"],
      ["a", "b a", " a  b "],
    );
  });

  it("are none of a list that is not there", () => {
    check({ type: "select_one", choices: "nowhere" }, ["a"], []);
    check({ type: "select_one" }, ["a"], []);
  });

  it("to be put in order are all of them", () => {
    check({ type: "rank", choices: "list" }, ["a b", "a b d", "a b b", "a"], ["c a b", "a b c"]);
  });

  it("are those that the filter offers just now", () => {
    const items = "instance('list')/root/item[name != 'b']";
    const row = { type: "select_multiple", choices: "list", items };
    check(row, ["b", "a b"], ["a", "c a"]);
  });
});

describe("what is captured", () => {
  it("is a picture in the answer, or the name of one that travels apart", () => {
    check(
      { type: "image" },
      [
        "x",
        "data:image/gif;base64,AAAA",
        "data:image/png;base64,",
        `attachment:image/png:${HASH}0`,
      ],
      ["data:image/png;base64,AAAA", `attachment:image/jpeg:${HASH}`],
    );
  });

  it("is a sound", () => {
    check(
      { type: "audio" },
      ["data:image/png;base64,AAAA", "data:audio/webm,AAAA", "data:audio/;base64,AA=="],
      ["data:audio/webm;base64,AA==", `attachment:audio/mp4:${HASH}`],
    );
  });

  it("is a file of any kind, and of nothing but base64", () => {
    check(
      { type: "file" },
      ["data:text/html;base64,A<script>", "javascript:alert(1)", `attachment:${HASH}`],
      ["data:application/pdf;base64,AAA=", `attachment:text/csv:${HASH}`],
    );
  });

  it("may be long, but not very", () => {
    const ofLength = (length: number): string => {
      const head = "data:image/png;base64,";
      return head + "A".repeat(length - head.length);
    };
    check({ type: "image" }, [ofLength(200_001)], [ofLength(200_000)]);
  });
});
