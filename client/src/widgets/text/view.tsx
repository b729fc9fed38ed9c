import { findIdentifiers, type Identifier } from "../../engine/identifiers_in_text";
import { t } from "../../i18n";
import { CardWidget } from "../card/view";
import { CellWidget } from "../place_by_fix/view";
import { describeField, listAppearances, type WidgetProps } from "../props";
import { describeNotAllowed, type QuestionType } from "../question_type";

function TextWidget(props: WidgetProps) {
  const looks = listAppearances(props.node);
  if (looks.includes("card-code")) return <CardWidget {...props} />;
  if (looks.includes("area-cell")) return <CellWidget {...props} />;
  const { node, change } = props;
  const input = (event: Event): void => change((event.target as HTMLInputElement).value);
  return (
    <>
      {looks.includes("multiline") ? (
        <textarea
          {...describeField(props)}
          rows={4}
          value={node.text}
          onInput={input}
          autocomplete="off"
        />
      ) : (
        <input
          {...describeField(props)}
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
          {t("This note seems to contain {what}. Please remove it: it could point to a person.", {
            what: kinds.map((kind) => names[kind]).join(", "),
          })}
        </p>
      )}
    </div>
  );
}

export const text: QuestionType = {
  View: TextWidget,
  hasSeveralFields: false,
  describeMistyped: describeNotAllowed,
};
