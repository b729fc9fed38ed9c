/** When the phone's storage has lost what was in it. */

import { t } from "../i18n";

export function LostAll({ dismiss }: { dismiss: () => void }) {
  return (
    <div class="state danger" role="alert">
      <div>
        <p>
          {t(
            "This phone has lost what was saved on it: its storage was cleared or damaged. Records that were not sent may be gone. Tell your centre.",
          )}
        </p>
        <button type="button" class="btn quiet" onClick={dismiss}>
          {t("I have notified my centre")}
        </button>
      </div>
    </div>
  );
}
