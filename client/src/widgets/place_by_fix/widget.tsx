import { useEffect, useState } from "preact/hooks";
import { findAreasAround, findGridCell } from "../../engine/areas";
import type { Form } from "../../engine/form";
import type { AnswerNode } from "../../engine/node";
import type { Option } from "../../engine/types";
import { t } from "../../i18n";
import { listAppearances, type WidgetProps } from "../props";

const PATIENCE = { enableHighAccuracy: true, timeout: 30_000, maximumAge: 0 };
const GOOD = 100; // metres
const USABLE = 1000; // metres: good enough to name an area, not a square

type State = "idle" | "looking" | "failed" | "outside" | "unsure";

/** Questions that ask for the coarse square of the same fix. */
function listCellQuestions(form: Form, node: AnswerNode = form.root): AnswerNode[] {
  const isQuestion = node.element.kind === "question" && node.isRelevant;
  const isCell = isQuestion && listAppearances(node).includes("area-cell");
  const below = node.allChildren().flatMap((child) => listCellQuestions(form, child));
  return isCell ? [node, ...below] : below;
}

/** What the areas around a fix mean: one for sure, several to choose from, or none. */
export function judgeAreas(codes: string[], accuracy: number): State {
  if (codes.length === 1 && accuracy <= USABLE) return "idle";
  return codes.length > 0 ? "unsure" : "outside";
}

type MyPlaceProps = WidgetProps & {
  choices: readonly Option[];
  labelOf: (choice: Option) => string;
};

/**
 * One fix of the phone's place, turned into one of the choices; the fix is gone when this returns.
 */
export function MyPlace(props: MyPlaceProps) {
  const { form, node, help, change, set, choices } = props;
  const list = node.element.choices ?? "";
  const [hasOutlines, setHasOutlines] = useState(false);
  const [state, setState] = useState<State>("idle");
  const [near, setNear] = useState<string[]>([]);
  const [source, setSource] = useState("");
  useEffect(() => {
    if (!("geolocation" in navigator)) return;
    void help.areaLists().then((lists) => setHasOutlines(lists.includes(list)));
  }, []);
  if (!hasOutlines) return null;
  const useFix = async ({ coords }: GeolocationPosition): Promise<void> => {
    const { longitude, latitude, accuracy } = coords;
    const outlines = await help.outlines(list);
    setSource(outlines?.attribution ?? "");
    const around = outlines ? findAreasAround(outlines, longitude, latitude, accuracy) : [];
    const codes = around.filter((code) => choices.some((choice) => choice.name === code));
    const next = judgeAreas(codes, accuracy);
    if (next === "idle") change(codes[0]!);
    if (accuracy <= GOOD) {
      for (const question of listCellQuestions(form))
        set(question, findGridCell(longitude, latitude));
    }
    setNear(next === "idle" ? [] : codes);
    setState(next);
  };
  const look = (): void => {
    setState("looking");
    setNear([]);
    navigator.geolocation.getCurrentPosition(
      (position) => void useFix(position),
      () => setState("failed"),
      PATIENCE,
    );
  };
  const choose = (code: string): void => {
    change(code);
    setNear([]);
    setState("idle");
  };
  const words: Partial<Record<State, string>> = {
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
        {words[state] ?? t("Only the name of the area is stored, never the place.")} {source}
      </p>
      {near.length > 0 && (
        <div class="choices long">
          {near.map((code) => (
            <button type="button" class="btn" key={code} onClick={() => choose(code)}>
              {props.labelOf(choices.find((choice) => choice.name === code)!)}
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
