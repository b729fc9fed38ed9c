import { findIdentifiers, type Identifier } from "../../engine/identifiers_in_text";
import { t } from "../../i18n";
import { CardWidget } from "../card/view";
import { CellWidget } from "../place_by_fix/view";
import { described, looksOf, type WidgetProps } from "../props";

export function TextWidget(props: WidgetProps) {
  const looks = looksOf(props.node);
  if (looks.includes("card-code")) return <CardWidget {...props} />;
  if (looks.includes("area-cell")) return <CellWidget {...props} />;
  const { node, change } = props;
  const input = (event: Event): void => change((event.target as HTMLInputElement).value);
  return (
    <>
      {looks.includes("multiline") ? (
        <textarea
          {...described(props)}
          rows={4}
          value={node.text}
          onInput={input}
          autocomplete="off"
        />
      ) : (
        <input
          {...described(props)}
          type="text"
          class={looks.includes("masked") ? "masked" : undefined}
          inputMode={looks.includes("numbers") ? "numeric" : undefined}
          value={node.text}
          onInput={input}
          autocomplete="off"
        />
      )}
      {node.element.privacy === "free-text" && <Warning text={node.text} />}
    </>
  );
}

/** A note that seems to point to a person: say so, while the worker can still take it out. */
function Warning({ text }: { text: string }) {
  const found = findIdentifiers(text);
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
      {found.length > 0 && (
        <p class="state wait">
          {t("This note seems to hold {what}. Please take it out: it could point to a person.", {
            what: found.map((kind) => names[kind]).join(", "),
          })}
        </p>
      )}
    </div>
  );
}
