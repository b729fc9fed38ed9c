/** What the gate shows before anybody is in, and the exchange with the centre meanwhile. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { listAccounts, readCachedAccounts, type StoredAccount } from "../storage/accounts";
import { wasCleared } from "../storage/health";
import type { Order } from "../sync/deliver";
import type { ExchangeResult } from "../sync/exchange";
import { listOutbox } from "../sync/sealed_items";

const PAUSE = 60_000;
const BUSY_PAUSE = 2_000; // another tab, or the service worker, is at it

export interface GateContent {
  rows: StoredAccount[]; // the workers who are signed in on this phone
  waiting: number; // records that wait to be sent
  hasLost: boolean; // the phone's storage was cleared
}

const readGate = async (): Promise<GateContent> => {
  const [rows, waiting, hasLost] = await Promise.all([listAccounts(), listOutbox(), wasCleared()]);
  return { rows, waiting: waiting.length, hasLost };
};
// The phone opens its store while the app is being drawn.
let firstRead: Promise<GateContent> | null = readGate();
firstRead.catch(() => undefined);

interface GateState {
  gate: GateContent | null; // null: not read yet
  isBroken: boolean; // the phone's storage cannot be read
  refreshGate: () => Promise<void>;
}

export function useGate(): GateState {
  const [gate, setGate] = useState<GateContent | null>(() => {
    const rows = readCachedAccounts();
    return rows.length > 0 ? { rows, waiting: 0, hasLost: false } : null;
  });
  const [isBroken, setBroken] = useState(false);
  const refreshGate = useCallback(async (): Promise<void> => {
    try {
      setGate(await (firstRead ?? readGate()));
      setBroken(false);
    } catch {
      setBroken(true);
    }
    firstRead = null;
  }, []);
  return { gate, isBroken, refreshGate };
}

/** Exchange with nobody in. Its code is fetched after the gate is drawn, which does not need it. */
async function exchangeWithoutVault(): Promise<ExchangeResult> {
  const { exchange } = await import("../sync/exchange");
  return exchange(null);
}

/** While nobody is in, what is finished still goes out, and the centre's orders still come in. */
export function useBackgroundExchange(
  isLocked: boolean,
  refreshGate: () => Promise<void>,
  ordered: (orders: Order[]) => void,
): void {
  useEffect(() => {
    if (!isLocked) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false; // somebody is in: their own exchange goes on
    const exchangeOnce = async (): Promise<void> => {
      clearTimeout(timer);
      await refreshGate();
      const failed: ExchangeResult = { outcome: "offline", orders: [] };
      const { outcome, orders } = await exchangeWithoutVault().catch(() => failed);
      if (orders.length > 0) ordered(orders);
      await refreshGate();
      if (isOver) return;
      const pause = outcome === "busy" ? BUSY_PAUSE : PAUSE;
      timer = setTimeout(() => void exchangeOnce(), pause);
    };
    const wake = (): void => void exchangeOnce();
    wake();
    addEventListener("online", wake);
    return () => {
      isOver = true;
      clearTimeout(timer);
      removeEventListener("online", wake);
    };
  }, [isLocked]);
}
