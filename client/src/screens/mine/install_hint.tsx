/** The offer to put the app on the home screen, where that is not done. */

import { useEffect, useState } from "preact/hooks";
import { t } from "../../i18n";
import { AppleSteps, isApple, isInstalled, listeners, offer } from "../install";

export function InstallHint() {
  const [, redraw] = useState(0);
  useEffect(() => {
    const listen = (): void => redraw((n) => n + 1);
    listeners.add(listen);
    return () => void listeners.delete(listen);
  }, []);
  if (isInstalled()) return null;
  return (
    <details class="card" open={isApple()}>
      <summary>{t("Put the app on your home screen")}</summary>
      <HowToInstall />
    </details>
  );
}

function HowToInstall() {
  if (isApple()) {
    return (
      <>
        <p>{t("Without that, an iPhone may clear your work after a week.")}</p>
        <AppleSteps />
      </>
    );
  }
  if (offer) {
    return (
      <button type="button" class="btn wide" onClick={() => void offer?.prompt()}>
        {t("Install the app")}
      </button>
    );
  }
  return (
    <p>
      {t(
        "Open the browser's menu and choose “Install app” or “Add to home screen”. Then it opens without signal.",
      )}
    </p>
  );
}
