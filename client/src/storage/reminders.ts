/** The days of reminders, as the service worker finds them with the app closed. */

import { runTransaction } from "./database";
import { formatLocalTime } from "./outbox";
import type { ReminderRow } from "./types";

/** Leave the days of one worker in place of all that was left before; none where there are none. */
export async function leaveReminders(row: ReminderRow): Promise<void> {
  await runTransaction(["reminders"], "readwrite", (tx) => {
    const store = tx.objectStore("reminders");
    store.clear();
    return row.days.length > 0 ? store.put(row) : null;
  });
}

/** What to say today, "" for nothing: a day of before that was missed too. Each is said once. */
export async function takeReminder(): Promise<string> {
  const today = formatLocalTime(new Date()).slice(0, 10);
  let words = "";
  await runTransaction(["reminders"], "readwrite", (tx) => {
    const store = tx.objectStore("reminders");
    const request = store.getAll() as IDBRequest<ReminderRow[]>;
    request.onsuccess = () => {
      for (const row of request.result) {
        const days = row.days.filter((day) => day > today);
        if (days.length === row.days.length) continue;
        words = row.words;
        store.put({ ...row, days });
        if (days.length === 0) store.delete(row.user);
      }
    };
    return null;
  });
  return words;
}
