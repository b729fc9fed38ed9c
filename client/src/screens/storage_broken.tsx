/** When the phone's storage cannot be read. A piece of its own: nearly nobody ever sees it. */

import { useState } from "preact/hooks";
import { t } from "../i18n";
import { saveCopy } from "./mine/copy";
import { Title } from "./title";

export function Broken({ again, startOver }: { again: () => void; startOver: () => void }) {
  const [copied, setCopied] = useState<"" | "saved" | "failed">("");
  return (
    <main class="screen" id="main">
      <p class="brand center">fieldapp</p>
      <div class="card">
        <Title>{t("This phone's storage cannot be read just now")}</Title>
        <p>{t("Close other tabs of the app, then try again. Nothing was deleted.")}</p>
        <button type="button" class="btn main wide" onClick={again}>
          {t("Try again")}
        </button>
        <button
          type="button"
          class="btn wide"
          onClick={() => void saveCopy().then(setCopied, () => setCopied("failed"))}
        >
          {t("Save an encrypted copy")}
        </button>
        {copied === "saved" && (
          <p role="status">{t("Saved. Hand the file to your centre; only they can open it.")}</p>
        )}
        {copied === "failed" && (
          <p class="error" role="status">
            {t("What is stored cannot be read for a copy either.")}
          </p>
        )}
        <details>
          <summary>{t("If this continues")}</summary>
          <p>
            {t(
              "Starting over deletes what is stored here and was not sent. Ask your centre first.",
            )}
          </p>
          <button
            type="button"
            class="btn danger wide"
            onClick={() =>
              confirm(t("Delete all that is stored here? This cannot be undone.")) && startOver()
            }
          >
            {t("Start over")}
          </button>
        </details>
      </div>
    </main>
  );
}
