import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setGlobal } from "../../test/browser";
import { installPage, show } from "../../test/page";
import { formCalled, openScreen, type ScreenOptions } from "../../test/screen";
import { AppleSteps, isApple, isInstalled } from "./install";
import { InstallHint } from "./mine/install_hint";
import { applyLook, readLook } from "./look";
import { DataState, Ready, Tabs, titleOf, Top } from "./parts";
import { Clock } from "./quick_exit";
import { LostAll } from "./lost_all";
import { Broken } from "./storage_broken";

const stateOf = async (options: ScreenOptions): Promise<string> =>
  (await openScreen(<DataState />, options)).shown.text;

describe("where the worker's data is", () => {
  it("is nowhere yet, waiting, or with the centre", async () => {
    assert.match(await stateOf({}), /Nothing saved on this phone yet/);
    assert.match(
      await stateOf({ ledger: { made: 2, waiting: 2 } }),
      /2 saved on this phone, not yet/,
    );
    assert.match(await stateOf({ ledger: { made: 2, delivered: 2 } }), /All sent/);
  });

  it("goes out by itself, with or without signal", async () => {
    const ledger = { made: 1, waiting: 1 };
    assert.match(await stateOf({ ledger, outcome: "online" }), /when there is a signal/);
    assert.match(await stateOf({ ledger, outcome: "offline" }), /No signal just now/);
  });

  it("asks to sign in again when the centre has signed the phone out", async () => {
    assert.match(await stateOf({ outcome: "signed-out" }), /has signed this phone out/);
    assert.match(await stateOf({ account: { key: null } }), /has signed this phone out/);
  });

  it("raises an alarm for records that are missing", async () => {
    const text = await stateOf({ ledger: { made: 2, delivered: 1, lost: 1 } });
    assert.match(text, /1 record is missing from this phone\. Tell your centre\./);
  });
});

describe("what a form is called", () => {
  const forms = [formCalled("encounter", "Encounter")];

  it("is its title, or its name while it is not on the phone", () => {
    assert.equal(titleOf(forms, "encounter"), "Encounter");
    assert.equal(titleOf(forms, "gone"), "gone");
  });
});

describe("what every screen has", () => {
  it("is a heading with the focus, and a way to hide it all", async () => {
    const { shown, calls } = await openScreen(<Top title="Today" />);
    assert.equal(document.activeElement?.textContent, "Today");
    await shown.click("Hide");
    assert.deepEqual(calls, ["hide"]);
  });

  it("is three tabs, of which one is marked", async () => {
    const { shown } = await openScreen(<Tabs here="mine" />);
    assert.deepEqual(shown.texts("a"), ["Today", "Log", "Mine"]);
    assert.equal(shown.find("[aria-current]").textContent, "Mine");
  });

  it("says whether the app works without signal", async () => {
    assert.match((await openScreen(<Ready />, { isReady: true })).shown.text, /Ready offline/);
    assert.match((await openScreen(<Ready />, { isReady: false })).shown.text, /Getting ready/);
  });
});

describe("the look", () => {
  it("is the phone's own until another is chosen, and stays as it was chosen", () => {
    installPage();
    localStorage.clear();
    assert.equal(readLook(), "auto");
    applyLook("dark");
    assert.equal(readLook(), "dark");
    assert.equal(document.documentElement.dataset["look"], "dark");
    applyLook();
    assert.equal(document.documentElement.dataset["look"], "dark");
    localStorage.setItem("fieldapp.look", "purple");
    assert.equal(readLook(), "auto");
  });
});

describe("putting the app on the home screen", () => {
  const IPAD = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";

  it("knows an iPhone and an iPad that says it is a Mac", () => {
    installPage({ userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0)" });
    assert.equal(isApple(), true);
    installPage({ userAgent: IPAD, maxTouchPoints: 5 });
    assert.equal(isApple(), true);
    installPage({ userAgent: IPAD, maxTouchPoints: 0 });
    assert.equal(isApple(), false);
  });

  it("is explained step by step on an iPhone, and unfolded there", async () => {
    installPage({ userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0)" });
    const shown = await show(<InstallHint />);
    assert.equal(shown.all("ol.steps li").length, 3);
    assert.equal(shown.find<HTMLDetailsElement>("details").open, true);
    assert.equal((await show(<AppleSteps />)).all("li").length, 3);
  });

  it("is said in words elsewhere, and not at all once it is done", async () => {
    installPage();
    assert.match((await show(<InstallHint />)).text, /Open the browser's menu/);
    installPage({ standalone: true });
    assert.equal(isInstalled(), true);
    assert.equal((await show(<InstallHint />)).text, "");
  });
});

describe("the quick exit", () => {
  it("shows a clock and nothing of the app, not even in the title", async () => {
    installPage();
    document.title = "fieldapp";
    let isBack = false;
    const shown = await show(<Clock back={() => (isBack = true)} />);
    assert.equal(document.title, "Clock");
    assert.match(shown.find("b").textContent!, /\d\d:\d\d/);
    assert.doesNotMatch(shown.text, /fieldapp/);
    await shown.click("button");
    assert.equal(isBack, true);
    await show(null);
    assert.equal(document.title, "fieldapp");
  });
});

describe("a storage that cannot be read", () => {
  it("is tried again, and thrown away only when the worker is sure", async () => {
    installPage();
    const calls: string[] = [];
    const note = (name: string) => () => void calls.push(name);
    const shown = await show(<Broken again={note("again")} startOver={note("over")} />);
    await shown.click("Try again");
    setGlobal("confirm", () => false);
    await shown.click("Start over");
    assert.deepEqual(calls, ["again"]);
    setGlobal("confirm", () => true);
    await shown.click("Start over");
    assert.deepEqual(calls, ["again", "over"]);
  });

  it("says so when it has lost what was saved on it, until the worker has told the centre", async () => {
    let isTold = false;
    const shown = await show(<LostAll dismiss={() => (isTold = true)} />);
    assert.match(shown.text, /This phone has lost what was saved on it/);
    await shown.click("I have notified my centre");
    assert.equal(isTold, true);
  });
});
