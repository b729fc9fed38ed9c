/** The composition root: the gate, what goes on while the app is locked, and the way in. */

import { render, type ComponentType } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { setLanguage, t } from "./i18n";
import { Broken, LostAll } from "./screens/storage_broken";
import { Clock } from "./screens/quick_exit";
import { SignIn, Unlock } from "./screens/gate/gate";
import { wearLook } from "./screens/look";
import { deleteDatabase } from "./storage/database";
import { markStorage, wasCleared } from "./storage/health";
import { listAccounts, readCachedAccounts, type StoredAccount } from "./storage/accounts";
import type { Vault } from "./storage/vault";
import { listOutbox, type Order } from "./sync/deliver";
import { exchange } from "./sync/exchange";
import type { OpenedProps } from "./app/unlocked";
import { onTabs, tellTabs } from "./app/tab_messages";
import { register } from "./app/updates";

const PAUSE = 60_000;
const BUSY_PAUSE = 2_000; // another tab, or the service worker, is at it

type Gate = { rows: StoredAccount[]; waiting: number; hasLost: boolean };

const readGate = async (): Promise<Gate> => {
  const [rows, waiting, hasLost] = await Promise.all([listAccounts(), listOutbox(), wasCleared()]);
  return { rows, waiting: waiting.length, hasLost };
};
let first: Promise<Gate> | null = readGate(); // the phone opens its store while the app is being drawn
first.catch(() => undefined);

/** The rest of the app comes while the worker types their PIN. */
const load = (): Promise<ComponentType<OpenedProps>> =>
  import("./app/unlocked").then((module) => module.Opened);

function App() {
  const [vault, setVault] = useState<Vault | null>(null);
  const [gate, setGate] = useState<Gate | null>(() => {
    const rows = readCachedAccounts();
    return rows.length > 0 ? { rows, waiting: 0, hasLost: false } : null;
  });
  const [Opened, setOpened] = useState<ComponentType<OpenedProps> | null>(null);
  const [isSigningIn, setSigningIn] = useState(false);
  const [route, setRoute] = useState(location.hash);
  const [, redraw] = useState(0);
  const [update, setUpdate] = useState<(() => void) | null>(null);
  const [isBroken, setBroken] = useState(false);
  const [orders, setOrders] = useState<Order[]>([]);
  const [invitation, setInvitation] = useState("");
  const lastUser = useRef(0);

  const look = useCallback(async (): Promise<void> => {
    try {
      const found = await (first ?? readGate());
      setGate(found);
      setBroken(false);
    } catch {
      setBroken(true);
    }
    first = null;
  }, []);
  const lock = useCallback((): void => setVault(null), []);
  const hide = useCallback((): void => {
    setVault(null);
    tellTabs("lock");
    history.replaceState(null, "", "#/clock");
    setRoute("#/clock");
  }, []);

  useEffect(() => {
    const turn = (): void => {
      const [, invited] = /^#\/join\/(.+)$/.exec(location.hash) ?? [];
      if (invited) {
        history.replaceState(null, "", "#/sign-in"); // it must not stay in the phone's history
        setInvitation(invited);
      }
      setRoute(location.hash);
    };
    turn();
    addEventListener("hashchange", turn);
    const rest = load();
    void rest.then((loaded) => setOpened(() => loaded));
    void rest.finally(() => register((apply) => setUpdate(() => apply))); // it fetches all that once more: not at the same time
    const quiet = onTabs((message) => message === "lock" && lock());
    return () => {
      removeEventListener("hashchange", turn);
      quiet();
    };
  }, []);
  // While nobody is in, what is finished still goes out, and the centre's orders still come in.
  useEffect(() => {
    if (vault) return;
    let timer = 0;
    const round = async (): Promise<void> => {
      clearTimeout(timer);
      await look();
      const found = await exchange(null).catch(() => ({
        outcome: "offline",
        orders: [] as Order[],
      }));
      if (found.orders.length > 0) setOrders(found.orders);
      await look();
      const pause = found.outcome === "busy" ? BUSY_PAUSE : PAUSE;
      timer = setTimeout(() => void round(), pause) as unknown as number;
    };
    void round();
    const wake = (): void => void round();
    addEventListener("online", wake);
    return () => {
      clearTimeout(timer);
      removeEventListener("online", wake);
    };
  }, [vault]);

  const relanguage = (code: string): void => {
    localStorage.setItem("fieldapp.language", code);
    void setLanguage(code).then(() => redraw((n) => n + 1));
  };
  const opened = (one: Vault): void => {
    const isSomebodyElse = lastUser.current !== 0 && lastUser.current !== one.account.user;
    if (isSomebodyElse || ["#/sign-in", "#/clock", ""].includes(location.hash))
      location.hash = "/today";
    lastUser.current = one.account.user;
    if (!gate?.rows.some((row) => row.user === one.account.user)) void look(); // the lock must know who is new here
    setRoute(location.hash); // a form that was begun got its draft's address without an event: the worker goes on there
    setSigningIn(false);
    setOrders([]);
    setVault(one);
  };

  const signedIn = (one: Vault): void => {
    setInvitation("");
    location.hash = "/today";
    opened(one);
  };

  if (route === "#/clock" && !vault) return <Clock back={() => (location.hash = "/today")} />;
  if (isBroken) {
    const startOver = (): void => void deleteDatabase().then(() => location.reload(), look);
    return <Broken again={() => void look()} startOver={startOver} />;
  }
  const notice = update && (
    <div class="update" role="status">
      <span>{t("A new version is ready.")}</span>
      <button type="button" class="btn quiet" onClick={update}>
        {t("Use it now")}
      </button>
    </div>
  );
  if (vault && route !== "#/sign-in") {
    if (!Opened) return null;
    return (
      <>
        {!/^#\/(fill|start)\//.test(route) && notice}
        <Opened
          key={vault.account.user}
          vault={vault}
          route={route}
          lock={lock}
          hide={hide}
          relanguage={relanguage}
          ordered={(given) => {
            setOrders(given);
            setVault(null);
          }}
        />
      </>
    );
  }
  if (!gate) return null;
  const about = (
    <>
      {notice}
      {gate.hasLost && <LostAll told={() => void markStorage().then(look)} />}
    </>
  );
  if (isSigningIn || invitation || vault || gate.rows.length === 0) {
    const leave = (): void => {
      setInvitation("");
      setSigningIn(false);
      if (vault) location.hash = "/today";
    };
    const back = vault || gate.rows.length || invitation ? leave : null;
    const way = { about, orders, relanguage, back, invitation };
    return <SignIn key={invitation} {...way} opened={signedIn} />;
  }
  return (
    <Unlock
      about={about}
      rows={gate.rows}
      waiting={gate.waiting}
      orders={orders}
      opened={opened}
      relanguage={relanguage}
      another={() => setSigningIn(true)}
    />
  );
}

wearLook();
void setLanguage(localStorage.getItem("fieldapp.language") ?? navigator.language.slice(0, 2)).then(
  () => render(<App />, document.getElementById("app")!),
);
