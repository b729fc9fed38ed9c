/** How to put the app on the home screen: an iPhone clears what a tab stored after a week. */

import { t } from "../i18n";

interface Offer extends Event {
  prompt(): Promise<unknown>;
}

/** What the browser lets us offer, once it does. */
export let offer: Offer | null = null;
export const listeners = new Set<() => void>();
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
