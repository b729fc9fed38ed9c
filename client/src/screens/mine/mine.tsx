/** Mine: the ledger, what was made lately, this phone and how it is locked. */

import { useState } from "preact/hooks";
import { nt, t } from "../../i18n";
import { deleteWaiting } from "../../storage/outbox";
import { addPasskey, PinDisabled, WrongPin } from "../../storage/vault";
import { saveCopy } from "./copy";
import { InstallHint } from "../install";
import { OtherLanguages } from "../gate/languages";
import { currentLook, type Look, LOOKS, wearLook } from "../look";
import { clock, DataState, LedgerList, Ready, Tabs, titleOf, Top } from "../parts";
import { useApp } from "../state";

export function Mine() {
  const { ledger, outcome, exchange, health } = useApp();
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
          <LedgerList />
          <button type="button" class="btn wide" disabled={isBusy} onClick={() => void send()}>
            {isBusy ? t("One moment …") : t("Send and fetch now")}
          </button>
          {outcome === "offline" && (
            <p class="soft" role="status">
              {t("No connection to the centre just now. Nothing is lost.")}
            </p>
          )}
          {ledger.waiting > 0 && <Copy />}
        </section>
        <Latest />
        <section class="card">
          <div class="row">
            <h2>{t("This phone's storage")}</h2>
            <Ready />
          </div>
          {health.isKept ? (
            <p class="state safe">{t("Protected: the browser will not clear it by itself.")}</p>
          ) : (
            <p class="state wait">
              {t(
                "The browser may clear it when the phone is full. Put the app on your home screen, and send often.",
              )}
            </p>
          )}
          {health.freeMb !== null && (
            <p class={health.freeMb < 50 ? "error" : "soft"}>
              {t("About {n} MB free for the app.", { n: health.freeMb })}
            </p>
          )}
        </section>
        <InstallHint />
        <Phone />
      </main>
      <Tabs here="mine" />
    </>
  );
}

function Copy() {
  const [isSaved, setSaved] = useState(false);
  return (
    <details>
      <summary>{t("It does not go out?")}</summary>
      <p class="soft">
        {t(
          "Save what waits as a file and give it to your centre, by any way. Only they can open it. It also stays here.",
        )}
      </p>
      <button
        type="button"
        class="btn wide"
        onClick={() => void saveCopy().then((done) => setSaved(done === "saved"))}
      >
        {t("Save a sealed copy")}
      </button>
      {isSaved && (
        <p role="status">{t("Saved. Hand the file to your centre; only they can open it.")}</p>
      )}
    </details>
  );
}

function Latest() {
  const { vault, forms, lines, refresh } = useApp();
  if (lines.length === 0) return null;
  const states = {
    waiting: t("waits on this phone"),
    delivered: t("at the centre"),
    kept: t("with the centre, who will take a look"),
    deleted: t("deleted by you"),
  };
  const drop = async (id: string): Promise<void> => {
    if (!confirm(t("Delete this record before it is sent? It cannot be brought back."))) return;
    await deleteWaiting(vault.account.user, id);
    await refresh();
  };
  return (
    <section class="card">
      <h2>{t("Latest")}</h2>
      <div>
        {lines.slice(0, 20).map((line) => (
          <div class="item row" key={line.id}>
            <div>
              <b>{titleOf(forms, line.form)}</b>
              <br />
              <span class="soft">
                {line.finishedAt && `${clock(Date.parse(line.finishedAt))} · `}
                {states[line.state]}
              </span>
            </div>
            {line.state === "waiting" && (
              <button
                type="button"
                class="btn quiet"
                aria-label={t("Delete: {name}", { name: titleOf(forms, line.form) })}
                onClick={() => void drop(line.id)}
              >
                {t("Delete")}
              </button>
            )}
            {line.state === "delivered" && forms.some((form) => form.id === line.form) && (
              <a
                class="btn quiet"
                href={`#/correct/${line.root || line.id}`}
                aria-label={t("Correct: {name}", { name: titleOf(forms, line.form) })}
              >
                {t("Correct")}
              </a>
            )}
          </div>
        ))}
      </div>
      <p class="soft">
        {nt(
          "Finished records are sealed: not even this phone can read them. This list forgets after {n} day.",
          "Finished records are sealed: not even this phone can read them. This list forgets after {n} days.",
          vault.account.rules.shred_days,
        )}
      </p>
    </section>
  );
}

function Phone() {
  const { vault, lock, relanguage } = useApp();
  const [look, setLook] = useState<Look>(currentLook());
  const names: Record<Look, string> = {
    auto: t("As the phone"),
    light: t("Light"),
    dark: t("Dark"),
    outdoor: t("Bright sun"),
  };
  const wear = (one: Look): void => {
    wearLook(one);
    setLook(one);
  };
  return (
    <section class="card">
      <h2>{t("This phone")}</h2>
      <p class="soft">
        {vault.account.worker} · {vault.account.centre}
      </p>
      <fieldset>
        <legend>{t("How it looks")}</legend>
        <div class="choices">
          {LOOKS.map((one) => (
            <label class="choice" key={one}>
              <input type="radio" name="look" checked={look === one} onChange={() => wear(one)} />
              <span>{names[one]}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <Passkey />
      <div class="quick">
        <OtherLanguages look="btn" relanguage={relanguage} />
        <button type="button" class="btn" onClick={lock}>
          {t("Lock now")}
        </button>
      </div>
      <p class="soft">
        {nt(
          "It locks by itself after {n} minute.",
          "It locks by itself after {n} minutes.",
          vault.account.rules.lock_minutes,
        )}
      </p>
    </section>
  );
}

/** Open with finger or face: a passkey of the phone, besides the PIN. */
function Passkey() {
  const { vault } = useApp();
  const [said, setSaid] = useState("");
  if (typeof PublicKeyCredential === "undefined") return null;
  const add = async (event: Event): Promise<void> => {
    event.preventDefault();
    const pin = String(new FormData(event.target as HTMLFormElement).get("pin") ?? "");
    try {
      await addPasskey(vault, pin);
      setSaid(t("Done. From now on finger or face opens it too."));
    } catch (error) {
      if (error instanceof WrongPin || error instanceof PinDisabled)
        setSaid(t("The PIN is wrong, or this phone cannot do it."));
      else setSaid(t("The phone did not do it. The PIN still works."));
    }
  };
  return (
    <details>
      <summary>{t("Open with finger or face")}</summary>
      <form class="stack" onSubmit={(event) => void add(event)}>
        <label for="passkey-pin">{t("Your PIN, to be sure it is you")}</label>
        <input
          id="passkey-pin"
          name="pin"
          type="password"
          inputMode="numeric"
          class="pin"
          required
          autocomplete="off"
        />
        <button class="btn wide">{t("Add it")}</button>
        {said && <p role="status">{said}</p>}
      </form>
    </details>
  );
}
