/** The lock that closes by itself when nobody touches the phone. */

import { useEffect } from "preact/hooks";
import type { Vault } from "../storage/vault";

const TOUCHES = ["pointerdown", "keydown"];
const WAKES = ["online", "focus", "pageshow"];

/** Lock after the minutes that the centre allows; `woken` hears of a phone picked up earlier. */
export function useIdleLock(vault: Vault, lock: () => void, woken: () => void): void {
  useEffect(() => {
    const limit = (): number => vault.account.rules.lock_minutes * 60_000;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let touchedAt = Date.now();
    const noteTouch = (): void => {
      touchedAt = Date.now();
      clearTimeout(timer);
      timer = setTimeout(lock, limit());
    };
    const wake = (): void => {
      if (document.visibilityState !== "visible") return;
      // Timers sleep in the background.
      if (Math.abs(Date.now() - touchedAt) > limit()) lock();
      else woken();
    };
    noteTouch();
    for (const name of WAKES) addEventListener(name, wake);
    document.addEventListener("visibilitychange", wake);
    for (const name of TOUCHES) addEventListener(name, noteTouch);
    return () => {
      clearTimeout(timer);
      for (const name of WAKES) removeEventListener(name, wake);
      document.removeEventListener("visibilitychange", wake);
      for (const name of TOUCHES) removeEventListener(name, noteTouch);
    };
  }, [vault]);
}
