/**
 * Signing a phone in at the centre: keys, account and vault are made, and the first forms fetched.
 */

import { t } from "../../i18n";
import { randomBytes, sha256, toUtf8 } from "../../storage/bytes";
import { canVerify } from "../../storage/receipts";
import { makeSigningKey } from "../../storage/sealing";
import {
  type Account,
  DEFAULT_RULES,
  deriveKeyFromPin,
  enrol,
  type Vault,
} from "../../storage/vault";
import { fetchManifestContent } from "../../sync/exchange";
import { join, type SignedIn, signIn } from "../../sync/server";
import { Offline, Refused } from "../../sync/requests";

export interface Credentials {
  name: string;
  password: string;
  pin: string;
  invitation: string; // "": by name and password
}

/** The browser cannot check the centre's signatures. */
export class TooOldBrowser extends Error {}

/** What the phone is called in the centre's list of phones. */
export function nameDevice(agent: string): string {
  if (/iPhone|iPad/.test(agent)) return "iPhone";
  return agent.includes("Android") ? "Android" : "Browser";
}

/** Make the account that a phone keeps. Older centres leave parts of the manifest out. */
export function makeAccount(answer: SignedIn, signer: string): Account {
  const { token, device, user, username, worker, manifest } = answer;
  const { centre, key = null, receipts = null, team = [], rules = DEFAULT_RULES } = manifest;
  return {
    user,
    username,
    device,
    signer,
    token,
    worker,
    centre,
    key,
    receipts,
    team,
    rules,
    listed: [],
    remembered: {},
  };
}

/**
 * Sign this phone in and open its vault.
 *
 * Raises TooOldBrowser, Refused (the centre said no), Offline, or what the phone's storage said.
 */
export async function enrolPhone(credentials: Credentials): Promise<Vault> {
  const { name, password, pin, invitation } = credentials;
  const salt = randomBytes(16);
  const byPin = { salt, key: deriveKeyFromPin(pin, salt) }; // works while the centre answers
  if (!(await canVerify())) throw new TooOldBrowser();
  const keys = await makeSigningKey();
  const device = nameDevice(navigator.userAgent);
  const answer = await (invitation
    ? join(invitation, device, keys.publicKey)
    : signIn(name, password, device, keys.publicKey));
  const account = makeAccount(answer, keys.privateKey);
  account.labelSalt = await sha256(toUtf8(`fieldapp labels 1|${answer.recovery}`));
  const vault = await enrol(account, byPin, answer.recovery);
  const learn = async (): Promise<void> =>
    (await import("../../sync/rare_exchange")).learnPassword(vault, password);
  if (password) void learn().catch(() => undefined); // My cards asks for it again
  // With the first form in, the rest comes meanwhile.
  await new Promise<void>((goOn) => {
    void fetchManifestContent(vault, answer.manifest, goOn).catch(() => goOn());
  });
  return vault;
}

/** Why signing in did not work, in words for the worker. */
export function describeEnrolmentProblem(error: unknown): string {
  if (error instanceof TooOldBrowser) {
    return t("This browser is too old to check the centre's signature. Update it, then try again.");
  }
  if (error instanceof Refused) return error.message;
  if (error instanceof Offline) {
    return t("There is no connection to the centre. Signing in for the first time needs one.");
  }
  return t("This phone could not save. Make room on it, or leave private browsing, and try again.");
}
