import { useState } from "preact/hooks";
import { formatCardCode, parseCardCode } from "../../engine/cards";
import { t } from "../../i18n";
import { describeField, type WidgetProps } from "../props";
import { canScan, Scanner } from "../scanner";

/** A card code: typed, scanned, one of the worker's own, or a new one. */
export function CardWidget(props: WidgetProps) {
  const { node, change, help } = props;
  const [isScanning, setScanning] = useState(false);
  const [problem, setProblem] = useState("");
  const take = (text: string): void => {
    setProblem("");
    change(parseCardCode(text) || text.toUpperCase().trim());
  };
  const scanned = (text: string): void => {
    setScanning(false);
    if (parseCardCode(text)) take(text);
    else setProblem(t("This is not one of our cards. Try again, or type the code in."));
  };
  const isOwn = help.people.some((person) => person.code === node.text);
  const isNew = node.text !== "" && parseCardCode(node.text) === node.text && !isOwn;
  return (
    <div class="stack">
      <input
        {...describeField(props)}
        class="code"
        type="text"
        value={node.text}
        onInput={(event) => take((event.target as HTMLInputElement).value)}
        maxLength={10}
        autocomplete="off"
        autocapitalize="characters"
        spellcheck={false}
      />
      {problem && (
        <p class="error" role="status">
          {problem}
        </p>
      )}
      {isScanning ? (
        <Scanner read={scanned} stop={() => setScanning(false)} />
      ) : (
        <div class="quick">
          {canScan() && (
            <button type="button" class="btn" onClick={() => setScanning(true)}>
              {t("Scan the card")}
            </button>
          )}
          {help.newCard() && (
            <button type="button" class="btn" onClick={() => take(help.newCard())}>
              {t("New card")}
            </button>
          )}
        </div>
      )}
      {isNew && <p class="big code">{formatCardCode(node.text)}</p>}
      {help.people.length > 0 && (
        <div class="choices long" role="group" aria-label={t("My cards")}>
          {help.people.slice(0, 6).map((person) => (
            <label class="choice" key={person.code}>
              <input
                type="radio"
                name={`${props.id}-mine`}
                checked={node.text === person.code}
                onChange={() => take(person.code)}
              />
              <span>
                <span class="code">{formatCardCode(person.code)}</span> {person.label}
              </span>
            </label>
          ))}
        </div>
      )}
    </div>
  );
}
