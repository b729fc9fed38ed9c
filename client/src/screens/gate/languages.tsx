/** The app in another language. */

import { LANGUAGES, currentLanguage } from "../../i18n";

interface OtherLanguagesProps {
  look: "btn" | "link";
  changeLanguage: (code: string) => void;
}

export function OtherLanguages({ look, changeLanguage }: OtherLanguagesProps) {
  const others = Object.entries(LANGUAGES).filter(([code]) => code !== currentLanguage());
  return (
    <>
      {others.map(([code, name]) => (
        <button
          key={code}
          type="button"
          class={look}
          lang={code}
          onClick={() => changeLanguage(code)}
        >
          {name}
        </button>
      ))}
    </>
  );
}
