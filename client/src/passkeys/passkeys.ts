/**
 * The script of pages that ask for a passkey, or make one. Without it, or where a browser knows no
 * passkeys, their forms stay hidden and the other ways of the page are used.
 */

const decode = (text: string): ArrayBuffer => {
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(bytes, (each) => each.charCodeAt(0)).buffer;
};

const encode = (data: ArrayBuffer | null | undefined): string => {
  const bytes = String.fromCharCode(...new Uint8Array(data ?? new ArrayBuffer(0)));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

interface Listed {
  id: string;
  type: "public-key";
}
interface Options {
  challenge: string;
  user?: { id: string };
  allowCredentials?: Listed[];
  excludeCredentials?: Listed[];
}

/** Return the server's options with bytes where the browser wants them. */
function readOptions(text: string): object {
  const options = JSON.parse(text) as Options;
  const list = (listed: Listed[] = []): object[] =>
    listed.map((each) => ({ ...each, id: decode(each.id) }));
  return {
    ...options,
    challenge: decode(options.challenge),
    ...(options.user && { user: { ...options.user, id: decode(options.user.id) } }),
    allowCredentials: list(options.allowCredentials),
    excludeCredentials: list(options.excludeCredentials),
  };
}

/** Return what a browser answered as the server reads it. */
function writeAnswer(credential: PublicKeyCredential): string {
  const response = {
    clientDataJSON: encode(credential.response.clientDataJSON),
    ...writeResponse(credential.response),
  };
  return JSON.stringify({
    id: credential.id,
    rawId: encode(credential.rawId),
    type: credential.type,
    response,
  });
}

function writeResponse(response: AuthenticatorResponse): Record<string, string> {
  if (response instanceof AuthenticatorAttestationResponse) {
    return { attestationObject: encode(response.attestationObject) };
  }
  const { authenticatorData, signature, userHandle } = response as AuthenticatorAssertionResponse;
  return {
    authenticatorData: encode(authenticatorData),
    signature: encode(signature),
    ...(userHandle && { userHandle: encode(userHandle) }),
  };
}

async function ask(form: HTMLFormElement): Promise<Credential | null> {
  const publicKey = readOptions(form.dataset.options ?? "{}");
  const { credentials } = navigator;
  return form.dataset.passkey === "create"
    ? credentials.create({ publicKey: publicKey as PublicKeyCredentialCreationOptions })
    : credentials.get({ publicKey: publicKey as PublicKeyCredentialRequestOptions });
}

function prepare(form: HTMLFormElement): void {
  const button = form.querySelector("button")!;
  const problem = form.querySelector<HTMLElement>("[role=alert]")!;
  button.addEventListener("click", () => {
    problem.hidden = true;
    ask(form)
      .then((credential) => {
        const answer = writeAnswer(credential as PublicKeyCredential);
        form.querySelector<HTMLInputElement>("[data-answer]")!.value = answer;
        form.submit();
      })
      .catch(() => {
        // Cancelled, no passkey on this device, or none that may be used: it does not say which.
        problem.hidden = false;
      });
  });
  form.hidden = false;
}

if ("PublicKeyCredential" in window) {
  document.querySelectorAll<HTMLFormElement>("form[data-passkey]").forEach(prepare);
}
