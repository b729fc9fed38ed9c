import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { seeded } from "../../test/chance";
import { digest } from "./digest";

const ALGORITHMS: Record<string, string> = {
  MD5: "md5",
  "SHA-1": "sha1",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
};

describe("digest", () => {
  it("gives nothing for an algorithm or an encoding that there is not", () => {
    for (const algorithm of ["", "SHA", "SHA-224", "SHA256", "md-5", "constructor"])
      assert.equal(digest("x", algorithm, "hex"), "", algorithm);
    for (const encoding of ["", "HEX", "base32", "Base64"])
      assert.equal(digest("x", "MD5", encoding), "", encoding);
  });

  it("takes the name of an algorithm in small letters too", () => {
    assert.equal(digest("x", "sha-256", "hex"), digest("x", "SHA-256", "hex"));
  });

  it("knows the digests of the standards", () => {
    const abc = "900150983cd24fb0d6963f7d28e17f72";
    assert.equal(digest("abc", "MD5", "hex"), abc);
    assert.equal(digest("", "MD5", "hex"), "d41d8cd98f00b204e9800998ecf8427e");
    assert.equal(digest("abc", "SHA-1", "base64"), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
  });

  for (const [name, standard] of Object.entries(ALGORITHMS)) {
    const expected = (text: string, encoding: "hex" | "base64"): string =>
      createHash(standard).update(text).digest(encoding);

    it(`${name}: agrees with OpenSSL at every length around its blocks`, () => {
      for (const length of [
        0, 1, 3, 54, 55, 56, 57, 63, 64, 65, 111, 112, 113, 119, 127, 128, 240,
      ]) {
        const text = "a".repeat(length);
        assert.equal(digest(text, name, "hex"), expected(text, "hex"), `${length} characters`);
      }
    });

    it(`${name}: agrees with OpenSSL on texts of all kinds`, () => {
      const { below, pick, seed } = seeded(name);
      const characters = [..."aZ09 é€漢😀\n\0"];
      for (let round = 0; round < 8; round++) {
        const text = Array.from({ length: below(90) }, () => pick(characters)).join("");
        for (const encoding of ["hex", "base64"] as const)
          assert.equal(digest(text, name, encoding), expected(text, encoding), `seed ${seed}`);
      }
    });
  }

  it("takes half of a pair for a question mark, as the server does", () => {
    assert.equal(digest("a\ud83db", "MD5", "hex"), digest("a?b", "MD5", "hex"));
    assert.equal(digest("\udc00", "SHA-256", "hex"), digest("?", "SHA-256", "hex"));
    assert.equal(digest("\udc00\ud83d", "MD5", "hex"), digest("??", "MD5", "hex"));
  });
});
