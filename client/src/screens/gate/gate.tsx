/** The gate: sign in at the centre once, then a PIN, a finger or a face each time. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { nt, t } from "../../i18n";
import { random } from "../../storage/bytes";
import { canVerify } from "../../storage/receipts";
import { makeSigningKey } from "../../storage/sealing";
import {
  DEFAULT_RULES,
  deriveKeyFromPin,
  enrol,
  PinDelayed,
  PinDisabled,
  unlock,
  unlockByPasskey,
  type Vault,
  WrongPin,
} from "../../storage/vault";
import type { StoredAccount } from "../../storage/accounts";
import type { Order } from "../../sync/deliver";
import { fetchManifestContent } from "../../sync/exchange";
import { join, Offline, Refused, signIn } from "../../sync/server";
import { AppleSteps, isApple, isInstalled } from "../install";
import { OtherLanguages } from "./languages";
import { Title } from "../title";

const PIN = /^[0-9]{6,12}$/;

interface GateProps {
  about: ComponentChildren;
  orders: Order[];
  opened: (vault: Vault) => void;
  relanguage: (code: string) => void;
}

function Languages({ relanguage }: { relanguage: (code: string) => void }) {
  return (
    <div class="languages">
      <OtherLanguages look="link" relanguage={relanguage} />
    </div>
  );
}

/** What the centre did to this phone from afar. */
function Ordered({ orders }: { orders: Order[] }) {
  if (orders.length === 0) return null;
  return (
    <p class="state danger" role="alert">
      {orders.some((order) => order.order === "wipe")
        ? t(
            "The centre has wiped a worker's data off this phone. What was finished is with the centre.",
          )
        : t(
            "The centre has locked this phone. What was finished is with the centre. Sign in with your password to go on.",
          )}
    </p>
  );
}

interface SignInProps extends GateProps {
  back: (() => void) | null;
  invitation: string; // "": by name and password
}

export function SignIn({ about, orders, opened, relanguage, back, invitation }: SignInProps) {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [isAnyway, setAnyway] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const [name = "", password = "", pin = ""] = ["username", "password", "pin"].map((field) =>
      String(data.get(field) ?? ""),
    );
    if (!PIN.test(pin)) return setProblem(t("The PIN needs 6 to 12 digits."));
    if (/^(\d)\1+$/.test(pin) || "01234567890123".includes(pin) || "98765432109876".includes(pin))
      return setProblem(t("This PIN is too easy to guess. Choose another one."));
    setBusy(true);
    setProblem("");
    try {
      const salt = random(16);
      const byPin = { salt, key: deriveKeyFromPin(pin, salt) }; // works while the centre answers
      if (!(await canVerify())) {
        setBusy(false);
        return setProblem(
          t("This browser is too old to check the centre's signature. Update it, then try again."),
        );
      }
      const keys = await makeSigningKey();
      const { token, device, user, username, worker, recovery, manifest } = await (invitation
        ? join(invitation, deviceName(), keys.publicKey)
        : signIn(name, password, deviceName(), keys.publicKey));
      const { centre, key = null, receipts = null, team = [], rules = DEFAULT_RULES } = manifest;
      const account = {
        user, username, device, signer: keys.privateKey, token, worker, centre,
        key, receipts, team, rules, listed: [], remembered: {},
      }; // prettier-ignore
      const vault = await enrol(account, byPin, recovery);
      await new Promise<void>(
        (go) => void fetchManifestContent(vault, manifest, go).catch(() => go()),
      ); // the rest comes meanwhile
      opened(vault);
    } catch (error) {
      if (error instanceof Refused) setProblem(error.message);
      else if (error instanceof Offline)
        setProblem(
          t("There is no connection to the centre. Signing in for the first time needs one."),
        );
      else
        setProblem(
          t(
            "This phone could not save. Make room on it, or leave private browsing, and try again.",
          ),
        );
      setBusy(false);
    }
  };
  if (isApple() && !isInstalled() && !isAnyway) {
    return (
      <main class="screen" id="main">
        {about}
        <p class="brand center">fieldapp</p>
        <div class="card">
          <Title>{t("First put the app on your home screen")}</Title>
          <p>
            {t(
              "An iPhone keeps your work safe only there. In the browser it may clear it after a week.",
            )}
          </p>
          <AppleSteps />
        </div>
        <button type="button" class="link center" onClick={() => setAnyway(true)}>
          {t("Go on in the browser all the same")}
        </button>
        <Languages relanguage={relanguage} />
      </main>
    );
  }
  return (
    <main class="screen" id="main">
      {about}
      <Ordered orders={orders} />
      <p class="brand center">fieldapp</p>
      <form class="card" onSubmit={submit}>
        <Title>{invitation ? t("You are invited") : t("Sign in")}</Title>
        {invitation && (
          <p>
            {t("Choose a PIN, and this phone is yours to work with. The invitation works once.")}
          </p>
        )}
        {problem && (
          <p class="state danger" role="alert">
            {problem}
          </p>
        )}
        {!invitation && (
          <>
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
              <input
                id="password"
                name="password"
                type="password"
                required
                autocomplete="current-password"
              />
            </div>
          </>
        )}
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
          {isBusy ? t("One moment …") : invitation ? t("Join") : t("Sign in")}
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

interface UnlockProps extends GateProps {
  rows: StoredAccount[];
  waiting: number;
  another: () => void;
}

export function Unlock({ about, orders, rows, waiting, opened, relanguage, another }: UnlockProps) {
  const [user, setUser] = useState(rows[0]!.user);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const row = rows.find((one) => one.user === user) ?? rows[0]!;
  const open = async (way: () => Promise<Vault>): Promise<void> => {
    setBusy(true);
    try {
      opened(await way());
    } catch (error) {
      if (error instanceof PinDelayed)
        setProblem(t("Too many wrong tries. Wait {n} seconds.", { n: error.seconds }));
      else if (error instanceof PinDisabled)
        setProblem(
          t("The PIN opens nothing any more. Sign in with your password; your work is kept."),
        );
      else if (error instanceof WrongPin)
        setProblem(t("This is not the PIN. Your work is still here."));
      else if (error instanceof DOMException && error.name === "NotAllowedError")
        setProblem(t("That did not work. Use your PIN."));
      else
        setProblem(
          t("This phone's storage cannot be read just now. Close the app and open it again."),
        );
      setBusy(false);
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).elements.namedItem("pin") as HTMLInputElement;
    void open(() => unlock(row.user, field.value)).then(() => {
      field.value = "";
      field.focus();
    });
  };
  return (
    <main class="screen" id="main">
      {about}
      <Ordered orders={orders} />
      <p class="brand center">fieldapp</p>
      <form class="card" onSubmit={submit}>
        <Title>{t("Locked")}</Title>
        {problem && (
          <p class="state danger" role="alert">
            {problem}
          </p>
        )}
        {!problem && !row.hasPin && (
          <p class="state danger">
            {t("The PIN opens nothing any more. Sign in with your password; your work is kept.")}
          </p>
        )}
        {rows.length > 1 && (
          <div class="field">
            <label for="who">{t("Who are you?")}</label>
            <select
              id="who"
              value={row.user}
              onChange={(event) => {
                setUser(Number((event.target as HTMLSelectElement).value));
                setProblem("");
              }}
            >
              {rows.map((one) => (
                <option key={one.user} value={one.user}>
                  {one.username}
                </option>
              ))}
            </select>
          </div>
        )}
        <div class="field">
          <label for="pin">{t("PIN")}</label>
          <input
            id="pin"
            name="pin"
            type="password"
            inputMode="numeric"
            class="pin"
            required
            autocomplete="off"
          />
        </div>
        <button class="btn main wide" disabled={isBusy}>
          {isBusy ? t("One moment …") : t("Open")}
        </button>
        {row.hasPasskey && (
          <button
            type="button"
            class="btn wide"
            disabled={isBusy}
            onClick={() => void open(() => unlockByPasskey(row.user))}
          >
            {t("Use finger or face")}
          </button>
        )}
      </form>
      {waiting > 0 && (
        <p class="state wait" role="status">
          {nt(
            "{n} sealed record waits here. It goes out by itself, locked or not.",
            "{n} sealed records wait here. They go out by themselves, locked or not.",
            waiting,
          )}
        </p>
      )}
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
