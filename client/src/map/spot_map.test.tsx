import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { render } from "preact";
import { act } from "preact/test-utils";
import { setGlobal } from "../../test/browser";
import { installPage, leave, settle, show, Shown } from "../../test/page";
import { makeOutlines, makeSpots, WORDS } from "../../test/spots";
import { renderSpotMap, SpotMap } from "./spot_map";
import { findNext } from "./time_grid";

/** A canvas on which drawing leaves no trace but the words that were written. */
let written: string[] = [];
function installCanvas(): void {
  const nothing = () => undefined;
  const context = new Proxy(
    { fillText: (text: string) => void written.push(text), isPointInPath: () => true },
    { get: (target, name) => Reflect.get(target, name) ?? nothing, set: () => true },
  );
  const canvas = Object.getPrototypeOf(document.createElement("canvas")) as object;
  Object.defineProperty(canvas, "getContext", { value: () => context, configurable: true });
  Object.defineProperty(canvas, "clientWidth", { value: 400, configurable: true });
  Object.defineProperty(canvas, "clientHeight", { value: 300, configurable: true });
  setGlobal("Path2D", class { addPath = nothing; lineTo = nothing; moveTo = nothing; closePath = nothing; }); // prettier-ignore
  setGlobal("ResizeObserver", class { observe = nothing; }); // prettier-ignore
  setGlobal("devicePixelRatio", 1);
  setGlobal("requestAnimationFrame", (draw: () => void) => setTimeout(draw, 0));
  setGlobal("cancelAnimationFrame", clearTimeout);
}

beforeEach(() => {
  installPage();
  installCanvas();
  written = [];
});

const COMMON = { words: WORDS, language: "en", night: "weekend" as const };

const open = (outlines: ReturnType<typeof makeOutlines> | null = null): Promise<Shown> =>
  show(<SpotMap {...COMMON} spots={makeSpots()} outlines={outlines} viewer="W-01" />);

const rows = (shown: Shown): string[][] =>
  shown.all("tbody tr").map((row) => [...row.children].map((cell) => cell.textContent!));

describe("the map of where and when", () => {
  it("answers where and when to go, and has it all as a table", async () => {
    const shown = await open();
    assert.equal(shown.texts(".go li")[0], "Rexdale: Monday, 8:00–12:00 (5)");
    assert.deepEqual(rows(shown), [
      ["Rexdale", "40", "25", "More than expected"],
      ["Kipling", "10", "10", "As expected"],
    ]);
    assert.equal(shown.texts("[role=status]")[0], "Contacts: 50");
  });

  it("works without outlines: there is no map then, and all the rest", async () => {
    assert.equal((await open()).has("canvas"), false);
    assert.equal((await open(makeOutlines())).has("canvas"), true);
  });

  it("is narrowed to the times that are chosen", async () => {
    const shown = await open();
    await shown.click("Monday, 8:00–12:00: 10");
    assert.deepEqual(rows(shown), [["Rexdale", "5", "–", "–"]]);
    assert.deepEqual(shown.texts(".go li"), ["Rexdale: Monday, 8:00–12:00 (5)"]);
    assert.equal(shown.button("Monday, 8:00–12:00: 10").getAttribute("aria-pressed"), "true");
  });

  it("says so when the chosen times have too few to show", async () => {
    const shown = await open();
    await shown.click("Sunday, 8:00–12:00: too few");
    assert.deepEqual(shown.texts(".go li"), ["Nothing to name"]);
    assert.deepEqual(rows(shown), []);
  });

  it("chooses a whole day or a whole time of day at once", async () => {
    const shown = await open();
    await shown.click("Friday");
    assert.equal(shown.all(".when [aria-pressed=true]").length, 2);
    await shown.click("8:00–12:00");
    assert.equal(shown.all(".when [aria-pressed=true]").length, 8);
  });

  it("goes back to all times", async () => {
    const shown = await open();
    const all = shown.button("All times");
    assert.equal(all.hidden, true);
    await shown.click("Friday");
    assert.equal(all.hidden, false);
    await shown.click("All times");
    assert.equal(shown.all(".when [aria-pressed=true]").length, 0);
    assert.equal(all.hidden, true);
  });

  it("points to the place of an answer and says how it changed", async () => {
    const shown = await open();
    await shown.click(shown.all(".go button")[0]!);
    assert.equal(shown.texts("[role=status]")[0], "Rexdale: 40");
    await shown.click("Friday");
    assert.equal(shown.texts("[role=status]")[0], "Contacts: 50");
  });

  it("shows another layer, from all times again", async () => {
    const shown = await open();
    await shown.click("Friday");
    await shown.click("Needs");
    assert.equal(shown.button("Needs").getAttribute("aria-pressed"), "true");
    assert.equal(shown.button("Contacts").getAttribute("aria-pressed"), "false");
    assert.equal(shown.texts("[role=status]")[0], "Needs: too few");
    assert.equal(shown.all(".when [aria-pressed=true]").length, 0);
  });

  it("has no times for squares", async () => {
    const spots = makeSpots();
    spots.layers.push({ ...spots.layers[0]!, id: "cells", title: { en: "Squares" } });
    const shown = await show(<SpotMap {...COMMON} spots={spots} outlines={null} viewer="" />);
    await shown.click("Squares");
    assert.deepEqual(
      shown.all(".timed").map((part) => part.hidden),
      [true, true],
    );
  });

  it("is drawn with the names of areas, and over all of it whose it is", async () => {
    await open(makeOutlines());
    await settle();
    assert.ok(written.includes("Rexdale"));
    assert.ok(written.filter((text) => text === "W-01").length > 10);
  });

  it("is chosen from by a tap", async () => {
    const shown = await open(makeOutlines());
    const canvas = shown.find<HTMLCanvasElement>("canvas");
    canvas.setPointerCapture = () => undefined;
    for (const name of ["pointerdown", "pointerup"]) {
      const event = document.createEvent("Event");
      event.initEvent(name, true, true);
      canvas.dispatchEvent(Object.assign(event, { pointerId: 1, clientX: 200, clientY: 150 }));
    }
    await settle();
    assert.equal(shown.texts("[role=status]")[0], "Kipling: 10");
  });
});

describe("the grid of times", () => {
  const stops = (shown: Shown): string[] =>
    shown.all(".when button[tabindex='0']").map((button) => button.dataset["key"]!);

  it("is one stop for the tab key", async () => {
    assert.deepEqual(stops(await open()), ["08h-12h"]);
  });

  it("is gone through by arrows", async () => {
    const shown = await open();
    shown.find(".when button").focus();
    for (const key of ["ArrowDown", "ArrowRight"]) {
      await shown.press(document.activeElement!, key);
      await settle();
    }
    assert.deepEqual(stops(shown), ["mon/20h-24h"]);
    await shown.press(document.activeElement!, "ArrowUp");
    await settle();
    assert.deepEqual(stops(shown), ["20h-24h"]);
  });

  it("knows the corner without a button: up from a day's name leads nowhere", () => {
    const bands = 6;
    assert.equal(findNext(bands, "ArrowUp", bands), -1);
    assert.equal(findNext(bands + 1, "ArrowUp", bands), 0);
    assert.equal(findNext(0, "ArrowLeft", bands), -1);
    assert.equal(findNext(3, "Enter", bands), 3);
  });

  it("begins anew when it was changed from outside", async () => {
    const shown = await open();
    const cell = shown.button("Friday, 20:00–24:00: 25");
    cell.focus();
    await settle();
    assert.deepEqual(stops(shown), ["fri/20h-24h"]);
    cell.blur();
    await shown.click("Needs");
    assert.deepEqual(stops(shown), ["08h-12h"]);
  });
});

describe("the map in the office", () => {
  it("takes the place of what says that it is being drawn", async () => {
    document.body.innerHTML = '<div id="spots"><p>being drawn …</p></div>';
    const root = document.getElementById("spots")!;
    const spots = makeSpots();
    renderSpotMap(root, { ...COMMON, spots, outlines: null, viewer: "" });
    await settle();
    const shown = new Shown(root);
    assert.doesNotMatch(shown.text, /being drawn/);
    assert.match(shown.text, /Rexdale: Friday/);
    await act(() => render(null, root));
    await leave();
  });
});
