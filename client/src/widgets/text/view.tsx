import { CardWidget } from "../card/view";
import { loadLater } from "../load_later";
import { CellWidget } from "../place_by_fix/view";
import { describeField, listAppearances, type WidgetProps } from "../props";
import { describeNotAllowed, type QuestionType } from "../question_type";

const IdentifierWarning = loadLater((widgets) => widgets.IdentifierWarning, true);

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
      {node.element.privacy === "free-text" && <IdentifierWarning text={node.text} />}
    </>
  );
}

export const text: QuestionType = {
  View: TextWidget,
  hasSeveralFields: false,
  describeMistyped: describeNotAllowed,
};
