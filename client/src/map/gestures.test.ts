import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installPage } from "../../test/page";
import { followGestures, type GestureTarget } from "./gestures";
import type { Point } from "./shapes";

/** A target that notes what fingers ask of it. */
class Notes implements GestureTarget {
  isZoomed = true;
  readonly calls: string[] = [];
  zoomBy(factor: number, [x, y]: Point): void {
    this.calls.push(`zoom ${factor.toFixed(2)} at ${x},${y}`);
  }
  moveBy(x: number, y: number): void {
    this.calls.push(`move ${x},${y}`);
  }
  tap([x, y]: Point): void {
    this.calls.push(`tap ${x},${y}`);
  }
}

let canvas: HTMLCanvasElement;
let notes: Notes;

function touch(name: string, finger: number, x: number, y: number): void {
  const event = Object.assign(new Event(name), { pointerId: finger, clientX: x, clientY: y });
  canvas.dispatchEvent(event);
}

function turnWheel(deltaY: number, keys: object = {}): Event {
  const event = new Event("wheel", { cancelable: true });
  Object.assign(event, { deltaY, clientX: 5, clientY: 6, ctrlKey: false, metaKey: false, ...keys });
  canvas.dispatchEvent(event);
  return event;
}

beforeEach(() => {
  installPage();
  // A plain target of events that looks like a canvas: what fingers do is all that is asked of it.
  canvas = Object.assign(new EventTarget(), {
    getBoundingClientRect: () => ({ left: 10, top: 20 }),
    setPointerCapture: () => undefined,
  }) as unknown as HTMLCanvasElement;
  notes = new Notes();
  followGestures(canvas, notes);
});

describe("fingers on a map", () => {
  it("choose a place by a tap, measured from the map's corner", () => {
    touch("pointerdown", 1, 110, 220);
    touch("pointerup", 1, 110, 220);
    assert.deepEqual(notes.calls, ["tap 100,200"]);
  });

  it("choose nothing when they moved, or were called off", () => {
    touch("pointerdown", 1, 110, 220);
    touch("pointermove", 1, 117, 220);
    touch("pointerup", 1, 117, 220);
    touch("pointerdown", 1, 110, 220);
    touch("pointercancel", 1, 110, 220);
    assert.deepEqual(notes.calls, ["move 7,0"]);
  });

  it("forgive a shaking hand", () => {
    touch("pointerdown", 1, 110, 220);
    touch("pointermove", 1, 112, 222);
    touch("pointerup", 1, 112, 222);
    assert.deepEqual(notes.calls, ["move 2,2", "tap 102,202"]);
  });

  it("do not move a map that is all in view", () => {
    notes.isZoomed = false;
    touch("pointerdown", 1, 110, 220);
    touch("pointermove", 1, 150, 220);
    assert.deepEqual(notes.calls, []);
  });

  it("zoom by two, around the one that rests", () => {
    touch("pointerdown", 1, 110, 120);
    touch("pointerdown", 2, 160, 120);
    touch("pointermove", 2, 210, 120);
    assert.deepEqual(notes.calls, ["zoom 2.00 at 100,100"]);
  });

  it("do nothing while they hover", () => {
    touch("pointermove", 1, 110, 120);
    assert.deepEqual(notes.calls, []);
  });
});

describe("the wheel", () => {
  it("zooms in and out where the pointer is", () => {
    turnWheel(-300);
    turnWheel(300);
    assert.deepEqual(notes.calls, ["zoom 2.72 at -5,-14", "zoom 0.37 at -5,-14"]);
  });

  it("scrolls the page where there is nothing to zoom out of", () => {
    notes.isZoomed = false;
    assert.equal(turnWheel(100).defaultPrevented, false);
    assert.deepEqual(notes.calls, []);
    assert.equal(turnWheel(100, { ctrlKey: true }).defaultPrevented, true);
  });
});
