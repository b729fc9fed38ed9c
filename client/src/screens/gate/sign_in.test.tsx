import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser } from "../../../test/browser";
import { installPage, show, type Shown } from "../../../test/page";
import { SignIn } from "./sign_in";

const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)";

async function open({
  invitation = "",
  isKnown = false,
  back = null as (() => void) | null,
} = {}): Promise<Shown> {
  return show(
    <SignIn
      about={<p>about the app</p>}
      orders={[]}
      opened={() => undefined}
      changeLanguage={() => undefined}
      back={back}
      invitation={invitation}
      isKnown={isKnown}
    />,
  );
}

beforeEach(() => {
  installBrowser();
  installPage();
});

describe("signing in", () => {
  it("asks for a name, a password and a PIN", async () => {
    const shown = await open();
    assert.deepEqual(
      shown.all("input").map((input) => input.id),
      ["username", "password", "pin"],
    );
    assert.match(shown.text, /about the app/);
  });

  it("asks who was invited for a PIN alone", async () => {
    const shown = await open({ invitation: "abc" });
    assert.deepEqual(
      shown.all("input").map((input) => input.id),
      ["pin"],
    );
    assert.equal(shown.texts("h1")[0], "You are invited");
  });

  it("refuses a PIN that is easy to guess before anything is sent", async () => {
    const shown = await open();
    let asked = 0;
    globalThis.fetch = () => Promise.reject(new Error(String(asked++)));
    await shown.enter("#pin", "123456");
    await shown.submit();
    assert.match(shown.find(".danger").textContent!, /too easy to guess/);
    assert.equal(asked, 0);
  });

  it("says what becomes of the work that is here and of the PIN", async () => {
    assert.match((await open({ isKnown: true })).text, /Your work on this phone stays/);
    assert.doesNotMatch((await open()).text, /stays/);
    assert.doesNotMatch((await open({ isKnown: true, invitation: "abc" })).text, /stays/);
  });

  it("goes back where there is something to go back to", async () => {
    let isBack = false;
    const shown = await open({ back: () => (isBack = true) });
    await shown.click("Back");
    assert.equal(isBack, true);
    assert.doesNotMatch((await open()).text, /Back/);
  });
});

describe("signing in on an iPhone", () => {
  it("asks to put the app on the home screen first", async () => {
    installPage({ userAgent: IPHONE });
    const shown = await open();
    assert.equal(shown.has("form"), false);
    assert.match(shown.text, /First put the app on your home screen/);
    await shown.click("Continue in the browser anyway");
    assert.equal(shown.has("form"), true);
  });

  it("does not ask where it is there already", async () => {
    installPage({ userAgent: IPHONE, standalone: true });
    assert.equal((await open()).has("form"), true);
  });
});
