import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser } from "../../test/browser";
import { deleteDatabase, deleteUserData, getAllRows } from "./database";
import { leaveReminders, takeReminder } from "./reminders";

const WORDS = "Something is due.";
const DAY = 86_400_000;

/** The local day so many days from today, at whatever hour this runs. */
const dayIn = (days: number): string =>
  new Date(Date.now() + days * DAY).toLocaleDateString("sv-SE");

beforeEach(async () => {
  installBrowser();
  await deleteDatabase();
});

const leave = (user: number, days: string[]): Promise<void> =>
  leaveReminders({ user, days, words: WORDS });

describe("a day on which something is due", () => {
  it("is nothing to say before it comes", async () => {
    await leave(7, [dayIn(1), dayIn(7)]);
    assert.equal(await takeReminder(), "");
    assert.deepEqual((await getAllRows("reminders"))[0]!.days, [dayIn(1), dayIn(7)]);
  });

  it("is said once, and forgotten then", async () => {
    await leave(7, [dayIn(0), dayIn(7)]);
    assert.equal(await takeReminder(), WORDS);
    assert.equal(await takeReminder(), "");
    assert.deepEqual((await getAllRows("reminders"))[0]!.days, [dayIn(7)]);
  });

  it("is said later where the phone slept through it, with others as one", async () => {
    await leave(7, [dayIn(-3), dayIn(-1)]);
    assert.equal(await takeReminder(), WORDS);
    assert.deepEqual(await getAllRows("reminders"), []);
  });
});

describe("what is left for the service worker", () => {
  it("is of one worker: who opens the app takes the place of who did before", async () => {
    await leave(7, [dayIn(1)]);
    await leave(8, [dayIn(2)]);
    assert.deepEqual(await getAllRows("reminders"), [{ user: 8, days: [dayIn(2)], words: WORDS }]);
    await leave(7, []);
    assert.deepEqual(await getAllRows("reminders"), []);
  });

  it("goes when the phone is wiped", async () => {
    await leave(7, [dayIn(1)]);
    await deleteUserData(7);
    assert.deepEqual(await getAllRows("reminders"), []);
  });
});
