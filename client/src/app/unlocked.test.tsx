import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { leave, show, type Shown, until } from "../../test/page";
import { openScreen } from "../../test/screen";
import { changeCaseload } from "../storage/caseload";
import { notePlace } from "../storage/places";
import { saveDraft } from "../storage/drafts";
import type { Vault } from "../storage/vault";
import { UnlockedApp } from "./unlocked";

afterEach(leave);

interface Opened {
  shown: Shown;
  vault: Vault;
  draw: (route: string) => Promise<void>;
  goTo: (route: string) => Promise<void>;
}

async function open(route = "#/today"): Promise<Opened> {
  globalThis.fetch = () => Promise.reject(new TypeError("no network"));
  const { app } = await openScreen(null);
  const nothing = (): void => undefined;
  const common = { vault: app.vault, lock: nothing, hide: nothing, changeLanguage: nothing };
  const draw = (next: string) => show(<UnlockedApp {...common} route={next} ordered={nothing} />);
  const opened: Opened = {
    shown: await draw(route),
    vault: app.vault,
    draw: async (next) => {
      opened.shown = await draw(next);
    },
    goTo: async (next) => {
      await opened.draw(next);
      await until(() => opened.shown.text !== "");
    },
  };
  await until(() => opened.shown.text !== "");
  return opened;
}

const title = ({ shown }: Opened): string => shown.texts("h1")[0]!;

describe("the app with a vault open", () => {
  it("shows the screen of each address", async () => {
    const titles: Record<string, string> = {
      "#/new": "What happened?",
      "#/mine": "Mine",
      "#/people": "My cards",
      "#/where": "Where and when",
      "#/card/NOBODY": "This card is not on your list",
      "#/start/gone": "This form is not on the phone",
      "#/correct/r1": "Correct a record",
      "#/fill/gone": "This is not on the phone",
      "#/saved/encounter/done": "This is not on the phone", // of no record
    };
    const opened = await open();
    for (const [route, expected] of Object.entries(titles)) {
      await opened.goTo(route);
      assert.equal(title(opened), expected, route);
    }
  });

  it("shows today at an address that names no screen", async () => {
    const opened = await open("#/constructor");
    assert.equal(title(opened), "Today");
  });

  it("goes on where the worker was, at an address that names nothing", async () => {
    const opened = await open();
    location.hash = "#/mine";
    await notePlace(opened.vault);
    location.hash = "";
    await opened.draw("");
    assert.equal(opened.shown.text, "");
    await until(() => location.hash === "#/mine");
  });

  it("shows what is stored for the worker", async () => {
    const opened = await open();
    const person = { code: "K7QM3RXDQ", label: "red cap", seenOn: "2026-11-01", tier: "" };
    await changeCaseload(opened.vault, (caseload) => ({ ...caseload, people: [person] }));
    const draft = { id: "d1", form: "gone", version: "1", changedAt: 0, page: 0, answers: {} };
    await saveDraft(opened.vault, draft);
    await opened.goTo("#/people");
    assert.match(opened.shown.text, /red cap/);
    await opened.goTo("#/today");
    assert.match(opened.shown.text, /Not finished/);
  });

  it("says that there is no connection, and goes on", async () => {
    const opened = await open("#/mine");
    await until(() => opened.shown.text.includes("No connection to the centre"));
  });
});
