/** Why a finished record cannot be taken back. */

import { t } from "../../i18n";

export const SlipTaken = () => (
  <p class="soft">
    {t("This person has a slip for this record. You can correct it, but not take it back.")}
  </p>
);

export const NewerVersion = () => (
  <p class="soft">{t("There is a newer version of this record. Change that one.")}</p>
);
