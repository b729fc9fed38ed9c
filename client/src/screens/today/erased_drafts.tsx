/** That drafts are gone because their person took everything back. */

import { nt, t } from "../../i18n";
import { changeCaseload } from "../../storage/caseload";
import { useApp } from "../state";

/** Says so until the worker has read it. */
export function ErasedDrafts() {
  const { book, vault, refresh } = useApp();
  if (!book.erased) return null;
  const dismiss = async (): Promise<void> => {
    await changeCaseload(vault, (caseload) => ({ ...caseload, erased: 0 }));
    await refresh();
  };
  return (
    <p class="state wait" role="status">
      {nt(
        "{n} record that you had begun was erased: its person took everything back.",
        "{n} records that you had begun were erased: their people took everything back.",
        book.erased,
      )}{" "}
      <button type="button" class="link" onClick={() => void dismiss()}>
        {t("OK")}
      </button>
    </p>
  );
}
