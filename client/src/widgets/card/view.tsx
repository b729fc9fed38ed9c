import { useState } from "preact/hooks";
import { formatCardCode, parseCardCode } from "../../engine/cards";
import { t } from "../../i18n";
import { describeField, type Help, type WidgetProps } from "../props";
import { canScan, Scanner } from "../scan_later";
import { findCards } from "./find_cards";

/** The cards as they stand, but for one that would not be shown: it comes first. */
function putFirst(people: Help["people"], code: string): Help["people"] {
  const place = people.findIndex((person) => person.code === code);
  return place < MOST_SHOWN ? people : [people[place]!, ...people];
}

const MOST_SHOWN = 6; // of one's own cards; more come by typing

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
  // What is typed also finds one's own cards; once one is chosen, the last ones are shown again.
  const mine = isOwn ? putFirst(help.people, node.text) : findCards(help.people, node.text);
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
      {mine.length > 0 && (
        <div class="choices long" role="group" aria-label={t("My cards")}>
          {mine.slice(0, MOST_SHOWN).map((person) => (
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
