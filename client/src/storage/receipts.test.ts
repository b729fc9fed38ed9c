import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { Centre } from "../../test/centre";
import { canVerify, isReceipt, isSigned } from "./receipts";

const centre = new Centre();
const box = new Uint8Array([1, 2, 3]);
const hash = createHash("sha256").update(box).digest("hex");

describe("the centre's signature", () => {
  it("is believed of no centre that is not known", async () => {
    assert.equal(await isSigned(null, centre.sign("text"), "text"), false);
    assert.equal(await isSigned(undefined, centre.sign("text"), "text"), false);
  });

  it("is not another centre's, nor under another text", async () => {
    assert.equal(await isSigned(new Centre().receipts, centre.sign("text"), "text"), false);
    assert.equal(await isSigned(centre.receipts, centre.sign("text"), "Text"), false);
  });

  it("does not fail on what is no signature, or no key: it is not believed", async () => {
    for (const wrong of ["", "AAAA", "not base64 é", centre.sign("text").slice(4)])
      assert.equal(await isSigned(centre.receipts, wrong, "text"), false, wrong);
    const noKey = { ...centre.receipts, public: "AAAA" };
    assert.equal(await isSigned(noKey, centre.sign("text"), "text"), false);
  });

  it("is believed when it is there", async () => {
    assert.equal(await isSigned(centre.receipts, centre.sign("é text"), "é text"), true);
  });
});

describe("a receipt", () => {
  const receipt = centre.makeReceipt("id-1", box);

  it("is none when it is missing", async () => {
    assert.equal(await isReceipt(centre.receipts, "id-1", hash, undefined), false);
    assert.equal(await isReceipt(null, "id-1", hash, receipt), false);
    assert.equal(await isReceipt(null, "id-1", hash, undefined), false);
  });

  it("is none for another record, or for other bytes of it", async () => {
    assert.equal(await isReceipt(centre.receipts, "id-2", hash, receipt), false);
    const other = hash.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
    assert.equal(await isReceipt(centre.receipts, "id-1", other, receipt), false);
  });

  it("is none when anything in it was changed", async () => {
    for (const change of [
      { at: "2026-11-24T12:00:00Z" },
      { position: receipt.position + 1 },
      { kid: "other" },
      { signature: centre.sign("other") },
    ]) {
      const changed = { ...receipt, ...change };
      const isBelieved = await isReceipt(centre.receipts, "id-1", hash, changed);
      assert.equal(isBelieved, false, JSON.stringify(change));
    }
  });

  it("is none of a key with another name, though it is the same key", async () => {
    const renamed = { ...centre.receipts, kid: "renamed" };
    assert.equal(await isReceipt(renamed, "id-1", hash, receipt), false);
  });

  it("proves that the centre has exactly these bytes", async () => {
    assert.equal(await isReceipt(centre.receipts, "id-1", hash, receipt), true);
  });

  it("can be checked by this browser, and not by one that does not know the algorithm", async () => {
    assert.equal(await canVerify(), true);
    const { generateKey } = crypto.subtle;
    crypto.subtle.generateKey = () =>
      Promise.reject<never>(new DOMException("", "NotSupportedError"));
    try {
      assert.equal(await canVerify(), false);
    } finally {
      crypto.subtle.generateKey = generateKey;
    }
  });
});
