/** The composition root of the phone app: the gate, the screens by address, the exchange with the centre. */

import { render } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { FormDefinition } from "../engine/definition";
import { setLanguage, t } from "../i18n";
import { SignIn, Unlock } from "../screens/gate";
import { Fill, Saved, Start } from "../screens/fill";
import { Mine, New, Today } from "../screens/home";
import { State, type AppState } from "../screens/state";
import type { OutboxRow, VaultRow } from "../storage/database";
import { areVerified, currentForms } from "../storage/forms";
import { ledgerOf, listDrafts, listOutbox } from "../storage/records";
import { vaults, type Vault } from "../storage/vault";
import { exchange as exchangeOnce, type Outcome } from "../sync/exchange";
import { isShellWhole, register } from "./updates";

const FIRST_PAUSE = 15_000;
const LONGEST_PAUSE = 300_000;
const IDLE = 5 * 60_000; // the vault locks itself

function App() {
  const [vault, setVault] = useState<Vault | null>(null);
  const [rows, setRows] = useState<VaultRow[] | null>(null);
  const [isSigningIn, setSigningIn] = useState(false);
  const [route, setRoute] = useState(location.hash);
  const [, redraw] = useState(0);
  const [update, setUpdate] = useState<(() => void) | null>(null);
  const [isBroken, setBroken] = useState(false);

  useEffect(() => {
    const turn = (): void => setRoute(location.hash);
    addEventListener("hashchange", turn);
    void register((apply) => setUpdate(() => apply));
    void navigator.storage?.persist?.();
    return () => removeEventListener("hashchange", turn);
  }, []);
  useEffect(() => {
    if (!vault) vaults().then(setRows, () => setBroken(true));
  }, [vault]);

  const relanguage = (code: string): void => {
    setLanguage(code);
    localStorage.setItem("fieldapp.language", code);
    redraw((n) => n + 1);
  };
  const opened = (one: Vault): void => {
    setSigningIn(false);
    setVault(one);
    if (location.hash === "#/sign-in" || !location.hash) location.hash = "/today";
  };
  const notice = update && (
    <div class="update" role="status">
      <span>{t("A new version is ready.")}</span>
      <button type="button" class="btn quiet" onClick={update}>
        {t("Use it now")}
      </button>
    </div>
  );

  if (isBroken) {
    return (
      <main class="screen" id="main">
        <p class="state danger" role="alert">
          {t("This phone's storage cannot be read just now. Close the app and open it again.")}
        </p>
      </main>
    );
  }
  if (vault && route !== "#/sign-in") {
    return (
      <>
        {!route.startsWith("#/fill/") && notice}
        <Opened
          key={vault.account.user}
          vault={vault}
          route={route}
          lock={() => setVault(null)}
          relanguage={relanguage}
        />
      </>
    );
  }
  if (!rows && !vault) return null;
  if (isSigningIn || vault || rows!.length === 0) {
    const back = vault
      ? () => {
          location.hash = "/today";
        }
      : rows!.length
        ? () => setSigningIn(false)
        : null;
    return <SignIn opened={opened} relanguage={relanguage} back={back} />;
  }
  return (
    <>
      {notice}
      <Unlock rows={rows!} opened={opened} relanguage={relanguage} another={() => setSigningIn(true)} />
    </>
  );
}

type OpenedProps = { vault: Vault; route: string; lock: () => void; relanguage: (code: string) => void };

function Opened({ vault, route, lock, relanguage }: OpenedProps) {
  const user = vault.account.user;
  const [forms, setForms] = useState<FormDefinition[]>([]);
  const [outbox, setOutbox] = useState<OutboxRow[]>([]);
  const [drafts, setDrafts] = useState<AppState["drafts"]>([]);
  const [outcome, setOutcome] = useState<Outcome | "unknown">("unknown");
  const [isReady, setReady] = useState(false);
  const [isLoaded, setLoaded] = useState(false);
  const pause = useRef(FIRST_PAUSE);
  const timer = useRef(0);

  const refresh = useCallback(async (): Promise<void> => {
    const [held, waiting, unfinished] = await Promise.all([currentForms(user), listOutbox(vault), listDrafts(vault)]);
    setForms(held);
    setOutbox(waiting);
    setDrafts(unfinished);
    setLoaded(true);
  }, [vault]);

  const exchange = useCallback(async (): Promise<void> => {
    clearTimeout(timer.current);
    let result: Outcome = "offline";
    try {
      result = await exchangeOnce(vault);
    } catch {
      // the phone's storage said no; what is there stays, and the next round tries again
    }
    if (result !== "busy") setOutcome(result);
    await refresh().catch(() => undefined);
    setReady((await isShellWhole()) && (await areVerified(user).catch(() => false)));
    pause.current = result === "online" ? FIRST_PAUSE : Math.min(pause.current * 2, LONGEST_PAUSE);
    const isSettled = result === "online" && (await listOutbox(vault)).every((row) => row.state !== "waiting");
    timer.current = setTimeout(() => void exchange(), isSettled ? LONGEST_PAUSE : pause.current) as unknown as number;
  }, [vault]);

  useEffect(() => {
    void refresh();
    void exchange();
    const wake = (): void => {
      if (document.visibilityState === "visible") {
        pause.current = FIRST_PAUSE;
        void exchange();
      }
    };
    let idle = 0;
    const stir = (): void => {
      clearTimeout(idle);
      idle = setTimeout(lock, IDLE) as unknown as number;
    };
    stir();
    const wakers = ["online", "focus", "pageshow"];
    for (const name of wakers) addEventListener(name, wake);
    document.addEventListener("visibilitychange", wake);
    for (const name of ["pointerdown", "keydown"]) addEventListener(name, stir);
    return () => {
      clearTimeout(timer.current);
      clearTimeout(idle);
      for (const name of wakers) removeEventListener(name, wake);
      document.removeEventListener("visibilitychange", wake);
      for (const name of ["pointerdown", "keydown"]) removeEventListener(name, stir);
    };
  }, [vault]);

  if (!isLoaded) return null;
  const state: AppState = {
    vault,
    forms,
    outbox,
    drafts,
    ledger: ledgerOf(user, outbox),
    outcome,
    isReady,
    refresh,
    exchange,
    lock,
    relanguage,
  };
  const [, place = "today", first = "", second = ""] = route.replace(/^#/, "").split("/");
  const screens: Record<string, () => preact.JSX.Element> = {
    new: () => <New />,
    mine: () => <Mine />,
    start: () => <Start key={first} id={first} />,
    fill: () => <Fill key={first} id={first} isFresh={second === "new"} />,
    saved: () => <Saved form={first} then={second} />,
  };
  return <State.Provider value={state}>{(screens[place] ?? (() => <Today />))()}</State.Provider>;
}

const chosen = localStorage.getItem("fieldapp.language") ?? navigator.language.slice(0, 2);
setLanguage(chosen);
render(<App />, document.getElementById("app")!);
