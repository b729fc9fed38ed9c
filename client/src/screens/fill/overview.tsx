/** All that is sent, on one screen: each line leads to its question. A piece loaded when needed. */

import type { ComponentChildren } from "preact";
import type { Form } from "../../engine/form";
import { t } from "../../i18n";
import { Title } from "../title";
import { type Line, listSections } from "./overview_lines";

interface OverviewProps {
  form: Form;
  language: string;
  presets: ReadonlySet<string>;
  people: { code: string; label: string }[];
  title: string;
  /** Go to a question; undefined where nothing can be changed. */
  open?: (page: number, place: string) => void;
  children?: ComponentChildren; // what stands above the lines
}

const LINE = {
  inlineSize: "100%",
  border: 0,
  background: "none",
  textAlign: "start",
  font: "inherit",
  color: "inherit",
  cursor: "pointer",
} as const;

export function Overview(props: OverviewProps) {
  const { form, language, presets, people, title, open, children } = props;
  const sections = listSections(form, language, presets, people);
  return (
    <>
      <Title>{title}</Title>
      {children}
      {form.isRefusal() && <p class="state">{t("Nothing else about them is sent or kept.")}</p>}
      {sections.map(({ page, number, lines }) => {
        if (lines.length === 0 && !open) return null;
        return (
          <section class="card" key={number} aria-label={page.label || title}>
            {page.label && <h2>{page.label}</h2>}
            <div>
              {lines.map((line) => (
                <LineView
                  key={line.place}
                  line={line}
                  open={open && (() => open(number, line.place))}
                />
              ))}
              {lines.length === 0 && (
                <button
                  type="button"
                  class="link"
                  aria-label={t("Add: {label}", { label: page.label })}
                  onClick={() => open!(number, "")}
                >
                  {t("Add")}
                </button>
              )}
            </div>
          </section>
        );
      })}
    </>
  );
}

function LineView({ line, open }: { line: Line; open: (() => void) | undefined }) {
  const { place, label, answer, problem, isPreset } = line;
  const words = (
    <>
      <span class="soft">
        {label} {isPreset && <small class="tag">{t("filled in for you")}</small>}
      </span>
      {answer && <b>{answer}</b>}
      {problem && <span class="error">{problem}</span>}
    </>
  );
  const id = `line-${place}`;
  if (!open) {
    return (
      <div class="item" id={id}>
        {words}
      </div>
    );
  }
  return (
    <button type="button" class="item" style={LINE} id={id} onClick={open}>
      {words}
    </button>
  );
}
