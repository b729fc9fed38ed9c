/** Go on with a draft that is on the phone. */

import { useEffect, useState } from "preact/hooks";
import type { FormDefinition } from "../../engine/definition";
import { fitsNewVersion } from "../../engine/draft_migration";
import { openDraft } from "../../storage/drafts";
import { findForm } from "../../storage/forms";
import type { Vault } from "../../storage/vault";
import { t } from "../../i18n";
import { useApp } from "../state";
import { DraftScreen, type LoadedDraft } from "./draft_screen";
import { Elsewhere } from "./elsewhere";

/** Read a draft and its form: the newest version, if every answer still has its place in it. */
async function loadDraft(
  vault: Vault,
  id: string,
  forms: FormDefinition[],
): Promise<LoadedDraft | null> {
  const draft = await openDraft(vault, id).catch(() => null);
  if (!draft) return null;
  const newest = forms.find((form) => form.id === draft.form);
  const own = await findForm(vault.account.user, draft.form, draft.version);
  // A correction may be of a record from before this phone had the form.
  const definition = own ?? (draft.root ? newest : null);
  if (!definition) return null;
  draft.version = definition.version;
  if (!newest || newest.version === draft.version) return { draft, definition, notice: "" };
  // A newer version came while this was open.
  if (fitsNewVersion(draft.answers, definition, newest)) {
    const notice = t("This form has changed. Your answers came along.");
    return { draft: { ...draft, version: newest.version }, definition: newest, notice };
  }
  const notice = t("This form has changed. You finish this one as it was when you began it.");
  return { draft, definition, notice };
}

export function Fill({ id }: { id: string }) {
  const { vault, forms } = useApp();
  const [loaded, setLoaded] = useState<LoadedDraft | "missing" | null>(null);
  useEffect(() => {
    void loadDraft(vault, id, forms).then((draft) => setLoaded(draft ?? "missing"));
  }, [id]);
  if (loaded === "missing") return <Elsewhere id={id} as="record" />;
  return loaded && <DraftScreen key={id} {...loaded} seeds={{}} isNew={false} />;
}
