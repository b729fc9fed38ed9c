import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { ask } from "../../../test/asked";
import { installPage, settle } from "../../../test/page";
import { judgeAreas } from "./widget";

/** Two squares beside each other, of a degree each; north and east of 0, 0. */
const DEGREE = 100_000;
const square = (west: number): number[][] => [[west * DEGREE, 0, DEGREE, 0, 0, DEGREE, -DEGREE, 0]];
const OUTLINES = { attribution: "City of Toronto", areas: { west: square(0), east: square(1) } };
const CHOICES = { areas: ["west", "east"] };
const HELP = {
  areaLists: () => Promise.resolve(["areas"]),
  outlines: () => Promise.resolve(OUTLINES),
};

let fix: { longitude: number; latitude: number; accuracy: number } | null = null;
const geolocation = {
  getCurrentPosition: (done: (position: unknown) => void, failed: () => void) =>
    fix ? done({ coords: fix }) : failed(),
};
beforeEach(() => installPage({ geolocation }));

const rows = [
  { type: "select_one", name: "area", label: "Where?", choices: "areas", appearance: "my-place" },
  { type: "text", name: "cell", label: "Square", appearance: "area-cell" },
];

async function askAt(longitude: number, latitude: number, accuracy: number, help: object = HELP) {
  fix = { longitude, latitude, accuracy };
  const asked = await ask(rows, { choices: CHOICES, help });
  await settle();
  if (asked.shown.text.includes("Use my place")) {
    const button = asked.shown.all("button").find((each) => each.textContent === "Use my place");
    if (button) await asked.shown.click(button);
    await settle();
  }
  return asked;
}

describe("the phone's own place", () => {
  it("becomes the area that it lies in, and names the source of the outlines", async () => {
    const { filled, shown } = await askAt(0.5, 0.5, 20);
    assert.equal(filled.read("area"), "west");
    assert.match(shown.text, /never the place\. City of Toronto/);
  });

  it("fills the square of a good fix, and only of a good one", async () => {
    assert.notEqual((await askAt(0.5, 0.5, 90)).filled.read("cell"), "");
    assert.equal((await askAt(0.5, 0.5, 300)).filled.read("cell"), "");
  });

  it("asks which area when the fix lies near a border", async () => {
    const { filled, shown } = await askAt(1.0001, 0.5, 500);
    assert.equal(filled.read("area"), "");
    assert.match(shown.text, /Which one\?/);
    await shown.click("EAST");
    assert.equal(filled.read("area"), "east");
    assert.doesNotMatch(shown.text, /Which one\?/);
  });

  it("says so when it lies in none of the areas", async () => {
    const { filled, shown } = await askAt(5, 5, 20);
    assert.equal(filled.read("area"), "");
    assert.match(shown.text, /in none of the areas/);
  });

  it("says so when the phone cannot find it", async () => {
    const asked = await askAt(0, 0, 0);
    fix = null;
    const button = asked.shown.all("button").find((each) => each.textContent === "Use my place")!;
    await asked.shown.click(button);
    assert.match(asked.shown.text, /could not find its place/);
  });

  it("is not asked for where the outlines are not on the phone", async () => {
    const { shown } = await askAt(0.5, 0.5, 20, { areaLists: () => Promise.resolve([]) });
    assert.doesNotMatch(shown.text, /Square/); // nor the square, which nobody could answer
    assert.equal(
      shown.all("button").some((each) => each.textContent === "Use my place"),
      false,
    );
  });

  it("lets the square be forgotten", async () => {
    const { filled, shown } = await askAt(0.5, 0.5, 20);
    await shown.click("Remove");
    assert.equal(filled.read("cell"), "");
  });
});

describe("what the areas around a fix mean", () => {
  it("is sure for one area and a usable fix", () => {
    assert.equal(judgeAreas(["a"], 1000), "idle");
    assert.equal(judgeAreas(["a"], 1001), "unsure");
    assert.equal(judgeAreas(["a", "b"], 10), "unsure");
    assert.equal(judgeAreas([], 10), "outside");
  });
});
