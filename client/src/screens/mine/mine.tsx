/** Mine: where one's records are, what was made lately, this phone and how it is locked. */

import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { Help } from "../help/help";
import { DataState, LedgerList, Ready, Tabs, Top } from "../parts";
import { useApp } from "../state";
import { saveCopy } from "./copy";
import { InstallHint } from "./install_hint";
import { LatestRecords } from "./latest_records";
import { Reminders } from "./reminders";
import { ThisPhone } from "./this_phone";

const LITTLE_ROOM = 50; // MB

export function Mine() {
  const { ledger, outcome, exchange } = useApp();
  const [isBusy, setBusy] = useState(false);
  const send = async (): Promise<void> => {
    setBusy(true);
    await exchange();
    setBusy(false);
  };
  return (
    <>
      <Top title={t("Mine")} />
      <main class="screen" id="main">
        <DataState />
        <section class="card" aria-label={t("Where my records are")}>
          <Help about="records" name={t("Where my records are")}>
            <h2>{t("Where my records are")}</h2>
          </Help>
          <LedgerList />
          <button type="button" class="btn wide" disabled={isBusy} onClick={() => void send()}>
            {isBusy ? t("One moment …") : t("Sync now")}
          </button>
          {outcome === "offline" && (
            <p class="soft" role="status">
              {t("No connection to the centre just now. Nothing is lost.")}
            </p>
          )}
          {ledger.waiting > 0 && <Copy />}
        </section>
        <LatestRecords />
        <Storage />
        <Reminders />
        <InstallHint />
        <ThisPhone />
      </main>
      <Tabs here="mine" />
    </>
  );
}

/** The way out for records that the network does not take: a sealed file. */
function Copy() {
  const [isSaved, setSaved] = useState(false);
  const save = async (): Promise<void> => setSaved((await saveCopy()) === "saved");
  return (
    <details>
      <summary>{t("Cannot send?")}</summary>
      <p class="soft">
        {t(
          "Save what is waiting as a file and give it to your centre, any way you like. Only the centre can open the file. The records also stay here.",
        )}
      </p>
      <button type="button" class="btn wide" onClick={() => void save()}>
        {t("Save an encrypted copy")}
      </button>
      {isSaved && (
        <p role="status">{t("Saved. Hand the file to your centre; only they can open it.")}</p>
      )}
    </details>
  );
}

/** Whether the browser may clear what is stored here, and how much room is left. */
function Storage() {
  const { health } = useApp();
  const { isKept, freeMb } = health;
  return (
    <section class="card">
      <div class="row">
        <h2>{t("This phone's storage")}</h2>
        <Ready />
      </div>
      {isKept ? (
        <p class="state safe">{t("Protected: the browser will not delete it on its own.")}</p>
      ) : (
        <p class="state wait">
          {t(
            "The browser may clear it when the phone is full. Put the app on your home screen, and send often.",
          )}
        </p>
      )}
      {freeMb !== null && (
        <p class={freeMb < LITTLE_ROOM ? "error" : "soft"}>
          {t("About {n} MB free for the app.", { n: freeMb })}
        </p>
      )}
    </section>
  );
}
