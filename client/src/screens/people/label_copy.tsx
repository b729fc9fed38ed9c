/** The sealed copy of a worker's own labels: its password, where this phone does not have it. */

import { useState } from "preact/hooks";
import { nt, t } from "../../i18n";
import { useOneAtATime } from "../one_at_a_time";
import { useApp } from "../state";

const SHORTEST = 8; // characters of a password

type Rare = typeof import("../../sync/rare_exchange");

/** What stands under one's cards: labels that cannot be read yet, or that none are copied. */
export function LabelCopy() {
  const { book, vault } = useApp();
  const codes = new Set(book.people.map(({ code }) => code));
  const sealed = Object.keys(book.sealedLabels).filter((code) => codes.has(code)).length;
  if (sealed > 0) return <SealedLabels count={sealed} />;
  const hasLabels = book.people.some(({ label }) => label);
  return hasLabels && !vault.account.labelKey ? <ChoosePassword /> : null;
}

/** Do something with a password that was typed; says what went wrong. */
function usePassword(
  act: (rare: Rare, password: string) => Promise<string>,
): [submit: (event: Event) => void, isBusy: boolean, problem: string] {
  const { refresh, exchange } = useApp();
  const [problem, setProblem] = useState("");
  const [run, isBusy] = useOneAtATime(async (form: HTMLFormElement) => {
    const read = (name: string): string => String(new FormData(form).get(name) ?? "");
    const rare = await import("../../sync/rare_exchange").catch(() => null);
    if (!rare) return setProblem(t("This part is not on the phone yet"));
    if (form.querySelector("#label-again") && read("again") !== read("password"))
      return setProblem(t("The two are not the same."));
    const text = await act(rare, read("password"));
    setProblem(text);
    if (text) return;
    await refresh();
    void exchange();
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    run(event.target as HTMLFormElement);
  };
  return [submit, isBusy, problem];
}

function Password({ id, name, label }: { id: string; name: string; label: string }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} name={name} type="password" required minLength={SHORTEST} autocomplete="off" />
    </div>
  );
}

function SealedLabels({ count }: { count: number }) {
  const { vault, refresh } = useApp();
  const [open, isBusy, problem] = usePassword(async (rare, password) =>
    (await rare.openWithPassword(vault, password)) ? "" : t("This is not that password."),
  );
  const [forget, isForgetting] = useOneAtATime(async () => {
    if (!confirm(t("Do without these names? They cannot be read any more then."))) return;
    const rare = await import("../../sync/rare_exchange");
    await rare.forgetSealedLabels(vault).catch(() => undefined); // no signal: they stay
    await refresh();
  });
  return (
    <form class="card" onSubmit={open}>
      <h2>{t("Names from another phone")}</h2>
      <p>
        {nt(
          "{n} name is encrypted with a password that you had before. Nobody can read it without that.",
          "{n} names are encrypted with a password that you had before. Nobody can read them without that.",
          count,
        )}
      </p>
      <Password id="label-password" name="password" label={t("Password from before")} />
      {problem && (
        <p class="error" role="status">
          {problem}
        </p>
      )}
      <button class="btn wide" disabled={isBusy}>
        {t("Open the names")}
      </button>
      <button type="button" class="link" disabled={isForgetting} onClick={() => forget()}>
        {t("Do without them")}
      </button>
    </form>
  );
}

/** Who joined by an invitation typed no password: their labels are on this phone alone. */
function ChoosePassword() {
  const { vault } = useApp();
  const [choose, isBusy, problem] = usePassword(async (rare, password) => {
    await rare.learnPassword(vault, password);
    return "";
  });
  return (
    <details>
      <summary>{t("If you lose this phone")}</summary>
      <form class="stack" onSubmit={choose}>
        <p>
          {t(
            "Your names for cards are on this phone only. With a password, the centre stores an encrypted copy for your next phone. Nobody can read it without that password, not even the centre.",
          )}
        </p>
        <Password id="label-password" name="password" label={t("Password")} />
        <Password id="label-again" name="again" label={t("The same again")} />
        {problem && (
          <p class="error" role="status">
            {problem}
          </p>
        )}
        <button class="btn wide" disabled={isBusy}>
          {t("Store an encrypted copy")}
        </button>
      </form>
    </details>
  );
}
