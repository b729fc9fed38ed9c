import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Centre, isSignedByPhone } from "../../test/centre";
import { joinBytes, toUtf8 } from "./bytes";
import { importSigningKey, makeSigningKey, sealHpke, sealToCentre, signBytes } from "./sealing";
import { fromBase64 } from "./bytes";

const centre = new Centre();

describe("sealing to a centre", () => {
  it("is not opened by another centre", async () => {
    const sealed = await sealHpke(fromBase64(centre.key.public), toUtf8("info"), toUtf8("secret"));
    assert.throws(() => new Centre().openHpke(toUtf8("info"), sealed));
  });

  it("is not opened for another purpose than it was sealed for", async () => {
    const sealed = await sealHpke(fromBase64(centre.key.public), toUtf8("info"), toUtf8("secret"));
    assert.throws(() => centre.openHpke(toUtf8("Info"), sealed));
  });

  it("is not opened when any byte of it was changed", async () => {
    const sealed = await sealHpke(fromBase64(centre.key.public), toUtf8("info"), toUtf8("secret"));
    for (let at = 1; at < sealed.length; at += 3) {
      const changed = Uint8Array.from(sealed);
      changed[at]! ^= 1;
      assert.throws(() => centre.openHpke(toUtf8("info"), changed), `byte ${at}`);
    }
  });

  it("is refused by a key that is no point", async () => {
    await assert.rejects(sealHpke(new Uint8Array(65), toUtf8(""), toUtf8("x")));
    await assert.rejects(sealHpke(new Uint8Array(3), toUtf8(""), toUtf8("x")));
  });

  it("gives the centre what was sealed, of any length", async () => {
    for (const size of [0, 1, 15, 16, 17, 1000]) {
      const plain = new Uint8Array(size).fill(size & 255);
      const sealed = await sealHpke(fromBase64(centre.key.public), toUtf8("é"), plain);
      assert.equal(sealed.length, 65 + size + 16);
      assert.deepEqual([...centre.openHpke(toUtf8("é"), sealed)], [...plain]);
    }
  });

  it("never looks alike twice, so that nobody sees two equal records", async () => {
    const seal = (): Promise<Uint8Array> =>
      sealHpke(fromBase64(centre.key.public), toUtf8(""), toUtf8("same"));
    const first = await seal();
    const second = await seal();
    assert.notDeepEqual(first.slice(0, 65), second.slice(0, 65));
    assert.notDeepEqual(first.slice(65), second.slice(65));
  });
});

describe("a signature of the phone", () => {
  it("is not another phone's, nor of other bytes", async () => {
    const keys = await makeSigningKey();
    const other = await makeSigningKey();
    const signature = await signBytes(await importSigningKey(keys.privateKey), toUtf8("text"));
    assert.equal(isSignedByPhone(other.publicKey, toUtf8("text"), signature), false);
    assert.equal(isSignedByPhone(keys.publicKey, toUtf8("Text"), signature), false);
  });

  it("proves who signed", async () => {
    const keys = await makeSigningKey();
    const signature = await signBytes(await importSigningKey(keys.privateKey), toUtf8("text"));
    assert.equal(signature.length, 64);
    assert.equal(isSignedByPhone(keys.publicKey, toUtf8("text"), signature), true);
  });

  it("is made with a key that cannot be read out again", async () => {
    const { privateKey } = await makeSigningKey();
    const signer = await importSigningKey(privateKey);
    assert.equal(signer.extractable, false);
    await assert.rejects(importSigningKey("AAAA"));
  });
});

describe("a sealed record", () => {
  it("says who sent it to whom, and is signed over all of it", async () => {
    const keys = await makeSigningKey();
    const signer = await importSigningKey(keys.privateKey);
    const content = { form: "encounter", body: '{"a":"é"}' };
    const sealed = await sealToCentre("id-1", "device-7", centre.key, signer, content);
    assert.equal(sealed.device, "device-7");
    assert.equal(sealed.kid, centre.key.kid);
    assert.deepEqual(centre.openRecord("id-1", sealed), content);
    const info = `fieldapp sealed record 1|id-1|device-7|${centre.key.kid}|`;
    const signed = joinBytes(toUtf8(info), sealed.box);
    assert.equal(isSignedByPhone(keys.publicKey, signed, sealed.signature), true);
  });

  it("cannot pass for another record, or for one of another phone", async () => {
    const signer = await importSigningKey((await makeSigningKey()).privateKey);
    const sealed = await sealToCentre("id-1", "device-7", centre.key, signer, { a: 1 });
    assert.throws(() => centre.openRecord("id-2", sealed));
    assert.throws(() => centre.openRecord("id-1", { ...sealed, device: "device-8" }));
  });
});
