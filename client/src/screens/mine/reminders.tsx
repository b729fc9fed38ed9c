/** Reminders of work that is due: by the phone itself, or by its calendar. */

import { useEffect, useState } from "preact/hooks";
import { t } from "../../i18n";
import { changeCaseload } from "../../storage/caseload";
import { isInstalled } from "../install";
import { useOneAtATime } from "../one_at_a_time";
import { useApp } from "../state";
import { makeCalendar } from "./calendar_file";
import { offerFile } from "./offer_file";
import { type Ability, findAbility, startReminding, stopReminding } from "./reminding";

export function Reminders() {
  const { vault, book, refresh } = useApp();
  const [ability, setAbility] = useState<Ability | null>(null);
  useEffect(() => void findAbility().then(setAbility), []);
  const remember = async (reminds: boolean): Promise<void> => {
    await changeCaseload(vault, (caseload) => ({ ...caseload, reminds }));
    await refresh(); // which leaves the days, or takes them away
  };
  const [turnOn, isStarting] = useOneAtATime(async () => {
    const outcome = await startReminding();
    if (outcome === "able") await remember(true);
    setAbility(outcome);
  });
  const [turnOff, isStopping] = useOneAtATime(async () => {
    await remember(false);
    await stopReminding();
  });
  if (ability === null) return null;
  return (
    <section class="card" aria-labelledby="reminders">
      <h2 id="reminders">{t("Reminders")}</h2>
      <State ability={ability} />
      {book.reminds ? (
        <button type="button" class="btn wide" disabled={isStopping} onClick={() => turnOff()}>
          {t("Stop reminding me")}
        </button>
      ) : (
        ability === "able" && (
          <button type="button" class="btn wide" disabled={isStarting} onClick={() => turnOn()}>
            {t("Remind me of work that is due")}
          </button>
        )
      )}
      <ByCalendar />
    </section>
  );
}

/** Whether the phone reminds, and what that shows; or why it cannot, and what helps. */
function State({ ability }: { ability: Ability }) {
  const { reminds } = useApp().book;
  if (ability === "refused") {
    return (
      <p class="state wait" role="status">
        {t(
          "Your phone does not let the app show reminders. Open the phone's settings, find this app, and allow notifications.",
        )}
      </p>
    );
  }
  if (ability === "unable") {
    return (
      <p role="status">
        {isInstalled()
          ? t("This phone cannot remind you while the app is closed. Your calendar can.")
          : t(
              "Here the app cannot remind you while it is closed. It may, once it is on your home screen. Your calendar can in any case.",
            )}
      </p>
    );
  }
  return (
    <>
      {reminds && (
        <p class="state safe" role="status">
          {t("On. Your phone chooses the hour, and may miss a day.")}
        </p>
      )}
      <p class="soft">
        {t(
          "Your phone then says “You have something due today” and nothing else, without a sound, when you did not open the app that day.",
        )}
      </p>
      <p class="soft">
        {t(
          "For this the phone stores, outside your PIN, the days on which something is due, and nothing about anybody.",
        )}
      </p>
    </>
  );
}

function ByCalendar() {
  const [isSaved, setSaved] = useState(false);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const time = String(new FormData(event.target as HTMLFormElement).get("remind-at"));
    const text = makeCalendar(time, crypto.randomUUID());
    const file = new File([text], "fieldapp.ics", { type: "text/calendar" });
    setSaved((await offerFile(file)) === "saved");
  };
  return (
    <details>
      <summary>{t("Use my calendar")}</summary>
      <form class="stack" onSubmit={(event) => void save(event)}>
        <p class="soft" id="remind-at-hint">
          {t(
            "Your calendar then says “fieldapp” every day, also when nothing is due. So nobody sees there when you have work.",
          )}
        </p>
        <label for="remind-at">{t("At what time?")}</label>
        <input
          id="remind-at"
          name="remind-at"
          type="time"
          required
          value="16:00"
          aria-describedby="remind-at-hint"
        />
        <button class="btn wide">{t("Save the calendar file")}</button>
        {isSaved && (
          <p role="status">
            {t("Saved. Open the file to add it. To stop, remove it from your calendar.")}
          </p>
        )}
      </form>
    </details>
  );
}
