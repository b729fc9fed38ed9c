import { useState } from "preact/hooks";
import { inLanguage } from "../../engine/definition";
import type { Form } from "../../engine/form";
import type { AnswerNode } from "../../engine/node";
import { directionOf, nameOfLanguage, t } from "../../i18n";

/** Words to read aloud or to show, large, in a language that both people share. */
export function ConsentCard({
  form,
  node,
  language,
  id,
}: {
  form: Form;
  node: AnswerNode;
  language: string;
  id: string;
}) {
  const { label = {} } = node.element;
  const languages = Object.keys(label).filter((code) => label[code]?.length);
  const [chosen, setChosen] = useState(
    languages.includes(language) ? language : (languages[0] ?? language),
  );
  return (
    <section class="consent" id={id} aria-label={t("Say or show this")}>
      <div class="row">
        <label class="soft" for={`${id}-language`}>
          {t("Say or show this in")}
        </label>
        <select
          id={`${id}-language`}
          value={chosen}
          onChange={(event) => setChosen((event.target as HTMLSelectElement).value)}
        >
          {languages.map((code) => (
            <option key={code} value={code} lang={code}>
              {nameOfLanguage(code)}
            </option>
          ))}
        </select>
      </div>
      <blockquote lang={chosen} dir={directionOf(chosen)} tabIndex={0}>
        {form.plain(inLanguage(label, chosen), node)}
      </blockquote>
    </section>
  );
}
