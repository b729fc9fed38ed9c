import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { boxAround, boxAroundAll, findWidth, isInBox, makeShapes, readRing } from "./shapes";
import { makeOutlines } from "../../test/spots";

describe("an outline", () => {
  it("is read as corners, north up", () => {
    const corners = readRing([100_000, 200_000, 50_000, 0, 0, 50_000], 1);
    assert.deepEqual(corners, [
      [1, -2],
      [1.5, -2],
      [1.5, -2.5],
    ]);
  });

  it("is as wide as it is on the ground: a degree of longitude shrinks to the north", () => {
    assert.equal(findWidth({ a: [[0, 0]] }), 1);
    assert.ok(Math.abs(findWidth({ a: [[0, 6_000_000]] }) - 0.5) < 1e-9);
    assert.equal(findWidth({}), 1);
    const toronto = findWidth(makeOutlines().areas);
    assert.ok(toronto > 0.71 && toronto < 0.73);
  });

  it("becomes a shape with its box and middle, of all its rings", () => {
    const rings = [
      [0, 0, 100_000, 0, 0, 100_000],
      [300_000, 0, 100_000, 100_000],
    ];
    const [shape] = makeShapes({ island: rings }, 1);
    assert.equal(shape!.code, "island");
    assert.deepEqual(shape!.box, [0, -1, 4, -0]);
    assert.deepEqual(shape!.middle, [2, -0.5]);
    assert.equal(shape!.rings.length, 2);
  });
});

describe("boxes", () => {
  it("are around points and around each other", () => {
    assert.deepEqual(
      boxAround([
        [3, 1],
        [-1, 5],
      ]),
      [-1, 1, 3, 5],
    );
    assert.deepEqual(
      boxAroundAll([
        [0, 0, 1, 1],
        [5, -2, 6, 0],
      ]),
      [0, -2, 6, 1],
    );
    assert.deepEqual(boxAroundAll([]), [0, 0, 1, 1]);
  });

  it("have their edges inside", () => {
    assert.equal(isInBox([0, 0, 1, 1], [1, 0]), true);
    assert.equal(isInBox([0, 0, 1, 1], [1.01, 0]), false);
  });
});
