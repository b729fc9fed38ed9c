/** The composition root: the gate, what goes on while the app is locked, and the way in. */

import { render, type ComponentChild, type ComponentType } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useBackgroundExchange, useGate, type GateContent } from "./app/gate";
import { isFillingIn, useRoute } from "./app/route";
import { onTabs, tellTabs } from "./app/tab_messages";
import type { UnlockedProps } from "./app/unlocked";
import { register } from "./app/updates";
import { loadLaterWords, setLanguage, t } from "./i18n";
import type { GateProps } from "./screens/gate/parts";
import { SignIn } from "./screens/gate/sign_in";
import { Unlock } from "./screens/gate/unlock";
import { applyLook } from "./screens/look";
import { LostAll } from "./screens/lost_all";
import { Clock } from "./screens/quick_exit";
import { noteOpened } from "./storage/accounts";
import { deleteDatabase } from "./storage/database";
import { markStorage } from "./storage/health";
import type { Vault } from "./storage/vault";
import type { Order } from "./sync/deliver";
import { type Piece, usePiece } from "./widgets/piece";

type Unlocked = ComponentType<UnlockedProps>;
const WAYS_IN = ["#/sign-in", "#/clock"]; // addresses that lead to today once somebody is in

/** Where a worker was when they hid the app. */
interface Hidden {
  user: number;
  hash: string;
  state: unknown;
}

const noteHere = (user: number): Hidden => ({ user, hash: location.hash, state: history.state });
const readHidden = (): Hidden | undefined => (history.state as { hidden?: Hidden } | null)?.hidden;

/** Go to an address that says nothing, and keep in its entry where its worker was. */
function goHidden(hidden: Hidden | undefined, hash: string): string {
  history.replaceState({ hidden }, "", hash);
  return hash;
}

/** Go back to where a worker hid the app; false where it was not theirs, or not hidden. */
function showAgain(user: number): boolean {
  const hidden = readHidden();
  if (hidden?.user !== user) return false;
  history.replaceState(hidden.state, "", hidden.hash);
  return true;
}

/** Fetch the rest of the app while the worker types their PIN, then look for a new version. */
function useRest(): { Unlocked: Unlocked | null; update: (() => void) | null } {
  const [Unlocked, setUnlocked] = useState<Unlocked | null>(null);
  const [update, setUpdate] = useState<(() => void) | null>(null);
  useEffect(() => {
    const rest = import("./app/unlocked").then((module) => module.UnlockedApp);
    void rest.then((loaded) => setUnlocked(() => loaded));
    // It fetches all that once more: not at the same time.
    void rest.finally(() => register((apply) => setUpdate(() => apply)));
  }, []);
  return { Unlocked, update };
}

function useLanguage(): (code: string) => void {
  const [, redraw] = useState(0);
  return (code) => {
    localStorage.setItem("fieldapp.language", code);
    void setLanguage(code).then(() => redraw((n) => n + 1));
  };
}

function App() {
  const [vault, setVault] = useState<Vault | null>(null);
  const [isSigningIn, setSigningIn] = useState(false);
  const [orders, setOrders] = useState<Order[]>([]);
  const [invitation, setInvitation] = useState("");
  const lastUser = useRef(0);
  const { gate, isBroken, refreshGate } = useGate();
  const [route, setRoute] = useRoute(setInvitation);
  const { Unlocked, update } = useRest();
  const changeLanguage = useLanguage();
  const lock = useCallback((): void => setVault(null), []);
  const hide = useCallback((): void => {
    setVault(null);
    tellTabs("lock");
    setRoute(goHidden(noteHere(lastUser.current), "#/clock"));
  }, []);
  useEffect(() => onTabs((message) => message === "lock" && lock()), []);
  useBackgroundExchange(vault === null, refreshGate, setOrders);

  const opened = (next: Vault): void => {
    const { user } = next.account;
    const isSomebodyElse = lastUser.current !== 0 && lastUser.current !== user;
    const isBack = showAgain(user);
    if (!isBack && (isSomebodyElse || WAYS_IN.includes(location.hash))) location.hash = "/today";
    lastUser.current = user;
    noteOpened(user);
    // The lock must know who is new here.
    if (!gate?.rows.some((row) => row.user === user)) void refreshGate();
    // A form that was begun got its draft's address without an event: the worker goes on there.
    setRoute(location.hash);
    setSigningIn(false);
    setOrders([]);
    setVault(next);
  };
  const signedIn = (next: Vault): void => {
    setInvitation("");
    location.hash = "/today";
    opened(next);
  };
  const leaveSignIn = (): void => {
    setInvitation("");
    setSigningIn(false);
    if (vault) location.hash = "/today";
  };

  const leaveClock = (): void => setRoute(goHidden(readHidden(), "#/today"));
  if (route === "#/clock" && !vault) return <Clock back={leaveClock} />;
  if (isBroken) return <BrokenStorage refreshGate={refreshGate} />;
  const notice = update && <UpdateNotice update={update} />;
  if (vault && route !== "#/sign-in") {
    const ordered = (received: Order[]): void => {
      setOrders(received);
      setVault(null);
    };
    const props = { vault, route, lock, hide, changeLanguage, ordered };
    return (
      Unlocked && (
        <>
          {!isFillingIn(route) && notice}
          <Unlocked key={vault.account.user} {...props} />
        </>
      )
    );
  }
  if (!gate) return null;
  const isAskedIn = isSigningIn || invitation !== "" || vault !== null;
  const canLeave = vault !== null || invitation !== "" || gate.rows.length > 0;
  return (
    <GateScreen
      gate={gate}
      about={<About notice={notice} hasLost={gate.hasLost} refreshGate={refreshGate} />}
      orders={orders}
      invitation={invitation}
      isSigningIn={isAskedIn}
      changeLanguage={changeLanguage}
      opened={opened}
      signedIn={signedIn}
      leave={canLeave ? leaveSignIn : null}
      another={() => setSigningIn(true)}
    />
  );
}

type GateScreenProps = GateProps & {
  gate: GateContent;
  invitation: string;
  isSigningIn: boolean;
  signedIn: (vault: Vault) => void;
  leave: (() => void) | null; // null: there is nothing to go back to
  another: () => void;
};

/** Signing in where somebody asked for it or nobody is signed in yet, else unlocking. */
function GateScreen(props: GateScreenProps) {
  const { gate, about, orders, changeLanguage, invitation } = props;
  const { rows, waiting } = gate;
  const common = { about, orders, changeLanguage };
  if (!props.isSigningIn && rows.length > 0) {
    const { opened, another } = props;
    return <Unlock {...common} rows={rows} waiting={waiting} opened={opened} another={another} />;
  }
  const isKnown = rows.length > 0;
  const way = { ...common, invitation, isKnown, opened: props.signedIn, back: props.leave };
  return <SignIn key={invitation} {...way} />;
}

interface AboutProps {
  notice: ComponentChild;
  hasLost: boolean;
  refreshGate: () => Promise<void>;
}

/** What is to say about the app itself: a new version, a storage that was cleared. */
function About({ notice, hasLost, refreshGate }: AboutProps) {
  return (
    <>
      {notice}
      {hasLost && <LostAll dismiss={() => void markStorage().then(refreshGate)} />}
    </>
  );
}

const brokenScreen: Piece<typeof import("./screens/storage_broken")> = {
  load: async () => {
    const [screen] = await Promise.all([import("./screens/storage_broken"), loadLaterWords()]);
    return screen;
  },
};

function BrokenStorage({ refreshGate }: { refreshGate: () => Promise<void> }) {
  const screen = usePiece(brokenScreen);
  const startOver = (): void => void deleteDatabase().then(() => location.reload(), refreshGate);
  if (screen === null || screen === "failed") return null;
  return <screen.Broken again={() => void refreshGate()} startOver={startOver} />;
}

function UpdateNotice({ update }: { update: () => void }) {
  return (
    <div class="update" role="status">
      <span>{t("A new version is ready.")}</span>
      <button type="button" class="btn quiet" onClick={update}>
        {t("Update now")}
      </button>
    </div>
  );
}

applyLook();
const language = localStorage.getItem("fieldapp.language") ?? navigator.language.slice(0, 2);
void setLanguage(language).then(() => render(<App />, document.getElementById("app")!));
