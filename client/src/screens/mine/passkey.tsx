/** Open with finger or face: a passkey of the phone, besides the PIN. */

import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { addPasskey } from "../../storage/add_passkey";
import { PinDisabled, WrongPin } from "../../storage/vault";
import { useApp } from "../state";

export function PasskeyForm() {
  const { vault } = useApp();
  const [status, setStatus] = useState("");
  if (typeof PublicKeyCredential === "undefined") return null;
  const add = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    try {
      await addPasskey(vault, String(data.get("pin") ?? ""));
      setStatus(t("Done. From now on finger or face opens it too."));
    } catch (error) {
      if (error instanceof WrongPin || error instanceof PinDisabled) {
        setStatus(t("The PIN is wrong, or this phone cannot do it."));
      } else setStatus(t("The phone did not do it. The PIN still works."));
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
        <button class="btn wide">{t("Add")}</button>
        {status && <p role="status">{status}</p>}
      </form>
    </details>
  );
}
