import assert from "node:assert/strict";
import { describe, it } from "node:test";
import "../../../test/page";
import { DEFAULT_RULES } from "../../storage/vault";
import { Offline, Refused } from "../../sync/requests";
import type { SignedIn } from "../../sync/server";
import { describeEnrolmentProblem, makeAccount, nameDevice, TooOldBrowser } from "./enrolment";

describe("what the phone is called", () => {
  it("says which kind it is and nothing more", () => {
    assert.equal(nameDevice("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)"), "iPhone");
    assert.equal(nameDevice("Mozilla/5.0 (iPad; CPU OS 19_0)"), "iPhone");
    assert.equal(nameDevice("Mozilla/5.0 (Linux; Android 15; Pixel 9)"), "Android");
    assert.equal(nameDevice("Mozilla/5.0 (X11; Linux x86_64)"), "Browser");
  });
});

describe("the account of a phone", () => {
  const answer = {
    token: "t",
    device: "d",
    user: 7,
    username: "amina",
    worker: "Amina",
    recovery: "r",
    manifest: { centre: "Rexdale", forms: [] },
  } as unknown as SignedIn;

  it("has what the centre answered, and the phone's own key", () => {
    const account = makeAccount(answer, "private key");
    assert.equal(account.user, 7);
    assert.equal(account.centre, "Rexdale");
    assert.equal(account.signer, "private key");
    assert.deepEqual(account.remembered, {});
  });

  it("has the usual rules where an older centre sends none", () => {
    const account = makeAccount(answer, "");
    assert.deepEqual(account.rules, DEFAULT_RULES);
    assert.deepEqual([account.key, account.receipts, account.team], [null, null, []]);
  });

  it("takes nothing from the centre that it does not know", () => {
    const more = { ...answer, manifest: { ...answer.manifest, surprise: 1 } } as SignedIn;
    assert.equal("surprise" in makeAccount(more, ""), false);
    assert.equal("recovery" in makeAccount(more, ""), false);
  });
});

describe("why signing in did not work", () => {
  it("is what the centre said, where it said something", () => {
    const refused = new Refused("access.sign_in", "This account is closed.");
    assert.equal(describeEnrolmentProblem(refused), "This account is closed.");
  });

  it("is that there is no connection, the browser is too old, or the phone is full", () => {
    assert.match(describeEnrolmentProblem(new Offline()), /no connection to the centre/);
    assert.match(describeEnrolmentProblem(new TooOldBrowser()), /too old/);
    assert.match(describeEnrolmentProblem(new DOMException("full")), /could not save/);
  });
});
