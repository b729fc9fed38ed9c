/** A small “?” that opens two sentences in place. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { type Piece, usePiece } from "../../widgets/piece";

type Texts = typeof import("./help_texts");
type Topic = keyof Texts;
const texts: Piece<Texts> = { load: () => import("./help_texts") };

const BESIDE = { flex: 1, minInlineSize: 0 };
// As large as any other target, and hardly taller than the heading beside it.
const BUTTON = { minInlineSize: "var(--target)", marginBlock: "-12px" };
const BELOW = { inlineSize: "100%" };

interface HelpProps {
  about: Topic;
  name: string; // of what it explains, as it stands on the screen
  children: ComponentChildren; // beside which the button stands
}

export function Help({ about, name, children }: HelpProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <div class="row">
      <div style={BESIDE}>{children}</div>
      <button
        type="button"
        class="btn quiet"
        style={BUTTON}
        aria-label={t("Help: {name}", { name })}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        ?
      </button>
      {isOpen && <HelpText about={about} />}
    </div>
  );
}

function HelpText({ about }: { about: Topic }) {
  const module = usePiece(texts);
  const text = module === "failed" ? t("This part is not on the phone yet") : module?.[about]();
  return (
    <p class="soft" role="status" style={BELOW}>
      {text}
    </p>
  );
}
