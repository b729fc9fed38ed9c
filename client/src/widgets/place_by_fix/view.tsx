import { useEffect, useState } from "preact/hooks";
import { areasAround, cellOf } from "../../engine/areas";
import type { AnswerNode } from "../../engine/node";
import type { Form } from "../../engine/form";
import type { Option } from "../../engine/types";
import { t } from "../../i18n";
import { looksOf, type WidgetProps } from "../props";

const PATIENCE = { enableHighAccuracy: true, timeout: 30_000, maximumAge: 0 };
const GOOD = 100; // metres

type State = "idle" | "looking" | "failed" | "outside" | "unsure";

/** Questions that ask for the coarse square of the same fix. */
function cells(form: Form, node: AnswerNode = form.root): AnswerNode[] {
  const own =
    node.element.kind === "question" && node.isRelevant && looksOf(node).includes("area-cell")
      ? [node]
      : [];
  return [...own, ...node.allChildren().flatMap((child) => cells(form, child))];
}

/** One fix of the phone's place, turned into one of the choices; the fix is gone when this returns. */
export function MyPlace(
  props: WidgetProps & { choices: readonly Option[]; labelOf: (choice: Option) => string },
) {
  const { form, node, help, change, set } = props;
  const list = node.element.choices ?? "";
  const [isThere, setThere] = useState(false);
  const [state, setState] = useState<State>("idle");
  const [near, setNear] = useState<string[]>([]);
  const [source, setSource] = useState("");
  useEffect(() => {
    if ("geolocation" in navigator)
      void help.areaLists().then((lists) => setThere(lists.includes(list)));
  }, []);
  if (!isThere) return null;
  const look = (): void => {
    setState("looking");
    setNear([]);
    navigator.geolocation.getCurrentPosition(
      async ({ coords: { longitude, latitude, accuracy } }) => {
        const outlines = await help.outlines(list);
        setSource(outlines?.attribution ?? "");
        const found = outlines ? areasAround(outlines, longitude, latitude, accuracy) : [];
        const known = found.filter((code) => props.choices.some((choice) => choice.name === code));
        const isSure = known.length === 1 && accuracy <= 10 * GOOD;
        if (isSure) change(known[0]!);
        if (accuracy <= GOOD)
          for (const cell of cells(form)) set(cell, cellOf(longitude, latitude));
        setNear(isSure ? [] : known);
        setState(isSure ? "idle" : known.length > 0 ? "unsure" : "outside");
      },
      () => setState("failed"),
      PATIENCE,
    );
  };
  const said: Partial<Record<State, string>> = {
    failed: t("The phone could not find its place. Choose from the list."),
    outside: t("This place is in none of the areas. Choose from the list."),
    unsure: t("You are in or near one of these. Which one?"),
  };
  return (
    <div class="stack">
      <button type="button" class="btn" disabled={state === "looking"} onClick={look}>
        {state === "looking" ? t("Looking …") : t("Use my place")}
      </button>
      <p class="soft" role="status">
        {said[state] ?? t("Only the name of the area is kept, never the place.")} {source}
      </p>
      {near.length > 0 && (
        <div class="choices long">
          {near.map((code) => (
            <button
              type="button"
              class="btn"
              key={code}
              onClick={() => {
                change(code);
                setNear([]);
                setState("idle");
              }}
            >
              {props.labelOf(props.choices.find((choice) => choice.name === code)!)}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** A coarse square, filled together with the area; it cannot be typed. */
export function CellWidget(props: WidgetProps) {
  const { node, change, id } = props;
  return (
    <div class="row" id={id} tabIndex={-1}>
      <output class="soft">
        {node.text ? t("A square of 500 m by 500 m is kept.") : t("Filled by “Use my place”.")}
      </output>
      {node.text && (
        <button type="button" class="btn quiet" onClick={() => change("")}>
          {t("Forget it")}
        </button>
      )}
    </div>
  );
}
