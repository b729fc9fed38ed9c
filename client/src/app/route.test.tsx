import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { dispatch, installPage, settle, show } from "../../test/page";
import { decodePart, findInvitation, isFillingIn, parseRoute, useRoute } from "./route";

describe("an address", () => {
  it("names a screen and what it shows", () => {
    assert.deepEqual(parseRoute("#/card/ABC"), ["card", "ABC"]);
    assert.deepEqual(parseRoute("#/start/encounter/K7%7Cvisit/r%2F1"), [
      "start",
      "encounter",
      "K7|visit",
      "r/1",
    ]);
    assert.deepEqual(parseRoute("#/today"), ["today"]);
    assert.deepEqual(parseRoute(""), []);
  });

  it("is taken as it stands when somebody mistyped it", () => {
    assert.equal(decodePart("100%"), "100%");
    assert.deepEqual(parseRoute("#/card/%E0%A4%A"), ["card", "%E0%A4%A"]);
  });

  it("may be an invitation", () => {
    assert.equal(findInvitation("#/join/abc/def"), "abc/def");
    assert.equal(findInvitation("#/join/"), "");
    assert.equal(findInvitation("#/today"), "");
  });

  it("says whether a form is being filled in", () => {
    assert.equal(isFillingIn("#/fill/d1"), true);
    assert.equal(isFillingIn("#/start/encounter"), true);
    assert.equal(isFillingIn("#/saved/encounter/done"), false);
    assert.equal(isFillingIn("#/today"), false);
  });
});

describe("following the address", () => {
  let invitations: string[];
  let set: (route: string) => void;

  function Route() {
    const [route, setRoute] = useRoute((invitation) => invitations.push(invitation));
    set = setRoute;
    return <p>{route}</p>;
  }

  beforeEach(() => {
    installPage();
    invitations = [];
    location.hash = "#/today";
  });

  it("notices where the browser goes", async () => {
    const shown = await show(<Route />);
    assert.equal(shown.text, "#/today");
    location.hash = "#/mine";
    dispatch(document.defaultView!, "hashchange");
    await settle();
    assert.equal(shown.text, "#/mine");
  });

  it("hands an invitation over once, and leaves none in the phone's history", async () => {
    location.hash = "#/join/secret";
    const shown = await show(<Route />);
    assert.deepEqual(invitations, ["secret"]);
    assert.equal(location.hash, "#/sign-in");
    assert.equal(shown.text, "#/sign-in");
  });

  it("can be told of an address that was set without going there", async () => {
    const shown = await show(<Route />);
    set("#/clock");
    await new Promise((done) => setTimeout(done, 10));
    assert.equal(shown.text, "#/clock");
  });
});
