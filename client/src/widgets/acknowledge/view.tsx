import { t } from "../../i18n";
import { described, type WidgetProps } from "../props";

export function AcknowledgeWidget(props: WidgetProps) {
  return (
    <div class="choices long">
      <label class="choice">
        <input
          {...described(props)}
          type="checkbox"
          checked={props.node.text === "OK"}
          onChange={(event) => props.change((event.target as HTMLInputElement).checked ? "OK" : "")}
        />
        <span>{t("Yes, I have read this")}</span>
      </label>
    </div>
  );
}
