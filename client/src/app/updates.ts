/** What the app asks the service worker: is the shell whole, may a waiting version take over? */

/** Register the worker. `offer` is called when a version waits, with a function that applies it. */
export async function register(offer: (apply: () => void) => void): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker
    .register("/app/sw.js", { scope: "/app/", updateViaCache: "none" })
    .catch(() => null);
  if (!registration) return;
  const wasControlled = Boolean(navigator.serviceWorker.controller);
  const propose = (worker: ServiceWorker): void => {
    offer(() => {
      navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), {
        once: true,
      });
      worker.postMessage("update");
    });
  };
  if (registration.waiting && wasControlled) propose(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const fresh = registration.installing;
    fresh?.addEventListener("statechange", () => {
      if (fresh.state === "installed" && navigator.serviceWorker.controller) propose(fresh);
    });
  });
  const look = (): void => {
    if (document.visibilityState === "visible") registration.update().catch(() => undefined);
  };
  document.addEventListener("visibilitychange", look);
  setInterval(look, 3_600_000);
}

/** Whether every file of the app is kept on the phone, as the worker itself counts them. */
export async function isShellWhole(): Promise<boolean> {
  const registration = await navigator.serviceWorker?.getRegistration("/app/");
  const worker = registration?.active;
  if (!worker) return false;
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (event) => resolve(event.data === true);
    worker.postMessage("whole?", [port2]);
    setTimeout(() => resolve(false), 2000);
  });
}

/** Let the browser send what waits when there is signal, even with the app closed, where it can. */
export function sendLater(): void {
  void navigator.serviceWorker
    ?.getRegistration("/app/")
    .then((registration) =>
      (
        registration as unknown as { sync?: { register(tag: string): Promise<void> } }
      )?.sync?.register("deliver"),
    )
    .catch(() => undefined);
}
