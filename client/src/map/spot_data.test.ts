import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  chooseFirstLayer,
  countByArea,
  countByTime,
  fillIn,
  formatBand,
  formatBandStart,
  formatWeekday,
  gradeOf,
  largest,
  listBest,
  makePlaces,
  SpotReader,
  toggleTimes,
  type Layer,
} from "./spot_data";
import { makeSpots, WORDS } from "../../test/spots";

const SPOTS = makeSpots();
const [CONTACTS, EMPTY] = SPOTS.layers as [Layer, Layer];
const ALL = new Set<string>();
const FRIDAY = new Set(["fri/20h-24h"]);

describe("numbers of areas", () => {
  it("are those of all times, or the sum over the chosen ones", () => {
    assert.deepEqual(Object.fromEntries(countByArea(CONTACTS, ALL)), { a: 40, b: 10 });
    assert.deepEqual(Object.fromEntries(countByArea(CONTACTS, FRIDAY)), { a: 15, b: 5 });
    const both = new Set([...FRIDAY, "mon/08h-12h"]);
    assert.equal(countByArea(CONTACTS, both).get("a"), 20);
  });

  it("leave out what is too few to show", () => {
    assert.equal(countByArea(CONTACTS, ALL).has("c"), false);
    assert.equal(countByArea(CONTACTS, new Set(["sun/00h-04h"])).size, 0);
    assert.equal(countByArea(undefined, ALL).size, 0);
  });

  it("are by time as counted over all areas, and never the sum of what shows", () => {
    assert.deepEqual(Object.fromEntries(countByTime(CONTACTS)), {
      "fri/20h-24h": 25,
      "mon/08h-12h": 10,
    });
    const { when: _, ...before } = CONTACTS;
    assert.equal(countByTime(before).size, 0); // of a map that was built before it was counted
  });

  it("are the largest at least 1, so that nothing is divided by nothing", () => {
    assert.equal(largest(new Map()), 1);
    assert.equal(largest(new Map([["a", 40]])), 40);
  });
});

describe("where and when to go", () => {
  it("is in the order of the week, in the chosen times alone", () => {
    assert.deepEqual(
      listBest(CONTACTS, ALL).map(([area, day]) => `${area} ${day}`),
      ["a mon", "b fri", "a fri"],
    );
    assert.equal(listBest(CONTACTS, FRIDAY).length, 2);
  });

  it("does not rank what is equal: all of it, or none", () => {
    const equal = (n: number, count: number) =>
      Array.from({ length: count }, (_, place) => [`${n}-${place}`, "mon", "08h-12h", n]);
    const times = (...some: unknown[][]) => ({ ...CONTACTS, times: some }) as Layer;
    assert.equal(listBest(times(...equal(10, 9)), ALL).length, 0);
    assert.equal(listBest(times(...equal(10, 8)), ALL).length, 8);
    assert.equal(listBest(times(...equal(15, 2), ...equal(10, 9)), ALL).length, 2);
  });

  it("is eight answers at most", () => {
    const times = Array.from({ length: 20 }, (_, n) => ["a", "mon", "08h-12h", n] as const);
    const layer = { ...CONTACTS, times: times.map((time) => [...time]) } as Layer;
    assert.deepEqual(
      listBest(layer, ALL).map(([, , , n]) => n),
      [12, 13, 14, 15, 16, 17, 18, 19],
    );
  });
});

describe("the times that stand out", () => {
  it("are named over all areas, or it is said that none does", () => {
    const reader = new SpotReader(SPOTS, WORDS, "en", "weekend");
    assert.equal(reader.describeBusy(CONTACTS), "Busier: Friday, 20:00–24:00");
    assert.equal(reader.describeBusy(EMPTY), "None stands out");
  });
});

describe("the strength of a colour", () => {
  it("grows with the number, from 1 for the smallest to 5 for the largest", () => {
    assert.equal(gradeOf(0, 100), 0);
    assert.equal(gradeOf(1, 100), 1);
    assert.equal(gradeOf(20, 100), 1);
    assert.equal(gradeOf(21, 100), 2);
    assert.equal(gradeOf(100, 100), 5);
  });

  const draw = (layer: Layer, times: Set<string>, night: "week" | "weekend") =>
    makePlaces(layer, times, countByArea(layer, times), night, (code) => `name of ${code}`);

  it("says how areas are for our hours there at night, and has neither fill nor number where nobody was", () => {
    const places = draw(CONTACTS, ALL, "weekend");
    assert.deepEqual(places.get("a"), { grade: 5, isGap: false, label: "name of a" });
    assert.deepEqual(places.get("b"), { grade: 1, isGap: false, label: "name of b" });
    assert.deepEqual(places.get("c"), { grade: 0, isGap: true, label: "name of c" });
    assert.equal(draw(CONTACTS, ALL, "week").get("a")?.grade, 0);
  });

  it("is of numbers where times are chosen, and on maps without a plan", () => {
    assert.deepEqual(draw(CONTACTS, FRIDAY, "weekend").get("a"), {
      grade: 5,
      isGap: false,
      label: "15",
    });
    const { plan: _, ...older } = CONTACTS;
    assert.deepEqual(draw(older, ALL, "weekend").get("a"), { grade: 5, isGap: false, label: "40" });
  });
});

describe("choosing times", () => {
  it("switches one on and off", () => {
    const on = toggleTimes(ALL, ["mon/08h-12h"]);
    assert.deepEqual([...on], ["mon/08h-12h"]);
    assert.equal(toggleTimes(on, ["mon/08h-12h"]).size, 0);
  });

  it("switches a whole day on where some of it is off", () => {
    const day = ["mon/a", "mon/b"];
    assert.deepEqual([...toggleTimes(new Set(["mon/a"]), day)].sort(), day);
    assert.equal(toggleTimes(new Set(day), day).size, 0);
  });

  it("leaves what was chosen before as it was", () => {
    toggleTimes(FRIDAY, ["fri/20h-24h"]);
    assert.equal(FRIDAY.size, 1);
  });
});

describe("times as people write them", () => {
  it("are the clock in English and hours in French", () => {
    assert.equal(formatBand("16h-20h", "en"), "16:00–20:00");
    assert.equal(formatBand("16h-20h", "fr"), "16 h – 20 h");
    assert.equal(formatBand("20h-00h", "en"), "20:00–24:00");
    assert.equal(formatBandStart("08h-12h", "en"), "8");
    assert.equal(formatBandStart("08h-12h", "fr"), "8 h");
  });

  it("name the weekday in the reader's language", () => {
    assert.equal(formatWeekday("mon", "en"), "Monday");
    assert.equal(formatWeekday("sun", "fr"), "dimanche");
    assert.equal(formatWeekday("fri", "en", "short"), "Fri");
  });
});

describe("what a map says", () => {
  const reader = new SpotReader(SPOTS, WORDS, "en", "weekend");

  it("begins with the first layer that shows anything", () => {
    assert.equal(chooseFirstLayer(SPOTS), CONTACTS);
    assert.equal(chooseFirstLayer({ ...SPOTS, layers: [EMPTY] }), EMPTY);
    assert.equal(chooseFirstLayer({ ...SPOTS, layers: [] }), undefined);
  });

  it("names areas, and falls back on their codes", () => {
    assert.equal(reader.nameArea("a"), "Rexdale");
    assert.equal(new SpotReader(SPOTS, WORDS, "fr", "weekend").nameArea("a"), "Rexdale (fr)");
    assert.equal(reader.nameArea("z"), "z");
  });

  it("says an area's number, and not what differs from before by chance", () => {
    assert.equal(reader.describeArea(CONTACTS, ALL, "a"), "Rexdale: 40");
    assert.equal(reader.describeArea(CONTACTS, ALL, "b"), "Kipling: 10");
    assert.equal(reader.describeArea(CONTACTS, ALL, "c"), "Jane: too few");
    assert.equal(reader.describeArea(CONTACTS, FRIDAY, "a"), "Rexdale: 15");
  });

  it("never says a total that is too small", () => {
    assert.equal(reader.describeLayer(CONTACTS), "Contacts: 50");
    assert.equal(reader.describeLayer({ ...CONTACTS, total: "<10" }), "Contacts: too few");
    assert.equal(reader.describeLayer(undefined), ": ");
  });

  it("says where and when as a sentence", () => {
    assert.equal(
      reader.describeBest(["a", "fri", "20h-24h", 15]),
      "Rexdale: Friday, 20:00–24:00 (15)",
    );
  });

  it("fills the table: the number before, and how it is for our hours there", () => {
    assert.equal(reader.describeBefore(CONTACTS, ALL, "a"), "25");
    assert.equal(reader.describeBefore(CONTACTS, ALL, "c"), "too few");
    assert.equal(reader.describeBefore(CONTACTS, FRIDAY, "a"), "–");
    assert.equal(reader.describeSpot(CONTACTS, ALL, "a"), "More than expected");
    assert.equal(reader.describeSpot(CONTACTS, ALL, "c"), "Not there");
    assert.equal(reader.describeSpot(CONTACTS, FRIDAY, "a"), "–");
  });

  it("puts values into words, and leaves what it does not know", () => {
    assert.equal(fillIn("{a} of {b}", { a: 1 }), "1 of {b}");
  });
});
