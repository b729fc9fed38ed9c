/** The app with a vault open: the screens by address, the exchange with the centre, the lock. */

import type { ComponentChild } from "preact";
import { useEffect } from "preact/hooks";
import { Fill } from "../screens/fill/fill";
import { LastStep } from "../screens/fill/last_steps_later";
import { ChooseForm } from "../screens/new_record/choose";
import { Start } from "../screens/new_record/start";
import { AppContext, type AppState, replaceWith } from "../screens/state";
import { findPlace, noteHere, useOtherScreens } from "../screens/others_piece";
import { Today } from "../screens/today/today";
import { markStorage, requestPersistence } from "../storage/health";
import type { Vault } from "../storage/vault";
import type { Order } from "../sync/deliver";
import { useContent } from "./content";
import { useExchangeLoop, whenIdle } from "./exchange_loop";
import { useIdleLock } from "./idle_lock";
import { noteDue, OtherScreen } from "./other_screens";
import { parseRoute } from "./route";
import { onTabs, tellTabs } from "./tab_messages";
import { sendLater } from "./updates";

export interface UnlockedProps {
  vault: Vault;
  route: string;
  lock: () => void;
  hide: () => void;
  changeLanguage: (code: string) => void;
  ordered: (orders: Order[]) => void;
}

/** The screen of an address; today's where an address names none. */
function renderScreen(route: string): ComponentChild {
  const [screen, first = "", second = "", third = ""] = parseRoute(route);
  switch (screen) {
    case "new":
      return <ChooseForm />;
    case "mine":
      return <OtherScreen key={screen} draw={({ Mine }) => <Mine />} />;
    case "people":
      return <OtherScreen key={screen} draw={({ People }) => <People />} />;
    case "where":
      return <OtherScreen key={screen} draw={({ Where }) => <Where />} />;
    case "card":
      return <OtherScreen key={route} draw={({ Card }) => <Card code={first} />} />;
    case "start":
      return <Start key={route} id={first} about={second} due={third} />;
    case "correct":
      return <OtherScreen key={route} draw={({ FetchRecord }) => <FetchRecord id={first} />} />;
    case "fill":
      return <Fill key={first} id={first} />;
    case "practice":
      return (
        <OtherScreen key={route} draw={({ Practice }) => <Practice isDone={first !== ""} />} />
      );
    case "saved":
      return (
        <LastStep
          key={route}
          draw={({ Saved }) => <Saved form={first} then={second} id={third} />}
        />
      );
    case "record":
      return <LastStep key={route} draw={({ FinishedRecord }) => <FinishedRecord id={first} />} />;
    default:
      return <Today />;
  }
}

export function UnlockedApp(props: UnlockedProps) {
  const { vault, route, lock, hide, changeLanguage, ordered } = props;
  const [content, refresh] = useContent(vault);
  const screens = useOtherScreens();
  const { outcome, isReady, exchangeNow, hurry } = useExchangeLoop(vault, refresh, ordered);
  useIdleLock(vault, lock, hurry);
  useEffect(() => {
    void refresh();
    void requestPersistence().then(markStorage);
    return onTabs((message) => message === "changed" && void refresh());
  }, [vault]);
  useEffect(() => {
    let isHere = true; // not locked meanwhile, and nothing newer
    if (content) void whenIdle().then(() => (isHere ? noteDue(vault, content.book) : undefined));
    return () => {
      isHere = false;
    };
  }, [content]);
  useEffect(() => {
    if (route) void noteHere(vault);
    else void findPlace(vault).then(replaceWith);
  }, [vault, route]);
  if (!content || !route) return null;
  const state: AppState = {
    ...content,
    vault,
    outcome,
    isReady,
    refresh: async () => {
      await refresh();
      tellTabs("changed");
    },
    exchange: async () => {
      sendLater();
      await exchangeNow(true);
    },
    lock,
    hide,
    changeLanguage,
  };
  return (
    <AppContext.Provider value={state}>
      {screens && <screens.Call route={route} />}
      {renderScreen(route)}
    </AppContext.Provider>
  );
}
