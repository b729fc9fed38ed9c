/** The gate: sign in at the centre once, then a PIN each time. */

import { useState } from "preact/hooks";
import { LANGUAGES, currentLanguage, t } from "../i18n";
import type { VaultRow } from "../storage/database";
import { enrol, PinPaused, unlock, WrongPin, type Vault } from "../storage/vault";
import { Offline, Refused, signIn } from "../sync/server";
import { Title } from "./parts";

const PIN = /^[0-9]{6,12}$/;

interface GateProps {
  opened: (vault: Vault) => void;
  relanguage: (code: string) => void;
}

function Languages({ relanguage }: { relanguage: (code: string) => void }) {
  return (
    <div class="languages">
      {Object.entries(LANGUAGES)
        .filter(([code]) => code !== currentLanguage())
        .map(([code, name]) => (
          <button key={code} type="button" class="link" lang={code} onClick={() => relanguage(code)}>
            {name}
          </button>
        ))}
    </div>
  );
}

export function SignIn({ opened, relanguage, back }: GateProps & { back: (() => void) | null }) {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const [username, password, pin] = ["username", "password", "pin"].map((name) => String(data.get(name) ?? "")) as [
      string,
      string,
      string,
    ];
    if (!PIN.test(pin)) return setProblem(t("The PIN needs 6 to 12 digits."));
    setBusy(true);
    setProblem("");
    try {
      const { token, user, worker, recovery } = await signIn(username, password, deviceName());
      const account = { user, username: username.trim().toLowerCase(), token, worker, centre: "", remembered: {} };
      opened(await enrol(account, pin, recovery));
    } catch (error) {
      if (error instanceof Refused) setProblem(error.message);
      else if (error instanceof Offline)
        setProblem(t("There is no connection to the centre. Signing in for the first time needs one."));
      else setProblem(t("This phone could not save. Make room on it, or leave private browsing, and try again."));
      setBusy(false);
    }
  };
  return (
    <main class="screen" id="main">
      <p class="brand center">fieldapp</p>
      <form class="card" onSubmit={submit}>
        <Title>{t("Sign in")}</Title>
        {problem && (
          <p class="state danger" role="alert">
            {problem}
          </p>
        )}
        <div class="field">
          <label for="username">{t("Sign-in name")}</label>
          <input
            id="username"
            name="username"
            required
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
          />
        </div>
        <div class="field">
          <label for="password">{t("Password")}</label>
          <input id="password" name="password" type="password" required autocomplete="current-password" />
        </div>
        <div class="field">
          <label for="pin">{t("Choose a PIN for this phone")}</label>
          <p class="hint" id="pin-hint">
            {t("6 digits or more. It locks what you write here. Nobody else knows it.")}
          </p>
          <input
            id="pin"
            name="pin"
            type="password"
            inputMode="numeric"
            class="pin"
            required
            minLength={6}
            maxLength={12}
            autocomplete="off"
            aria-describedby="pin-hint"
          />
        </div>
        <button class="btn main wide" disabled={isBusy}>
          {isBusy ? t("One moment …") : t("Sign in")}
        </button>
        {back && (
          <button type="button" class="btn wide" onClick={back}>
            {t("Back")}
          </button>
        )}
      </form>
      <Languages relanguage={relanguage} />
    </main>
  );
}

export function Unlock({ rows, opened, relanguage, another }: GateProps & { rows: VaultRow[]; another: () => void }) {
  const [user, setUser] = useState(rows[0]!.user);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).elements.namedItem("pin") as HTMLInputElement;
    setBusy(true);
    try {
      opened(await unlock(user, field.value));
    } catch (error) {
      if (error instanceof PinPaused) setProblem(t("Too many wrong tries. Wait {n} seconds.", { n: error.seconds }));
      else if (error instanceof WrongPin) setProblem(t("This is not the PIN. Your work is still here."));
      else setProblem(t("This phone's storage cannot be read just now. Close the app and open it again."));
      field.value = "";
      field.focus();
      setBusy(false);
    }
  };
  return (
    <main class="screen" id="main">
      <p class="brand center">fieldapp</p>
      <form class="card" onSubmit={submit}>
        <Title>{t("Locked")}</Title>
        {problem && (
          <p class="state danger" role="alert">
            {problem}
          </p>
        )}
        {rows.length > 1 && (
          <div class="field">
            <label for="who">{t("Who are you?")}</label>
            <select
              id="who"
              value={user}
              onChange={(event) => setUser(Number((event.target as HTMLSelectElement).value))}
            >
              {rows.map((row) => (
                <option key={row.user} value={row.user}>
                  {row.username}
                </option>
              ))}
            </select>
          </div>
        )}
        <div class="field">
          <label for="pin">{t("PIN")}</label>
          <input id="pin" name="pin" type="password" inputMode="numeric" class="pin" required autocomplete="off" />
        </div>
        <button class="btn main wide" disabled={isBusy}>
          {isBusy ? t("One moment …") : t("Open")}
        </button>
      </form>
      <button type="button" class="link center" onClick={another}>
        {t("I forgot the PIN, or I am somebody else")}
      </button>
      <Languages relanguage={relanguage} />
    </main>
  );
}

function deviceName(): string {
  const agent = navigator.userAgent;
  return /iPhone|iPad/.test(agent) ? "iPhone" : /Android/.test(agent) ? "Android" : "Browser";
}
