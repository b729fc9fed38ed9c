import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { describeField, type WidgetProps } from "../props";

/** One fix of the phone's place, on request. */
export function PlaceWidget(props: WidgetProps) {
  const { node, change, id } = props;
  const [state, setState] = useState<"idle" | "looking" | "failed">("idle");
  const look = (): void => {
    setState("looking");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const numbers = [coords.latitude, coords.longitude, coords.altitude ?? 0, coords.accuracy];
        change(numbers.map((number) => String(Number(number.toFixed(6)))).join(" "));
        setState("idle");
      },
      () => setState("failed"),
      { enableHighAccuracy: true, timeout: 30_000, maximumAge: 0 },
    );
  };
  const [latitude, longitude, , accuracy] = node.text.split(" ");
  return (
    <div {...describeField(props)} class="stack" id={id} role="group">
      {node.text && (
        <p>
          {latitude}, {longitude}{" "}
          <small class="soft">± {Math.round(Number(accuracy ?? 0))} m</small>
        </p>
      )}
      {state === "failed" && (
        <p class="error" role="status">
          {t(
            "The phone could not find its place. Go outside, allow it for this app, and try again.",
          )}
        </p>
      )}
      <div class="buttons">
        <button type="button" class="btn" disabled={state === "looking"} onClick={look}>
          {state === "looking" ? t("Looking …") : t("Use this place")}
        </button>
        {node.text && (
          <button type="button" class="btn quiet" onClick={() => change("")}>
            {t("Remove")}
          </button>
        )}
      </div>
    </div>
  );
}
