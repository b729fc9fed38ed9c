/** Try a form out before it is published: the phone's own pages, with answers that go nowhere. */

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type FormDefinition, inLanguage } from "../engine/definition";
import type { Form } from "../engine/form";
import { loadFunctions } from "../engine/load_functions";
import type { AnswerNode } from "../engine/node";
import type { Json } from "../engine/types";
import { setLanguage, t } from "../i18n";
import type { Keeper } from "../screens/fill/keeper";
import { Pages } from "../screens/fill/pages";
import { NO_HELP } from "../widgets/props";
import { Title } from "../screens/title";

const WHO = { username: "worker", deviceid: "phone" };

function Try({ address }: { address: string }) {
  const [definition, setDefinition] = useState<FormDefinition | "failed" | null>(null);
  const [round, setRound] = useState(0);
  const [done, setDone] = useState<Form | null>(null);
  useEffect(() => {
    fetch(address)
      .then((answer) => (answer.ok ? answer.text() : Promise.reject()))
      .then(async (text) => {
        await loadFunctions(text);
        setDefinition(JSON.parse(text) as FormDefinition);
      })
      .catch(() => setDefinition("failed"));
  }, []);
  if (definition === "failed")
    return <p class="error">{t("The form could not be fetched. Load the page again.")}</p>;
  if (!definition) return <p class="soft">{t("Loading …")}</p>;
  const again = (): void => {
    setDone(null);
    setRound(round + 1);
  };
  if (done) return <Done form={done} again={again} />;
  const keeper: Keeper = {
    save: () => Promise.resolve(),
    finish: (_: Json, form: Form) => {
      setDone(form);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
    discard: () => Promise.resolve(),
    exit: again,
    hide: null,
  };
  return (
    <Pages
      key={round}
      definition={definition}
      answers={null}
      page={0}
      who={WHO}
      keeper={keeper}
      help={NO_HELP}
    />
  );
}

/** What would have been sent. */
function Done({ form, again }: { form: Form; again: () => void }) {
  const rows: { name: string; label: string; text: string }[] = [];
  const visit = (node: AnswerNode): void => {
    if (!node.isRelevant) return;
    if (node.element.kind === "question" && node.text) {
      const label = form.plain(inLanguage(node.element.label, document.documentElement.lang), node);
      rows.push({ name: node.where(), label, text: node.text });
    }
    node.allChildren().forEach(visit);
  };
  visit(form.root);
  return (
    <>
      <main class="screen" id="main">
        <Title>{t("This would be sent")}</Title>
        <p class="soft">{t("Nothing was saved: this was only a test.")}</p>
        <section class="card">
          <dl class="ledger">
            {rows.map((row) => (
              <div key={row.name}>
                <dt>
                  {row.label || row.name} <small class="soft">{row.label ? row.name : ""}</small>
                </dt>
                <dd>{row.text}</dd>
              </div>
            ))}
          </dl>
        </section>
      </main>
      <footer class="foot">
        <button type="button" class="btn main wide" onClick={again}>
          {t("Start again")}
        </button>
      </footer>
    </>
  );
}

const root = document.getElementById("app")!;
void setLanguage(document.documentElement.lang).then(() =>
  render(<Try address={root.dataset["definition"]!} />, root),
);
