/** The composition root: the gate, what goes on while the app is locked, and the way in. */

import { render, type ComponentType } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { setLanguage, t } from "../i18n";
import { Broken, LostAll } from "../screens/broken";
import { Clock } from "../screens/clock";
import { SignIn, Unlock } from "../screens/gate";
import { wearLook } from "../screens/look";
import { deleteDatabase, type VaultRow } from "../storage/database";
import { hasLostAll, markStorage } from "../storage/health";
import type { Vault } from "../storage/vault";
import { vaults } from "../storage/vault";
import { queue, type Order } from "../sync/deliver";
import { exchange } from "../sync/exchange";
import type { OpenedProps } from "./opened";
import { onTabs, tellTabs } from "./tabs";
import { register } from "./updates";

const PAUSE = 60_000;
const BUSY_PAUSE = 2_000; // another tab, or the service worker, is at it
const loading = import("./opened"); // while the worker types their PIN

type Gate = { rows: VaultRow[]; waiting: number; hasLost: boolean };

function App() {
  const [vault, setVault] = useState<Vault | null>(null);
  const [gate, setGate] = useState<Gate | null>(null);
  const [Opened, setOpened] = useState<ComponentType<OpenedProps> | null>(null);
  const [isSigningIn, setSigningIn] = useState(false);
  const [route, setRoute] = useState(location.hash);
  const [, redraw] = useState(0);
  const [update, setUpdate] = useState<(() => void) | null>(null);
  const [isBroken, setBroken] = useState(false);
  const [orders, setOrders] = useState<Order[]>([]);

  const look = useCallback(async (): Promise<void> => {
    try {
      const [rows, waiting, hasLost] = await Promise.all([vaults(), queue(), hasLostAll()]);
      setGate({ rows, waiting: waiting.length, hasLost });
      setBroken(false);
    } catch {
      setBroken(true);
    }
  }, []);
  const lock = useCallback((): void => setVault(null), []);
  const hide = useCallback((): void => {
    setVault(null);
    tellTabs("lock");
    history.replaceState(null, "", "#/clock");
    setRoute("#/clock");
  }, []);

  useEffect(() => {
    const turn = (): void => setRoute(location.hash);
    addEventListener("hashchange", turn);
    void register((apply) => setUpdate(() => apply));
    void loading.then(({ Opened: loaded }) => setOpened(() => loaded));
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
      const found = await exchange(null).catch(() => ({ outcome: "offline", orders: [] as Order[] }));
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
    setLanguage(code);
    localStorage.setItem("fieldapp.language", code);
    redraw((n) => n + 1);
  };
  const opened = (one: Vault): void => {
    if (["#/sign-in", "#/clock", ""].includes(location.hash)) location.hash = "/today";
    setSigningIn(false);
    setOrders([]);
    setVault(one);
  };

  const signedIn = (one: Vault): void => {
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
  if (isSigningIn || vault || gate.rows.length === 0) {
    const stay = (): void => void (location.hash = "/today");
    const back = vault ? stay : gate.rows.length ? () => setSigningIn(false) : null;
    return <SignIn about={about} opened={signedIn} relanguage={relanguage} back={back} orders={orders} />;
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
setLanguage(localStorage.getItem("fieldapp.language") ?? navigator.language.slice(0, 2));
render(<App />, document.getElementById("app")!);
