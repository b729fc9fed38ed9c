/** This phone: whose it is, how it looks, how it is locked. */

import { useEffect, useState } from "preact/hooks";
import { nt, t } from "../../i18n";
import { getRow } from "../../storage/database";
import { OtherLanguages } from "../gate/languages";
import { applyLook, LOOKS, readLook, type Look } from "../look";
import { useApp } from "../state";
import { PasskeyForm } from "./passkey";

declare const VERSION: string; // filled in by the build

export function ThisPhone() {
  const { vault, lock, changeLanguage } = useApp();
  const { worker, centre, rules } = vault.account;
  return (
    <section class="card">
      <h2>{t("This phone")}</h2>
      <p class="soft">
        {worker} · {centre}
      </p>
      <ChooseLook />
      <PasskeyForm />
      <div class="quick">
        <OtherLanguages look="btn" changeLanguage={changeLanguage} />
        <button type="button" class="btn" onClick={lock}>
          {t("Lock now")}
        </button>
      </div>
      <p class="soft">
        {nt(
          "The app locks automatically after {n} minute.",
          "The app locks automatically after {n} minutes.",
          rules.lock_minutes,
        )}
      </p>
      <p class="soft">fieldapp {VERSION}</p>
      <CopyNumber user={vault.account.user} />
    </section>
  );
}

/** What a centre asks for that cannot tell by itself how often it went back to a copy. */
function CopyNumber({ user }: { user: number }) {
  const [epoch, setEpoch] = useState(0);
  useEffect(() => void getRow("vaults", user).then((row) => setEpoch(row?.epoch ?? 0)), [user]);
  if (epoch === 0) return null;
  return <p class="soft">{t("Number of the centre's copy: {number}", { number: epoch })}</p>;
}

function ChooseLook() {
  const [look, setLook] = useState<Look>(readLook());
  const names: Record<Look, string> = {
    auto: t("As the phone"),
    light: t("Light"),
    dark: t("Dark"),
    outdoor: t("Bright sun"),
  };
  const choose = (next: Look): void => {
    applyLook(next);
    setLook(next);
  };
  return (
    <fieldset>
      <legend>{t("How it looks")}</legend>
      <div class="choices">
        {LOOKS.map((each) => (
          <label class="choice" key={each}>
            <input type="radio" name="look" checked={look === each} onChange={() => choose(each)} />
            <span>{names[each]}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
