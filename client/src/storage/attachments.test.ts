import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { Centre, isSignedByPhone } from "../../test/centre";
import { makeVault } from "../../test/vaults";
import type { Json } from "../engine/types";
import { getNextPiece, PIECE } from "./attachments";
import { detachAttachments } from "./captured";
import { toUtf8 } from "./bytes";
import type { BlobRow } from "./types";

const centre = new Centre();
const INFO = toUtf8(`fieldapp attachment 1|${centre.key.kid}device-7`);

const capture = (kind: string, content: string): string =>
  `data:${kind};base64,${Buffer.from(content).toString("base64")}`;

describe("taking pictures out of a record", () => {
  it("leaves a record without any as it is", async () => {
    const vault = await makeVault(centre);
    const answers = { a: "x", g: { b: "data:nothing" }, r: [{ c: "1" }, {}] };
    const [body, blobs] = await detachAttachments(vault, "rec", answers);
    assert.deepEqual(body, answers);
    assert.deepEqual(blobs, []);
  });

  it("leaves them in before the centre's key has come", async () => {
    const vault = await makeVault(null);
    const answers = { photo: capture("image/png", "x") };
    const [body, blobs] = await detachAttachments(vault, "rec", answers);
    assert.deepEqual(body, answers);
    assert.deepEqual(blobs, []);
  });

  it("takes no text for a picture that only looks a little like one", async () => {
    const vault = await makeVault(centre);
    for (const text of [
      "data:image/png;base64,",
      "data:IMAGE/png;base64,AA",
      "x data:a/b;base64,AA",
    ]) {
      const [body] = await detachAttachments(vault, "rec", { a: text });
      assert.deepEqual(body, { a: text });
    }
  });

  it("finds them in groups and in each instance of a repeat", async () => {
    const vault = await makeVault(centre);
    const answers = {
      photo: capture("image/png", "one"),
      g: { sound: capture("audio/webm", "two") },
      r: [{ file: capture("application/pdf", "three") }, { note: "n" }],
    };
    const [body, blobs] = await detachAttachments(vault, "rec", answers);
    assert.equal(blobs.length, 3);
    const { photo, g, r } = body as { photo: string; g: Json; r: Json[] };
    for (const [reference, kind] of [
      [photo, "image/png"],
      [g["sound"], "audio/webm"],
      [r[0]!["file"], "application/pdf"],
    ] as const) {
      const hash = String(reference).split(":")[2];
      assert.equal(reference, `attachment:${kind}:${hash}`);
      assert.ok(blobs.some((blob) => blob.hash === hash));
    }
    assert.deepEqual(r[1], { note: "n" });
  });

  it("seals each to the centre, under the hash of what is sent", async () => {
    const vault = await makeVault(centre);
    const [, [blob]] = await detachAttachments(vault, "rec", {
      p: capture("image/png", "content"),
    });
    assert.equal(blob!.hash, createHash("sha256").update(blob!.data).digest("hex"));
    assert.deepEqual(blob!.data.slice(0, INFO.length), INFO);
    const plain = centre.openHpke(INFO, blob!.data.slice(INFO.length));
    assert.equal(plain.toString(), "content");
    assert.deepEqual(
      [blob!.user, blob!.record, blob!.device, blob!.sent],
      [7, "rec", "device-7", 0],
    );
  });

  it("proves which phone sends it", async () => {
    const vault = await makeVault(centre);
    const [, [blob]] = await detachAttachments(vault, "rec", { p: capture("image/png", "x") });
    const { hash, data, proof } = blob!;
    const signed = toUtf8(`fieldapp attachment 1|${hash}|${data.length}`);
    const signature = Buffer.from(proof, "base64");
    assert.equal(isSignedByPhone(vault.publicKey, signed, signature), true);
  });
});

describe("the next piece", () => {
  const blob = { data: new Uint8Array(PIECE + 10).fill(1), sent: 0 } as BlobRow;

  it("is as much as travels at once, from where the last attempt broke off", () => {
    assert.equal(getNextPiece(blob).length, PIECE);
    assert.equal(getNextPiece({ ...blob, sent: PIECE }).length, 10);
    assert.equal(getNextPiece({ ...blob, sent: PIECE + 10 }).length, 0);
    assert.equal(getNextPiece({ ...blob, sent: 5 }).length, PIECE);
  });
});
