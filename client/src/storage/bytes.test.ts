import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seeded } from "../../test/chance";
import { fromBase64, joinBytes, randomBytes, sha256, toBase64, toUtf8 } from "./bytes";

describe("base64", () => {
  it("refuses what is none", () => {
    for (const wrong of ["a", "a=b=", "é"]) assert.throws(() => fromBase64(wrong), wrong);
  });

  it("is that of everybody else", () => {
    assert.equal(toBase64(toUtf8("fieldapp")), "ZmllbGRhcHA=");
    assert.equal(toBase64(new Uint8Array(0)), "");
    assert.deepEqual([...fromBase64("AP8Q")], [0, 255, 16]);
  });

  it("gives back any bytes, also more than fit in one call", () => {
    const { below, seed } = seeded("bytes");
    for (const size of [0, 1, 2, 3, 100, 0x7fff, 0x8000, 0x8001, 100_000]) {
      const bytes = Uint8Array.from({ length: size }, () => below(256));
      const text = toBase64(bytes);
      assert.equal(text, Buffer.from(bytes).toString("base64"), `seed ${seed}, ${size} bytes`);
      assert.deepEqual(fromBase64(text), bytes);
    }
  });
});

describe("bytes", () => {
  it("are joined in their order", () => {
    assert.deepEqual([...joinBytes()], []);
    const parts = [new Uint8Array([1, 2]), new Uint8Array(0), new Uint8Array([3])];
    assert.deepEqual([...joinBytes(...parts)], [1, 2, 3]);
  });

  it("of a text are its UTF-8", () => {
    assert.deepEqual([...toUtf8("é€")], [0xc3, 0xa9, 0xe2, 0x82, 0xac]);
  });

  it("of chance are as many as asked for, and others each time", () => {
    assert.equal(randomBytes(0).length, 0);
    const drawn = new Set(Array.from({ length: 50 }, () => toBase64(randomBytes(16))));
    assert.equal(drawn.size, 50);
  });

  it("have a hash, written in hexadecimal with leading zeros", async () => {
    assert.equal(
      await sha256(toUtf8("")),
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
    assert.match(await sha256(toUtf8("39")), /^0b918943/);
    assert.equal((await sha256(new Uint8Array(1))).length, 64);
  });
});
