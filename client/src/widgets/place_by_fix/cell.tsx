import { t } from "../../i18n";
import type { WidgetProps } from "../props";

/** A coarse square, filled together with the area; it cannot be typed. */
export function CellWidget(props: WidgetProps) {
  const { node, change, id } = props;
  return (
    <div class="row" id={id} tabIndex={-1}>
      <output class="soft">
        {node.text ? t("A square of 500 m by 500 m is stored.") : t("Filled by “Use my place”.")}
      </output>
      {node.text && (
        <button type="button" class="btn quiet" onClick={() => change("")}>
          {t("Remove")}
        </button>
      )}
    </div>
  );
}
