/** All that is sent, on one screen: each line leads to its question. A piece loaded when needed. */

import type { ComponentChildren } from "preact";
import type { Form } from "../../engine/form";
import { t } from "../../i18n";
import { Help } from "../help/help";
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
  display: "flex",
  flexWrap: "wrap",
  alignItems: "baseline",
  gap: "0 12px",
  inlineSize: "100%",
  minBlockSize: "48px",
  padding: "6px 0",
  border: 0,
  background: "none",
  textAlign: "start",
  font: "inherit",
  color: "inherit",
} as const;
const ROW = { paddingBlock: 0 };
const LABEL = { flex: "1 1 7rem" };
const ANSWER = { flex: "1.4 1 8rem", minInlineSize: 0, overflowWrap: "anywhere" } as const;

export function Overview(props: OverviewProps) {
  const { form, language, presets, people, title, open, children } = props;
  const sections = listSections(form, language, presets, people);
  return (
    <>
      {open ? (
        <Help about="overview" name={title}>
          <Title>{title}</Title>
        </Help>
      ) : (
        <Title>{title}</Title>
      )}
      {children}
      {form.isRefusal() && <p class="state">{t("Nothing else about them is sent or stored.")}</p>}
      <ul class="card" style={{ listStyle: "none", gap: 0 }}>
        {sections.map(({ page, number, lines }) => {
          if (lines.length === 0) {
            return open && <EmptyPage label={page.label} open={() => open(number, "")} />;
          }
          return lines.map((line) => (
            <LineView
              key={line.place}
              line={line}
              open={open && (() => open(number, line.place))}
            />
          ));
        })}
      </ul>
    </>
  );
}

/** A page without answers, which may be given here. */
function EmptyPage({ label, open }: { label: string; open: () => void }) {
  return (
    <li class="item" style={ROW}>
      <button
        type="button"
        style={{ ...LINE, cursor: "pointer" }}
        aria-label={t("Add: {label}", { label })}
        onClick={open}
      >
        <span class="soft" style={LABEL}>
          {label}
        </span>
        <span class="link" style={ANSWER}>
          {t("Add")}
        </span>
      </button>
    </li>
  );
}

function LineView({ line, open }: { line: Line; open: (() => void) | undefined }) {
  const { place, label, answer, problem, isPreset } = line;
  const words = (
    <>
      <span class="soft" style={LABEL}>
        {label}
      </span>
      <span style={ANSWER}>
        {answer && <b>{answer}</b>}{" "}
        {isPreset && <small class="soft">· {t("filled in for you")}</small>}
        {problem && <span class="error">{problem}</span>}
      </span>
    </>
  );
  const id = `line-${place}`;
  return (
    <li class="item" style={ROW}>
      {open ? (
        <button type="button" style={{ ...LINE, cursor: "pointer" }} id={id} onClick={open}>
          {words}
        </button>
      ) : (
        <div style={LINE} id={id}>
          {words}
        </div>
      )}
    </li>
  );
}
