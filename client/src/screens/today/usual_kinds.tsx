/** The kinds of contact that a worker logs most, each begun from Today with one tap. */

import type { Choice, FormDefinition } from "../../engine/definition";
import { findChoiceLabel, findQuestion, KIND, listChoicesOf } from "../../engine/roles";
import { currentLanguage, t } from "../../i18n";
import type { Usual } from "../../storage/vault";
import { putLikelyFirst } from "../../widgets/select/choices";
import { makeStartAddress } from "../start_address";
import { useApp } from "../state";

const ENOUGH = 3; // times that a kind was logged before it is usual
const MOST = 3; // that fit side by side
// Side by side as long as the longest words fit.
const BUTTON = { flex: "1 1 0", minInlineSize: "min-content", paddingInline: "4px" };
const ROOM = "(min-height: 40rem)"; // on a lower screen they would cover what is due

/** The usual kinds in the order of the form, so that each stays in its place. */
export function listUsualKinds(contact: FormDefinition, usual: Usual = {}): Choice[] {
  const kinds = listChoicesOf(contact, KIND);
  const counts = usual[findQuestion(contact, KIND)?.path ?? ""] ?? {};
  const often = putLikelyFirst(kinds, counts)
    .filter(({ name }) => (counts[name] ?? 0) >= ENOUGH)
    .slice(0, MOST);
  return kinds.filter((kind) => often.includes(kind));
}

export function UsualKinds({ contact }: { contact: FormDefinition }) {
  const { usual = {} } = useApp().vault.account;
  const kinds = listUsualKinds(contact, usual[contact.id]);
  if (kinds.length === 0 || !matchMedia(ROOM).matches) return null;
  return (
    <div class="quick" role="group" aria-label={t("What I log most")}>
      {kinds.map(({ name }) => (
        <a
          class="btn quiet"
          style={BUTTON}
          key={name}
          href={makeStartAddress(contact.id, { kind: name })}
        >
          {findChoiceLabel(contact, KIND, name, currentLanguage())}
        </a>
      ))}
    </div>
  );
}
