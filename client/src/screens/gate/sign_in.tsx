/** Sign in at the centre, once for each phone. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { AppleSteps, isApple, isInstalled } from "../install";
import { Title } from "../title";
import type { Credentials } from "./enrolment";
import { GateLanguages, GateProblem, OrderNotice, type GateProps } from "./parts";
import { describePinProblem } from "./pin_rules";

interface SignInProps extends GateProps {
  back: (() => void) | null;
  invitation: string; // "": by name and password
  isKnown: boolean; // somebody's work is on this phone already
}

export function SignIn(props: SignInProps) {
  const { about, orders, changeLanguage, back, invitation } = props;
  const [isInBrowser, setInBrowser] = useState(false);
  if (isApple() && !isInstalled() && !isInBrowser) {
    return (
      <InstallFirst goOn={() => setInBrowser(true)} about={about} changeLanguage={changeLanguage} />
    );
  }
  return (
    <main class="screen" id="main">
      {about}
      <OrderNotice orders={orders} />
      <p class="brand center">fieldapp</p>
      <SignInForm invitation={invitation} isKnown={props.isKnown} opened={props.opened}>
        {back && (
          <button type="button" class="btn wide" onClick={back}>
            {t("Back")}
          </button>
        )}
      </SignInForm>
      <GateLanguages changeLanguage={changeLanguage} />
    </main>
  );
}

type InstallFirstProps = Pick<GateProps, "about" | "changeLanguage"> & { goOn: () => void };

/** An iPhone keeps work only for apps on its home screen. */
function InstallFirst({ about, changeLanguage, goOn }: InstallFirstProps) {
  return (
    <main class="screen" id="main">
      {about}
      <p class="brand center">fieldapp</p>
      <div class="card">
        <Title>{t("First put the app on your home screen")}</Title>
        <p>
          {t(
            "Only there does an iPhone keep your work. In the browser it may delete your work after a week.",
          )}
        </p>
        <AppleSteps />
      </div>
      <button type="button" class="link center" onClick={goOn}>
        {t("Continue in the browser anyway")}
      </button>
      <GateLanguages changeLanguage={changeLanguage} />
    </main>
  );
}

/**
 * Sign in at the centre; return what went wrong, in words. Its code is not part of what is drawn
 * first: it needs a signal anyway.
 */
async function enrol(entered: Credentials, opened: SignInProps["opened"]): Promise<string> {
  const enrolment = await import("./enrolment").catch(() => null);
  if (!enrolment)
    return t("There is no connection to the centre. Signing in for the first time needs one.");
  try {
    opened(await enrolment.enrolPhone(entered));
    return "";
  } catch (error) {
    return enrolment.describeEnrolmentProblem(error);
  }
}

type SignInFormProps = Pick<SignInProps, "invitation" | "isKnown" | "opened"> & {
  children: ComponentChildren;
};

function SignInForm({ invitation, isKnown, opened, children }: SignInFormProps) {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const read = (field: string): string => String(data.get(field) ?? "");
    const pin = read("pin");
    const pinProblem = describePinProblem(pin);
    setProblem(pinProblem);
    if (pinProblem) return;
    setBusy(true);
    try {
      const name = read("username");
      setProblem(await enrol({ name, password: read("password"), pin, invitation }, opened));
    } finally {
      setBusy(false);
    }
  };
  const action = invitation ? t("Join") : t("Sign in");
  return (
    <form class="card" onSubmit={(event) => void submit(event)}>
      <Title>{invitation ? t("You are invited") : t("Sign in")}</Title>
      {invitation && (
        <p>{t("Choose a PIN, and this phone is yours to work with. The invitation works once.")}</p>
      )}
      {isKnown && !invitation && (
        <p>
          {t("Your work on this phone stays. You choose a new PIN; the old one ends with that.")}
        </p>
      )}
      <GateProblem text={problem} />
      {!invitation && <NameAndPassword />}
      <NewPin />
      <button class="btn main wide" disabled={isBusy}>
        {isBusy ? t("One moment …") : action}
      </button>
      {children}
    </form>
  );
}

function NameAndPassword() {
  return (
    <>
      <div class="field">
        <label for="username">{t("User name")}</label>
        <input
          id="username"
          name="username"
          required
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
        />
      </div>
      <div class="field">
        <label for="password">{t("Password")}</label>
        <input
          id="password"
          name="password"
          type="password"
          required
          autocomplete="current-password"
        />
      </div>
    </>
  );
}

function NewPin() {
  return (
    <div class="field">
      <label for="pin">{t("Choose a PIN for this phone")}</label>
      <p class="hint" id="pin-hint">
        {t("6 digits or more. It locks what you write here. Nobody else knows it.")}
      </p>
      <input
        id="pin"
        name="pin"
        type="password"
        inputMode="numeric"
        class="pin"
        required
        minLength={6}
        maxLength={12}
        autocomplete="off"
        aria-describedby="pin-hint"
      />
    </div>
  );
}
