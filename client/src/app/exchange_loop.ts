/** The exchange with the centre while the app is open: often while something waits, else seldom. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { areVerified } from "../storage/forms";
import { countRecords } from "../storage/record_counts";
import type { Vault } from "../storage/vault";
import type { Order } from "../sync/deliver";
import { exchange, type ExchangeResult, type Outcome } from "../sync/exchange";
import { isShellWhole } from "./updates";

const FIRST_PAUSE = 15_000;
const SETTLED_PAUSE = 60_000; // the crisis team may have something for this worker
const LONGEST_PAUSE = 300_000;

/** After what the worker waits for. */
export const whenIdle = (): Promise<void> =>
  new Promise((done) => {
    if (typeof requestIdleCallback === "undefined") setTimeout(done, 300);
    else requestIdleCallback(() => done(), { timeout: 2000 });
  });

/** How long to wait for the next exchange after one that ended like this, in milliseconds. */
export function choosePause(before: number, outcome: Outcome): number {
  return outcome === "online" ? FIRST_PAUSE : Math.min(before * 2, LONGEST_PAUSE);
}

interface ExchangeLoop {
  outcome: Outcome | "unknown";
  isReady: boolean; // shell, forms and areas checked: the app works without signal
  exchangeNow: (isPatient?: boolean) => Promise<void>;
  /** Try again now, and often: the phone was just picked up. */
  hurry: () => void;
}

export function useExchangeLoop(
  vault: Vault,
  refresh: () => Promise<void>,
  ordered: (orders: Order[]) => void,
): ExchangeLoop {
  const { user } = vault.account;
  const [outcome, setOutcome] = useState<Outcome | "unknown">("unknown");
  const [isReady, setReady] = useState(false);
  const pause = useRef(FIRST_PAUSE);
  const current = useRef<Vault | null>(null); // null once the app is locked
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const checkReady = async (): Promise<void> => {
    await whenIdle();
    const isWhole = await isShellWhole();
    setReady(isWhole && (await areVerified(user, vault.account.listed).catch(() => false)));
  };
  const exchangeNow = useCallback(
    async (isPatient = false): Promise<void> => {
      clearTimeout(timer.current);
      let result: ExchangeResult = { outcome: "offline", orders: [] };
      try {
        result = await exchange(vault, isPatient);
      } catch {
        // the phone's storage said no; what is there stays, and the next round tries again
      }
      if (result.orders.some((order) => order.user === user)) return ordered(result.orders);
      if (result.outcome !== "busy") setOutcome(result.outcome);
      await refresh().catch(() => undefined);
      void checkReady();
      pause.current = choosePause(pause.current, result.outcome);
      const isSettled = result.outcome === "online" && (await countRecords(user)).waiting === 0;
      // Locked meanwhile: nothing may go on with this vault.
      if (current.current !== vault) return;
      timer.current = setTimeout(
        () => void exchangeNow(),
        isSettled ? SETTLED_PAUSE : pause.current,
      );
    },
    [vault],
  );
  const hurry = useCallback((): void => {
    pause.current = FIRST_PAUSE;
    void exchangeNow();
  }, [vault]);
  useEffect(() => {
    current.current = vault;
    void whenIdle().then(() => {
      if (current.current === vault) void exchangeNow();
    });
    return () => {
      current.current = null;
      clearTimeout(timer.current);
    };
  }, [vault]);
  return { outcome, isReady, exchangeNow, hurry };
}
