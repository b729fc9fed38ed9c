// Indicators inside another site's page. One line is enough:
//   <script async src="https://CENTRE/embed/kpi.js" data-centre="rexdale"></script>
// or, where it should stand:
//   <fieldapp-kpi centre="rexdale" kpi="encounters" lang="fr"></fieldapp-kpi>
// Nothing of the site reaches in, nothing reaches out: a shadow root, a constructed sheet (no
// inline style for its policy to refuse), no cookie, no request but to the centre.

import css from "../../styles/indicators.css";

const script = document.currentScript instanceof HTMLScriptElement ? document.currentScript : null;
const home = script ? new URL(script.src).origin : "";
const NAME = /^[a-z0-9_-]*$/i;
const WORDS = {
  en: { failed: "The numbers cannot be shown just now.", open: "See them at the centre" },
  fr: {
    failed: "Les nombres ne peuvent pas être montrés en ce moment.",
    open: "Les voir au centre",
  },
};

class Indicators extends HTMLElement {
  static observedAttributes = ["centre", "kpi", "lang", "src"];
  private shown = this.attachShadow({ mode: "open" });
  private within = document.createElement("div");
  private asked = 0;

  connectedCallback(): void {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(
      `:host{display:block}.within{all:initial;display:block;font:400 16px/1.5 system-ui,sans-serif;color:#1d2a30}${css}`,
    );
    this.shown.adoptedStyleSheets = [sheet];
    this.within.className = "within"; // takes over nothing of the site's own look
    this.shown.replaceChildren(this.within);
    void this.load();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) void this.load();
  }

  private async load(): Promise<void> {
    const asked = ++this.asked;
    const language = (this.getAttribute("lang") ?? document.documentElement.lang).startsWith("fr")
      ? "fr"
      : "en";
    const centre = this.getAttribute("centre") ?? "";
    const kpi = this.getAttribute("kpi") ?? "";
    const origin = this.getAttribute("src") ?? home;
    const page = `${origin}/public/${centre}/${language}/`;
    try {
      if (!NAME.test(centre) || !NAME.test(kpi)) throw new Error("name");
      const address = `${origin}/embed/${centre}/${language}/part${kpi ? `?kpi=${kpi}` : ""}`;
      const answer = await fetch(address, { credentials: "omit", referrerPolicy: "no-referrer" });
      if (!answer.ok) throw new Error(String(answer.status));
      const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (asked === this.asked) this.within.replaceChildren(...parsed.body.childNodes);
    } catch {
      if (asked !== this.asked) return;
      const message = document.createElement("p");
      const link = document.createElement("a");
      link.href = page;
      link.textContent = WORDS[language].open;
      message.append(`${WORDS[language].failed} `, link);
      this.within.replaceChildren(message);
    }
  }
}

if (!customElements.get("fieldapp-kpi")) customElements.define("fieldapp-kpi", Indicators);
if (script?.dataset["centre"]) {
  const element = document.createElement("fieldapp-kpi");
  for (const name of ["centre", "kpi", "lang"]) {
    const value = script.dataset[name];
    if (value) element.setAttribute(name, value);
  }
  element.setAttribute("src", home);
  script.after(element);
}
