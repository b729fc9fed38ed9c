import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { generate } from "lean-qr/nano";
import { readPicture } from "./qr_reading";

const DOT = 6; // pixels of a module
const MARGIN = 4; // modules of white around

interface Picture {
  width: number;
  height: number;
  data: Uint8ClampedArray<ArrayBuffer>;
}

/** A picture of a QR code as the app draws it on a card. */
function drawCode(text: string): Picture {
  const code = generate(text);
  const side = (code.size + 2 * MARGIN) * DOT;
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  for (let at = 0; at < side * side; at++) {
    const x = Math.floor((at % side) / DOT) - MARGIN;
    const y = Math.floor(at / side / DOT) - MARGIN;
    if (code.get(x, y)) data.fill(0, at * 4, at * 4 + 3);
  }
  return { width: side, height: side, data };
}

/** White out a square of a picture, as where a card is torn. */
function tear({ width, data }: Picture, from: number, to: number): void {
  for (let y = from; y < to; y++) data.fill(255, (y * width + from) * 4, (y * width + to) * 4);
}

describe("reading a QR code without the browser's help", () => {
  it("reads the code of a card", () => {
    assert.equal(readPicture(drawCode("K7QM3RXDQ")), "K7QM3RXDQ");
  });

  it("reads it in bad light", () => {
    const picture = drawCode("K7QM3RXDQ");
    picture.data.forEach((value, at) => {
      if (at % 4 < 3) picture.data[at] = 40 + value / 4 + ((at * 7919) % 23);
    });
    assert.equal(readPicture(picture), "K7QM3RXDQ");
  });

  it("reads nothing where a corner is torn off, or where there is no code", () => {
    const picture = drawCode("K7QM3RXDQ");
    tear(picture, 0, 12 * DOT);
    assert.equal(readPicture(picture), "");
    const white = new Uint8ClampedArray(100 * 100 * 4).fill(255);
    assert.equal(readPicture({ width: 100, height: 100, data: white }), "");
  });
});
