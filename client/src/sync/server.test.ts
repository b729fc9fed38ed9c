import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser, setGlobal } from "../../test/browser";
import { Centre } from "../../test/centre";
import { Line, type Request } from "../../test/line";
import type { BlobRow } from "../storage/types";
import { Offline } from "./requests";
import {
  fetchAreas,
  fetchForm,
  fetchManifest,
  fetchMaps,
  fetchRecord,
  join,
  pullPage,
  sendPiece,
  sendSealed,
  signIn,
} from "./server";

let centre: Centre;
let line: Line;

beforeEach(() => {
  installBrowser();
  centre = new Centre();
  line = new Line(centre);
});

const MANIFEST = { forms: [], centre: "Rexdale", worker: "Amina" };

const readManifest = (): Promise<unknown> => fetchManifest("token", centre.receipts);

describe("asking", () => {
  it("says who asks, in a header and never in an address", async () => {
    line.answer("", (request) => line.sign(request, { ...MANIFEST, items: [], more: false }));
    await readManifest();
    await pullPage("token", centre.receipts, 3);
    for (const { path, headers } of line.requests) {
      assert.equal(headers.get("Authorization"), "Bearer token");
      assert.ok(!path.includes("token"));
    }
  });

  it("asks with another nonce each time", async () => {
    line.answer("manifest", (request) => line.sign(request, MANIFEST));
    await readManifest();
    await readManifest();
    const nonces = line.requests.map(({ headers }) => headers.get("X-Nonce"));
    assert.equal(new Set(nonces).size, 2);
  });

  it("uses the addresses of the protocol", async () => {
    const everything = { ...MANIFEST, items: [], orders: {}, received: 1, token: "t" };
    line.answer("", (request) => line.sign(request, everything));
    await signIn("amina", "password", "Phone", "key");
    await join("invitation", "Phone", "key");
    await readManifest();
    await pullPage("t", centre.receipts, "12:7");
    await fetchRecord("t", centre.receipts, "a/b");
    await fetchForm("t", "encounter", "1 é");
    await fetchAreas("t", "nbhd/158");
    await fetchMaps("t", centre.receipts);
    await sendSealed([], [], [centre.receipts]);
    const asked = line.requests.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(asked, [
      "POST sign-in",
      "POST join",
      "GET manifest",
      "GET pull?cursor=12:7&ended=1",
      "GET records/a%2Fb",
      "GET forms/encounter/1%20%C3%A9",
      "GET areas/nbhd%2F158",
      "GET map",
      "POST deliver",
    ]);
  });

  it("sends a password only to sign in, in the body", async () => {
    line.answer("sign-in", () => new Response(JSON.stringify({ protocol: 1, token: "t" })));
    await signIn("amina", "password", "Phone", "key");
    const [request] = line.requests;
    assert.deepEqual(request!.body, {
      username: "amina",
      password: "password",
      device: "Phone",
      public_key: "key",
    });
    assert.equal(request!.headers.get("Authorization"), null);
    assert.equal(request!.headers.get("Content-Type"), "application/json");
  });

  it("says that it sends JSON only where it sends some, and in which language it reads", async () => {
    line.answer("manifest", (request) => line.sign(request, MANIFEST));
    setGlobal("document", { documentElement: { lang: "fr" } });
    await readManifest();
    const [{ headers }] = line.requests as [Request];
    assert.equal(headers.get("Content-Type"), null);
    assert.equal(headers.get("Accept-Language"), "fr");
    Reflect.deleteProperty(globalThis, "document");
    await readManifest();
    assert.equal(line.requests[1]!.headers.get("Accept-Language"), "en");
  });

  it("does not take a page without a token for having signed in", async () => {
    line.answer("sign-in", () => new Response(JSON.stringify({ protocol: 1 })));
    await assert.rejects(signIn("amina", "password", "Phone", "key"), Offline);
  });
});

describe("a centre whose key is not known yet", () => {
  it("is believed once: its manifest brings the key", async () => {
    const manifest = { protocol: 1, ...MANIFEST, receipts: centre.receipts };
    line.answer("manifest", () => new Response(JSON.stringify(manifest)));
    assert.deepEqual((await fetchManifest("token", null)).receipts, centre.receipts);
    assert.equal(line.requests[0]!.headers.get("X-Nonce"), null);
  });

  it("is not believed about anything else", async () => {
    line.answer("pull", (request) => line.sign(request, { items: [], more: false, cursor: 1 }));
    await assert.rejects(pullPage("token", null, 0), Offline);
  });
});

describe("handing over", () => {
  const answer = { items: [], orders: {} };

  it("believes any of the centres of this phone's workers, and no other", async () => {
    const other = new Centre();
    line.answer("deliver", (request) => line.sign(request, answer, other));
    await assert.rejects(sendSealed([], [], [centre.receipts, null]), Offline);
    const [delivered, signer] = await sendSealed([], [], [centre.receipts, other.receipts]);
    assert.deepEqual(delivered.items, []);
    assert.deepEqual(signer, other.receipts);
  });

  it("does not take an answer of another shape", async () => {
    for (const wrong of [{ orders: {} }, { items: "x", orders: {} }, { items: [], orders: 1 }]) {
      line.answer("deliver", (request) => line.sign(request, wrong));
      await assert.rejects(sendSealed([], [], [centre.receipts]), Offline);
    }
  });
});

describe("a piece of an attachment", () => {
  const blob: BlobRow = {
    hash: "abc",
    user: 7,
    record: "rec",
    device: "device-7",
    data: new Uint8Array(10).fill(1),
    proof: "proof",
    sent: 4,
  };

  it("says which part of the whole it is, and who proves it", async () => {
    line.answer(
      "attachments/abc",
      () => new Response(JSON.stringify({ protocol: 1, received: 7 })),
    );
    assert.equal(await sendPiece(blob, new Uint8Array([1, 2, 3])), 7);
    const { method, headers, bytes } = line.requests[0]!;
    assert.equal(method, "PUT");
    assert.equal(headers.get("Content-Range"), "bytes 4-6/10");
    assert.deepEqual([headers.get("X-Device"), headers.get("X-Proof")], ["device-7", "proof"]);
    assert.deepEqual([...bytes!], [1, 2, 3]);
  });
});
