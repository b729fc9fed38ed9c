import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser } from "../../test/browser";
import { Centre } from "../../test/centre";
import { Line, portal, refuse, type Request } from "../../test/line";
import { clockAhead, Offline, Refused } from "./requests";
import { fetchManifest } from "./server";

let centre: Centre;
let line: Line;

beforeEach(() => {
  installBrowser();
  centre = new Centre();
  line = new Line(centre);
});

const MANIFEST = { forms: [], centre: "Rexdale", worker: "Amina" };

const readManifest = (): Promise<unknown> => fetchManifest("token", centre.receipts);

describe("what is not provably the centre's", () => {
  const cases: [string, (request: Request) => object | Error][] = [
    ["no line", () => new TypeError("no line")],
    ["a captive portal", portal],
    ["a server that is down", () => new Response("", { status: 502 })],
    ["a refusal of a server that is broken", () => refuse("sync.token", 500)],
    ["a refusal of some other server", () => new Response("no", { status: 403 })],
    [
      "an answer without a signature",
      () => new Response(JSON.stringify({ protocol: 1, ...MANIFEST })),
    ],
    [
      "an answer that another centre signed",
      (request) => line.sign(request, MANIFEST, new Centre()),
    ],
    [
      "an answer of another protocol",
      (request) => line.sign(request, { ...MANIFEST, protocol: 2 }),
    ],
    [
      "an answer to another question",
      (request) => {
        const headers = new Headers({ "X-Nonce": "another" });
        return line.sign({ ...request, headers }, MANIFEST);
      },
    ],
    [
      "an answer that was changed on the way",
      (request) => {
        const { headers } = line.sign(request, MANIFEST);
        return new Response(JSON.stringify({ protocol: 1, ...MANIFEST, centre: "?" }), { headers });
      },
    ],
    [
      "an answer that breaks off",
      () => {
        const response = new Response("{");
        response.text = () => Promise.reject(new TypeError("cut"));
        return response;
      },
    ],
  ];

  for (const [name, answer] of cases)
    it(`counts as no connection: ${name}`, async () => {
      line.answer("manifest", answer);
      await assert.rejects(readManifest(), Offline);
    });

  it("cannot lead anywhere else", async () => {
    let redirect: string | undefined;
    line.answer("manifest", (request) => line.sign(request, MANIFEST));
    const { fetch } = globalThis;
    globalThis.fetch = (url, options) => {
      redirect = options?.redirect;
      return fetch(url, options);
    };
    await readManifest();
    assert.equal(redirect, "error");
  });
});

describe("a refusal of the centre", () => {
  it("comes with its code, and with words in the worker's language", async () => {
    line.answer("manifest", () => refuse("sync.token", 401));
    await assert.rejects(readManifest(), (error) => {
      assert.ok(error instanceof Refused);
      assert.equal(error.code, "sync.token");
      assert.equal(error.message, "Refused: sync.token");
      return true;
    });
  });
});

describe("the clock", () => {
  const minutesAhead = async (now: string | undefined): Promise<number> => {
    line.answer("manifest", (request) => line.sign(request, { ...MANIFEST, now }));
    await readManifest();
    return clockAhead;
  };

  it("is compared with the centre's, in minutes", async () => {
    const at = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();
    assert.equal(await minutesAhead(at(0)), 0);
    assert.equal(await minutesAhead(at(-5)), 5);
    assert.equal(await minutesAhead(at(90)), -90);
  });

  it("is left as it was last measured where the centre says no time", async () => {
    await minutesAhead(new Date(Date.now() - 120_000).toISOString());
    assert.equal(await minutesAhead(undefined), 2);
    assert.equal(await minutesAhead("soon"), 2);
  });
});
