/** How to put the app on the home screen: an iPhone clears what a tab stored after a week. */

import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";

interface Offer extends Event {
  prompt(): Promise<unknown>;
}

let offer: Offer | null = null;
const listeners = new Set<() => void>();
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  offer = event as Offer;
  listeners.forEach((listen) => listen());
});

export const isInstalled = (): boolean =>
  matchMedia("(display-mode: standalone)").matches ||
  (navigator as { standalone?: boolean }).standalone === true;

export const isApple = (): boolean =>
  /iPhone|iPad|iPod/.test(navigator.userAgent) ||
  (navigator.userAgent.includes("Mac") && navigator.maxTouchPoints > 1);

export function AppleSteps() {
  return (
    <ol class="steps">
      <li>
        {t("Tap the share button")} <ShareSign />
      </li>
      <li>{t("Choose “Add to Home Screen”")}</li>
      <li>{t("Open the app from its icon, and sign in there")}</li>
    </ol>
  );
}

function ShareSign() {
  return (
    <svg
      viewBox="0 0 24 24"
      width="22"
      height="22"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
    >
      <path d="M12 15V3m0 0L8 7m4-4 4 4M6 11H4v10h16V11h-2" />
    </svg>
  );
}

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
