/** Reminders with the app closed, where the phone can do it without anybody else. */

/** What Chromium has for installed apps, and the types of the language do not name. */
interface PeriodicSync {
  register(tag: string, options: { minInterval: number }): Promise<void>;
  unregister(tag: string): Promise<void>;
}

const TAG = "due";
const HALF_A_DAY = 43_200_000; // the browser wakes the app no more often than that

/** able: it can be turned on; refused: its owner said no; unable: this browser cannot do it. */
export type Ability = "able" | "refused" | "unable";

async function findRegistration(): Promise<ServiceWorkerRegistration | undefined> {
  return globalThis.navigator?.serviceWorker?.getRegistration("/app/");
}

async function findPeriodicSync(): Promise<PeriodicSync | undefined> {
  const registration = await findRegistration();
  return (registration as { periodicSync?: PeriodicSync } | undefined)?.periodicSync;
}

export const mayNotify = (): boolean =>
  typeof Notification !== "undefined" && Notification.permission === "granted";

/** What this phone can do, as far as it says without asking its owner. */
export async function findAbility(): Promise<Ability> {
  const name = "periodic-background-sync" as PermissionName;
  const waking = await globalThis.navigator?.permissions?.query({ name }).catch(() => null);
  if (!(await findPeriodicSync()) || waking?.state !== "granted") return "unable";
  return Notification.permission === "denied" ? "refused" : "able";
}

/** Ask the phone's owner and the browser; say what came of it. */
export async function startReminding(): Promise<Ability> {
  if ((await Notification.requestPermission()) !== "granted") return "refused";
  try {
    await (await findPeriodicSync())!.register(TAG, { minInterval: HALF_A_DAY });
    return "able";
  } catch {
    return "unable";
  }
}

export async function stopReminding(): Promise<void> {
  await (await findPeriodicSync())?.unregister(TAG);
  await hideShown();
}

/** Take away what the phone still shows: the app is open. */
export async function hideShown(): Promise<void> {
  const shown = await (await findRegistration())?.getNotifications?.();
  shown?.forEach((notification) => notification.close());
}
