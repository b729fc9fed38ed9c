/** The app in another language. */

import { LANGUAGES, currentLanguage } from "../../i18n";

export function OtherLanguages({
  look,
  relanguage,
}: {
  look: "btn" | "link";
  relanguage: (code: string) => void;
}) {
  return (
    <>
      {Object.entries(LANGUAGES)
        .filter(([code]) => code !== currentLanguage())
        .map(([code, name]) => (
          <button
            key={code}
            type="button"
            class={look}
            lang={code}
            onClick={() => relanguage(code)}
          >
            {name}
          </button>
        ))}
    </>
  );
}
