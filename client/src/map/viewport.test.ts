import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seeded } from "../../test/chance";
import type { Point } from "./shapes";
import { Viewport } from "./viewport";

const SIZE: Point = [400, 200];

function makeView(size: Point = SIZE): Viewport {
  const view = new Viewport(() => size);
  view.box = [10, 20, 14, 22];
  return view;
}

function assertNear(a: Point, b: Point, message?: string): void {
  assert.ok(Math.hypot(a[0] - b[0], a[1] - b[1]) < 1e-6, `${String(a)} ≠ ${String(b)} ${message}`);
}

describe("the part of a map that is seen", () => {
  it("is all of it at first, in the middle, with a margin", () => {
    const view = makeView();
    assertNear(view.toPixels([12, 21]), [200, 100]);
    const [left, top] = view.toPixels([10, 20]);
    assert.ok(left > 0 && left < 10 && top > 0 && top < 10);
  });

  it("fits a narrow canvas, too", () => {
    const view = makeView([100, 500]);
    const [left] = view.toPixels([10, 20]);
    const [right] = view.toPixels([14, 22]);
    assert.ok(left >= 0 && right <= 100);
    assertNear(view.toPixels([12, 21]), [50, 250]);
  });

  it("keeps the place under the fingers while it is zoomed", () => {
    const view = makeView();
    const finger: Point = [120, 50];
    const under = view.toUnits(finger);
    view.zoomBy(3, finger);
    assertNear(view.toUnits(finger), under);
    assert.equal(view.zoom, 3);
  });

  it("is zoomed around its middle when no place is named", () => {
    const view = makeView();
    view.zoomBy(2);
    assertNear(view.toPixels([12, 21]), [200, 100]);
  });

  it("is never zoomed beyond its bounds, and is whole again by 0", () => {
    const view = makeView();
    view.zoomBy(1000);
    assert.equal(view.zoom, 24);
    view.moveBy(40, 3);
    view.zoomBy(0);
    assert.equal(view.zoom, 1);
    assert.deepEqual(view.shift, [0, 0]);
  });

  it("goes to a box, as large as fits, in the middle", () => {
    const view = makeView();
    view.zoomTo([10, 20, 11, 20.5]);
    assertNear(view.toPixels([10.5, 20.25]), [200, 100]);
    const [left, top] = view.toPixels([10, 20]);
    const [right, bottom] = view.toPixels([11, 20.5]);
    assert.ok(left >= 0 && top >= 0 && right <= 400 && bottom <= 200);
    assert.ok(view.zoom > 2);
  });

  it("goes to the same place wherever it was before", () => {
    const fresh = makeView();
    fresh.zoomTo([11, 21, 12, 22]);
    const used = makeView();
    used.zoomBy(5, [10, 10]);
    used.moveBy(99, -30);
    used.zoomTo([11, 21, 12, 22]);
    assert.deepEqual(used.shift, fresh.shift);
    assert.equal(used.zoom, fresh.zoom);
  });

  it("leads from pixels to places and back, wherever it is", () => {
    const chance = seeded("viewport");
    for (let round = 0; round < 200; round++) {
      const view = makeView([50 + chance.below(900), 50 + chance.below(900)]);
      view.zoomBy(0.5 + chance.next() * 6, [chance.below(400), chance.below(200)]);
      view.moveBy(chance.below(100) - 50, chance.below(100) - 50);
      const point: Point = [10 + chance.next() * 4, 20 + chance.next() * 2];
      assertNear(view.toUnits(view.toPixels(point)), point, `seed ${chance.seed}, ${round}`);
    }
  });
});
