import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { setGlobal } from "../../test/browser";
import { leave, settle, show, until } from "../../test/page";
import { openScreen } from "../../test/screen";
import type { Vault } from "../storage/vault";
import type { Order } from "../sync/deliver";
import { choosePause, useExchangeLoop } from "./exchange_loop";

afterEach(leave);

const SECOND = 1000;

describe("the pause between two exchanges", () => {
  it("is short while the centre answers", () => {
    assert.equal(choosePause(300 * SECOND, "online"), 15 * SECOND);
  });

  it("doubles while it does not, to five minutes at most", () => {
    let pause = 15 * SECOND;
    const pauses = Array.from(
      { length: 6 },
      () => (pause = choosePause(pause, "offline")) / SECOND,
    );
    assert.deepEqual(pauses, [30, 60, 120, 240, 300, 300]);
    assert.equal(choosePause(15 * SECOND, "signed-out"), 30 * SECOND);
  });
});

interface Loop {
  vault: Vault;
  refresh: () => Promise<void>;
  ordered: (orders: Order[]) => void;
}

function Loop({ vault, refresh, ordered }: Loop) {
  const { outcome, isReady, exchangeNow, hurry } = useExchangeLoop(vault, refresh, ordered);
  return (
    <>
      <p>
        {outcome} {isReady ? "ready" : "not ready"}
      </p>
      <button onClick={() => void exchangeNow(true)}>Exchange</button>
      <button onClick={hurry}>Hurry</button>
    </>
  );
}

/** What the centre answers, by the path asked for; anything else has no network. */
function serve(answers: Record<string, () => Response>): string[] {
  const asked: string[] = [];
  globalThis.fetch = (address) => {
    const path = String(address)
      .replace(/^https?:\/\/[^/]+/, "")
      .split("?")[0]!;
    asked.push(path);
    const answer = Object.entries(answers).find(([start]) => path.startsWith(start))?.[1];
    return answer ? Promise.resolve(answer()) : Promise.reject(new TypeError("no network"));
  };
  return asked;
}

async function open(): Promise<{ vault: Vault; loop: Loop; refreshed: () => number }> {
  const { app } = await openScreen(null);
  let count = 0;
  const refresh = () => Promise.resolve(void count++);
  const loop = { vault: app.vault, refresh, ordered: () => undefined };
  return { vault: app.vault, loop, refreshed: () => count };
}

describe("the exchange while the app is open", () => {
  it("begins by itself, and says that there is no connection", async () => {
    const asked = serve({});
    const { loop, refreshed } = await open();
    const shown = await show(<Loop {...loop} />);
    await until(() => shown.text.startsWith("offline"));
    assert.ok(asked.length > 0);
    assert.ok(refreshed() > 0);
    assert.match(shown.text, /not ready/);
  });

  it("ends with the lock, even while it is waiting for an answer", async () => {
    let fail = (): void => undefined;
    globalThis.fetch = () =>
      new Promise((_, reject) => (fail = () => reject(new TypeError("no network"))));
    const { loop, refreshed } = await open();
    await show(<Loop {...loop} />);
    await until(() => fail.toString().includes("reject"));
    await show(null);
    const waits: number[] = [];
    const start = globalThis.setTimeout;
    setGlobal("setTimeout", (run: () => void, wait: number) => {
      waits.push(wait);
      return start(run, wait);
    });
    const before = refreshed();
    fail();
    await until(() => refreshed() > before);
    await until(() => true);
    await new Promise((done) => start(done, 50));
    assert.deepEqual(
      waits.filter((wait) => wait >= 15 * SECOND),
      [],
    );
  });

  it("goes on when the worker asks for it, or picks the phone up", async () => {
    const asked = serve({});
    const { loop } = await open();
    const shown = await show(<Loop {...loop} />);
    await until(() => shown.text.startsWith("offline"));
    const before = asked.length;
    await shown.click("Exchange");
    await until(() => asked.length > before);
    const between = asked.length;
    await settle();
    await shown.click("Hurry");
    await until(() => asked.length > between);
  });
});
