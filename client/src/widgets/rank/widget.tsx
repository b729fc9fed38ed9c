import { words } from "../../engine/functions";
import { t } from "../../i18n";
import type { WidgetProps } from "../props";

/** A list to put in order with buttons. It is no answer until a choice was moved or confirmed. */
export function RankWidget({ form, node, language, change, id, describedBy }: WidgetProps) {
  const byName = new Map(form.options(node).map((option) => [option.name, option]));
  const chosen = words(node.text).filter((name) => byName.has(name));
  const order = [...new Set([...chosen, ...byName.keys()])];
  const move = (from: number, to: number): void => {
    const next = [...order];
    const [name] = next.splice(from, 1);
    next.splice(to, 0, name!);
    change(next.join(" "));
  };
  return (
    <div id={id} aria-describedby={describedBy}>
      <ol class="rank">
        {order.map((name, index) => {
          const label = form.labelOf(byName.get(name)!, language, node);
          return (
            <li key={name} class="row">
              <span>
                {node.text ? `${index + 1}. ` : ""}
                {label}
              </span>
              <span class="pair">
                <button
                  type="button"
                  class="btn quiet"
                  disabled={index === 0}
                  aria-label={t("Up: {label}", { label })}
                  onClick={() => move(index, index - 1)}
                >
                  ↑
                </button>
                <button
                  type="button"
                  class="btn quiet"
                  disabled={index === order.length - 1}
                  aria-label={t("Down: {label}", { label })}
                  onClick={() => move(index, index + 1)}
                >
                  ↓
                </button>
              </span>
            </li>
          );
        })}
      </ol>
      {!node.text && (
        <button type="button" class="btn" onClick={() => change(order.join(" "))}>
          {t("This order is right")}
        </button>
      )}
    </div>
  );
}
