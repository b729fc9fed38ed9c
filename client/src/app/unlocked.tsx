/** The app with a vault open: the screens by address, the exchange with the centre, the lock that closes by itself. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Correct } from "../screens/to_correct/to_correct";
import { Card, People } from "../screens/people/people";
import { Fill, Saved, Start } from "../screens/fill/fill";
import { Mine } from "../screens/mine/mine";
import { type AppState, type Held, State } from "../screens/state";
import { New, Today } from "../screens/today/today";
import { Where } from "../screens/where/where";
import { readCaseload } from "../storage/caseload";
import { areVerified, currentForms } from "../storage/forms";
import { healthOf, markStorage, requestPersistence } from "../storage/health";
import { countRecords, getCounters, raiseHighWater } from "../storage/record_counts";
import { listDrafts } from "../storage/drafts";
import { listLines } from "../storage/outbox";
import type { Vault } from "../storage/vault";
import type { Order } from "../sync/deliver";
import { exchange as exchangeOnce, type ExchangeResult, type Outcome } from "../sync/exchange";
import { onTabs, tellTabs } from "./tab_messages";
import { isShellWhole, sendLater } from "./updates";

const FIRST_PAUSE = 15_000;
const LONGEST_PAUSE = 300_000;

/** After what the worker waits for. */
const whenIdle = (): Promise<void> =>
  new Promise((done) => {
    if (typeof requestIdleCallback === "undefined") setTimeout(done, 300);
    else requestIdleCallback(() => done(), { timeout: 2000 });
  });

/** A part of the address; as it stands when somebody mistyped it. */
const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

export interface OpenedProps {
  vault: Vault;
  route: string;
  lock: () => void;
  hide: () => void;
  relanguage: (code: string) => void;
  ordered: (orders: Order[]) => void;
}

export function Opened({ vault, route, lock, hide, relanguage, ordered }: OpenedProps) {
  const user = vault.account.user;
  const [held, setHeld] = useState<Held | null>(null);
  const [outcome, setOutcome] = useState<Outcome | "unknown">("unknown");
  const [isReady, setReady] = useState(false);
  const pause = useRef(FIRST_PAUSE);
  const timer = useRef(0);

  const refresh = useCallback(async (): Promise<void> => {
    const [counters, forms, lines, drafts, ledger, book, health] = await Promise.all([
      getCounters(user),
      currentForms(user),
      listLines(vault),
      listDrafts(vault),
      countRecords(user),
      readCaseload(vault),
      healthOf(),
    ]);
    raiseHighWater(counters);
    setHeld({ forms, lines, drafts, ledger, book, health });
  }, [vault]);

  const exchange = useCallback(
    async (isPatient = false): Promise<void> => {
      clearTimeout(timer.current);
      let result: ExchangeResult = { outcome: "offline", orders: [] };
      try {
        result = await exchangeOnce(vault, isPatient);
      } catch {
        // the phone's storage said no; what is there stays, and the next round tries again
      }
      if (result.orders.some((order) => order.user === user)) return ordered(result.orders);
      if (result.outcome !== "busy") setOutcome(result.outcome);
      await refresh().catch(() => undefined);
      void whenIdle().then(async () =>
        setReady(
          (await isShellWhole()) &&
            (await areVerified(user, vault.account.listed).catch(() => false)),
        ),
      );
      pause.current =
        result.outcome === "online" ? FIRST_PAUSE : Math.min(pause.current * 2, LONGEST_PAUSE);
      const isSettled = result.outcome === "online" && (await countRecords(user)).waiting === 0;
      timer.current = setTimeout(
        () => void exchange(),
        isSettled ? LONGEST_PAUSE : pause.current,
      ) as unknown as number;
    },
    [vault],
  );

  useEffect(() => {
    void refresh();
    void whenIdle().then(() => exchange());
    void requestPersistence().then(markStorage);
    const limit = (): number => vault.account.rules.lock_minutes * 60_000;
    let idle = 0;
    let stirred = Date.now();
    const stir = (): void => {
      stirred = Date.now();
      clearTimeout(idle);
      idle = setTimeout(lock, limit()) as unknown as number;
    };
    const wake = (): void => {
      if (document.visibilityState !== "visible") return;
      if (Math.abs(Date.now() - stirred) > limit()) return lock(); // timers sleep in the background
      pause.current = FIRST_PAUSE;
      void exchange();
    };
    const quiet = onTabs((message) => message === "changed" && void refresh());
    stir();
    const wakers = ["online", "focus", "pageshow"];
    for (const name of wakers) addEventListener(name, wake);
    document.addEventListener("visibilitychange", wake);
    for (const name of ["pointerdown", "keydown"]) addEventListener(name, stir);
    return () => {
      quiet();
      clearTimeout(timer.current);
      clearTimeout(idle);
      for (const name of wakers) removeEventListener(name, wake);
      document.removeEventListener("visibilitychange", wake);
      for (const name of ["pointerdown", "keydown"]) removeEventListener(name, stir);
    };
  }, [vault]);

  if (!held) return null;
  const changed = async (): Promise<void> => {
    await refresh();
    tellTabs("changed");
  };
  const send = async (): Promise<void> => {
    sendLater();
    await exchange(true);
  };
  const state: AppState = {
    vault,
    ...held,
    outcome,
    isReady,
    refresh: changed,
    exchange: send,
    lock,
    hide,
    relanguage,
  };
  const [, place = "today", first = "", second = "", third = ""] = route
    .replace(/^#/, "")
    .split("/")
    .map(decoded);
  const screens: Record<string, () => preact.JSX.Element> = {
    new: () => <New />,
    mine: () => <Mine />,
    people: () => <People />,
    where: () => <Where />,
    card: () => <Card key={first} code={first} />,
    start: () => <Start key={route} id={first} about={second} due={third} />,
    correct: () => <Correct key={first} id={first} />,
    fill: () => <Fill key={first} id={first} />,
    saved: () => <Saved form={first} then={second} />,
  };
  return <State.Provider value={state}>{(screens[place] ?? (() => <Today />))()}</State.Provider>;
}
