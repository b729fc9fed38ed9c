import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setGlobal } from "../../../test/browser";
import { installPage, until } from "../../../test/page";
import { openScreen, type Screen } from "../../../test/screen";
import { type Caseload, EMPTY_CASELOAD, readCaseload } from "../../storage/caseload";
import { getAllRows } from "../../storage/database";
import { getLocalDay } from "../day";
import { leaveDays } from "./leave_days";
import { Reminders } from "./reminders";

const DAY = 86_400_000;
const dayIn = (days: number): string => getLocalDay(new Date(Date.now() + days * DAY));
const due = [-1, 0, 3, 3, 1].map((days, at) => ({
  id: `r${at}/${dayIn(days)}`,
  on: dayIn(days),
  code: "ABCD2345",
  form: "encounter",
  from: dayIn(-7),
}));

interface Phone {
  permission?: NotificationPermission; // for notifications
  waking?: PermissionState; // for waking the app; none: a browser that cannot
  answer?: NotificationPermission; // of the phone's owner, when asked
  isRefused?: boolean; // by the browser, at the last moment
}

let woken: string[];
let closed: number;

/** A phone's notifications and its way to wake the app. */
function offer({ permission = "default", waking, answer = "granted", isRefused }: Phone): object {
  woken = [];
  closed = 0;
  const notification = {
    permission,
    requestPermission: () => Promise.resolve((notification.permission = answer)),
  };
  setGlobal("Notification", notification);
  const periodicSync = {
    register: (tag: string) =>
      isRefused ? Promise.reject(new Error("no")) : Promise.resolve(void woken.push(tag)),
    unregister: (tag: string) => Promise.resolve(void woken.push(`not ${tag}`)),
  };
  const registration = {
    ...(waking ? { periodicSync } : {}),
    getNotifications: () => Promise.resolve([{ close: () => void closed++ }]),
  };
  return {
    serviceWorker: { getRegistration: () => Promise.resolve(registration) },
    permissions: { query: () => Promise.resolve({ state: waking ?? "denied" }) },
  };
}

/** The section as it stands on such a phone. */
async function open(phone: Phone, book: Partial<Caseload> = {}): Promise<Screen> {
  const offers = offer(phone);
  const screen = await openScreen(<Reminders />, {
    book,
    arrange: () => Promise.resolve(installPage(offers)),
  });
  await until(() => screen.shown.has("section"));
  return screen;
}

const ON: Phone = { permission: "granted", waking: "granted" };

describe("reminders of what is due", () => {
  it("are off until the worker asks for them, and wake the app then", async () => {
    const { shown, app, calls } = await open({ waking: "granted" });
    assert.match(shown.text, /the days on which something is due, and nothing about anybody/);
    await shown.click("Remind me of work that is due");
    await until(() => calls.includes("refresh"));
    assert.equal((await readCaseload(app.vault)).reminds, true);
    assert.deepEqual(woken, ["due"]);
  });

  it("stop when the worker says so", async () => {
    const { shown, app, calls } = await open(ON, { reminds: true });
    assert.match(shown.text, /^RemindersOn\./);
    await shown.click("Stop reminding me");
    await until(() => woken.length > 0);
    assert.equal((await readCaseload(app.vault)).reminds, false);
    assert.deepEqual(woken, ["not due"]);
    assert.deepEqual(calls, ["refresh"]);
  });

  it("stay off where the phone's owner says no, with what to do about it", async () => {
    const { shown, app } = await open({ waking: "granted", answer: "denied" });
    await shown.click("Remind me of work that is due");
    await until(() => /does not let the app show reminders/.test(shown.text));
    assert.equal((await readCaseload(app.vault)).reminds, false);
    assert.deepEqual(woken, []);
  });

  it("stay off where the browser will not wake the app after all", async () => {
    const { shown, app } = await open({ waking: "granted", isRefused: true });
    await shown.click("Remind me of work that is due");
    await until(() => /cannot remind you/.test(shown.text));
    assert.equal((await readCaseload(app.vault)).reminds, false);
  });

  it("can be stopped after the phone's owner took the permission back", async () => {
    const { shown } = await open({ ...ON, permission: "denied" }, { reminds: true });
    assert.match(shown.text, /allow notifications/);
    assert.doesNotMatch(shown.text, /On\./);
    shown.button("Stop reminding me");
  });

  it("are not offered where the phone cannot; the calendar is, everywhere", async () => {
    const { shown } = await open({});
    assert.match(
      shown.text,
      /cannot remind you while it is closed.*once it is on your home screen/,
    );
    assert.equal(shown.has("section > button"), false);
    assert.match(shown.text, /Use my calendar/);
    assert.match((await open(ON)).shown.text, /Use my calendar/);
  });
});

describe("what is left for the service worker", () => {
  const reminded = (more: Partial<Caseload> = {}): Caseload => ({
    ...EMPTY_CASELOAD,
    due,
    reminds: true,
    ...more,
  });

  it("is the days to come, each once, and the same words for all: nothing else", async () => {
    const { app } = await open(ON);
    await leaveDays(app.vault, reminded());
    const days = [dayIn(1), dayIn(3)];
    const words = "You have something due today.";
    assert.deepEqual(await getAllRows("reminders"), [{ user: 7, days, words }]);
  });

  it("follows what is due", async () => {
    const { app } = await open(ON);
    await leaveDays(app.vault, reminded());
    await leaveDays(app.vault, reminded({ due: due.slice(4) }));
    assert.deepEqual((await getAllRows("reminders"))[0]!.days, [dayIn(1)]);
  });

  it("is nothing for who did not ask, or took it back, or may not any more", async () => {
    for (const [phone, book] of [
      [ON, reminded({ reminds: false })],
      [{ ...ON, permission: "denied" }, reminded()],
      [ON, reminded({ due: due.slice(0, 2) })],
    ] as [Phone, Caseload][]) {
      const { app } = await open(ON);
      await leaveDays(app.vault, reminded());
      assert.equal((await getAllRows("reminders")).length, 1);
      installPage(offer(phone));
      await leaveDays(app.vault, book);
      assert.deepEqual(await getAllRows("reminders"), []);
    }
  });

  it("goes when another worker opens the app, and is there again when the first comes back", async () => {
    const { app } = await open(ON);
    await leaveDays(app.vault, reminded());
    const other = { ...app.vault, account: { ...app.vault.account, user: 8 } };
    await leaveDays(other, EMPTY_CASELOAD);
    assert.deepEqual(await getAllRows("reminders"), []);
    await leaveDays({ ...app.vault }, reminded());
    assert.equal((await getAllRows("reminders"))[0]!.user, 7);
  });

  it("takes what is shown off the phone: the app is open", async () => {
    const { app } = await open(ON);
    await leaveDays(app.vault, reminded());
    assert.equal(closed, 1);
  });
});
