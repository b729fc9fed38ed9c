/** What the phone shows after a quick exit: a clock alone. A tap on it leads back to the lock. */

import { useLayoutEffect, useState } from "preact/hooks";
import { currentLanguage, t } from "../i18n";

export function Clock({ back }: { back: () => void }) {
  const [now, setNow] = useState(new Date());
  const time = new Intl.DateTimeFormat(currentLanguage(), {
    hour: "2-digit",
    minute: "2-digit",
  }).format(now);
  const day = new Intl.DateTimeFormat(currentLanguage(), {
    weekday: "long",
    day: "numeric",
    month: "long",
  }).format(now);
  useLayoutEffect(() => {
    const before = document.title;
    document.title = t("Clock");
    const timer = setInterval(() => setNow(new Date()), 1000);
    return () => {
      document.title = before;
      clearInterval(timer);
    };
  }, []);
  return (
    <main class="clock" id="main">
      <h1 class="hidden">{t("Clock")}</h1>
      <button type="button" onClick={back}>
        <b>{time}</b>
        <span>{day}</span>
      </button>
    </main>
  );
}
