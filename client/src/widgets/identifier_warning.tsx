/** A warning about names, numbers and addresses in what is typed freely. */

import { findIdentifiers, type Identifier } from "../engine/identifiers_in_text";
import { t } from "../i18n";

/** Says that a text seems to point to a person, while the worker can still take that out. */
export function IdentifierWarning({ text }: { text: string }) {
  const kinds = findIdentifiers(text);
  const names: Record<Identifier, string> = {
    name: t("a name"),
    phone: t("a phone number"),
    plate: t("a licence plate"),
    address: t("an address"),
    birthday: t("a birthday"),
    online: t("an online account"),
  };
  return (
    <div role="status">
      {kinds.length > 0 && (
        <p class="state wait">
          {t("This seems to contain {what}. Please remove it: it could point to a person.", {
            what: kinds.map((kind) => names[kind]).join(", "),
          })}
        </p>
      )}
    </div>
  );
}
