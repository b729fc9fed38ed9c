/** Open the app on a phone that is signed in: by PIN, finger or face. */

import { useEffect, useState } from "preact/hooks";
import { nt, t } from "../../i18n";
import { findLastOpened, type StoredAccount } from "../../storage/accounts";
import { PinDelayed, PinDisabled, unlock, type Vault, WrongPin } from "../../storage/vault";
import { unlockByPasskey } from "../../storage/passkeys";
import { Title } from "../title";
import { GateLanguages, GateProblem, type GateProps, OrderNotice } from "./parts";

interface UnlockProps extends GateProps {
  rows: StoredAccount[]; // the workers who are signed in on this phone
  waiting: number; // records that wait to be sent
  another: () => void;
}

const describePinGone = (): string =>
  t("The PIN does not work any more. Sign in with your password; your work is still here.");

/** Why the app stays locked, in words for the worker. */
export function describeUnlockProblem(error: unknown): string {
  if (error instanceof PinDelayed) {
    return t("Too many wrong tries. Your work is still here.");
  }
  if (error instanceof PinDisabled) return describePinGone();
  if (error instanceof WrongPin) return t("This is not the PIN. Your work is still here.");
  if (error instanceof DOMException && error.name === "NotAllowedError") {
    return t("That did not work. Use your PIN.");
  }
  return t("This phone's storage cannot be read just now. Close the app and open it again.");
}

export function Unlock(props: UnlockProps) {
  const { about, orders, rows, waiting, opened, changeLanguage, another } = props;
  return (
    <main class="screen" id="main">
      {about}
      <OrderNotice orders={orders} />
      <p class="brand center">fieldapp</p>
      <UnlockForm rows={rows} opened={opened} />
      {waiting > 0 && (
        <p class="state wait" role="status">
          {nt(
            "{n} encrypted record waits here. It is sent automatically, locked or not.",
            "{n} encrypted records wait here. They are sent automatically, locked or not.",
            waiting,
          )}
        </p>
      )}
      <button type="button" class="link center" onClick={another}>
        {t("I forgot the PIN, or I am somebody else")}
      </button>
      <GateLanguages changeLanguage={changeLanguage} />
    </main>
  );
}

function UnlockForm({ rows, opened }: Pick<UnlockProps, "rows" | "opened">) {
  const [user, setUser] = useState(() => findLastOpened(rows)!.user);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [pause, setPause] = useState(0); // seconds until the next try
  useEffect(() => {
    if (pause === 0) return;
    const timer = setTimeout(() => {
      setPause(pause - 1);
      if (pause === 1) setProblem("");
    }, 1000);
    return () => clearTimeout(timer);
  }, [pause]);
  const row = rows.find((each) => each.user === user) ?? rows[0]!;
  const open = async (openVault: () => Promise<Vault>): Promise<void> => {
    setBusy(true);
    try {
      opened(await openVault());
    } catch (error) {
      setProblem(describeUnlockProblem(error));
      if (error instanceof PinDelayed) setPause(error.seconds);
      setBusy(false);
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const field = form.elements.namedItem("pin") as HTMLInputElement;
    void open(() => unlock(row.user, field.value)).then(() => {
      field.value = "";
      field.focus();
    });
  };
  const choose = (event: Event): void => {
    setUser(Number((event.target as HTMLSelectElement).value));
    setProblem("");
    setPause(0);
  };
  const openWord = isBusy ? t("One moment …") : t("Open");
  return (
    <form class="card" onSubmit={submit}>
      <Title>{t("Locked")}</Title>
      <GateProblem text={problem} />
      {!problem && !row.hasPin && <p class="state danger">{describePinGone()}</p>}
      {rows.length > 1 && <WhoAreYou rows={rows} user={row.user} choose={choose} />}
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
      <button class="btn main wide" disabled={isBusy || pause > 0}>
        {pause > 0 ? nt("Wait {n} second", "Wait {n} seconds", pause) : openWord}
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
  );
}

interface WhoAreYouProps {
  rows: StoredAccount[];
  user: number;
  choose: (event: Event) => void;
}

function WhoAreYou({ rows, user, choose }: WhoAreYouProps) {
  return (
    <div class="field">
      <label for="who">{t("Who are you?")}</label>
      <select id="who" value={user} onChange={choose}>
        {rows.map((row) => (
          <option key={row.user} value={row.user}>
            {row.username}
          </option>
        ))}
      </select>
    </div>
  );
}
