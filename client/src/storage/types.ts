/**
 * The rows of the phone's stores, and what stands in several of them. Names of fields are stored:
 * they do not change.
 */

/** A public key of the centre. */
export interface CentreKey {
  kid: string;
  public: string; // base64: an uncompressed point of P-256, or Ed25519 for what the centre signs
}

/** A value that only this worker's own key opens (AES-GCM, as JSON). */
export interface Sealed {
  iv: Uint8Array<ArrayBuffer>;
  data: ArrayBuffer;
}

/** The end of the centre's audit log, as it was heard first on a day: "EPOCH:LINK". */
export type HeardHead = [day: number, head: string];

/**
 * A worker on this phone. Without `byPin` and `byPasskey` only the password, at the centre, opens
 * it again.
 */
export interface VaultRow {
  user: number;
  username: string;
  device: string; // what this worker's sign-in on this phone is called at the centre
  shredDays: number;
  receipts?: CentreKey | null; // what the centre signs with, from when this worker joined
  base: { made: number; deleted: number }; // counted before this sign-in
  epoch?: number; // the newest epoch of the centre's log that was heard of
  heads?: HeardHead[]; // ends of the centre's audit log, the newest first
  salt: Uint8Array<ArrayBuffer>;
  iterations: number;
  byPin: Sealed | null;
  byPasskey: { id: ArrayBuffer; salt: Uint8Array<ArrayBuffer>; sealed: Sealed } | null;
  byRecovery: Sealed;
  account: Sealed;
  tries: number;
  notBefore: number;
}

export interface FormRow {
  key: string; // user/id/version
  user: number;
  id: string;
  version: string;
  sha256: string;
  text: string;
  isCurrent: boolean;
}

export interface AreasRow {
  key: string; // user/name of the choice list
  user: number;
  name: string;
  sha256: string;
  text: string;
}

/** In place of the number of a page: where all answers are looked over before they are sent. */
export const OVERVIEW = 1000;

export interface DraftRow {
  id: string;
  user: number;
  sealed: Sealed;
}

/** What only the centre can open, and proof of which phone made it. */
export interface SealedBox {
  device: string;
  kid: string;
  box: Uint8Array<ArrayBuffer>;
  signature: Uint8Array<ArrayBuffer>;
}

/** Where a record stands in the centre's log, by its receipt. */
export interface LogPlace {
  epoch: number;
  position: number;
}

export interface OutboxRow {
  id: string;
  user: number;
  seq: number;
  /** kept: the centre needs to look at it; open: its worker took it back, and a draft has it. */
  state: "waiting" | "delivered" | "kept" | "deleted" | "open";
  box: SealedBox | null; // gone once the centre holds it beyond one disk
  at?: LogPlace; // where the centre has it, as long as the box is here
  isSafe?: true; // the centre holds it in two places
  isAgain?: true; // the centre had it, and lost it
  about: Sealed | null; // which form and when, for the worker's own eyes
  of?: Sealed; // card code of whom it is about, as long as there is a copy
  copy?: Sealed; // the answers for the worker's own eyes (storage/copies.ts)
  undo?: Sealed; // what finishing it changed, until it is sent
  tried?: boolean; // the centre may have it
  shredOn: number; // days since 1970 after which this line goes too; 0 while it waits
  isEnded?: boolean | undefined; // its person took everything back
  isUnlinked?: boolean | undefined; // the centre does not know its card any more
}

/** A picture, recording or file, sealed, on its way before the record that names it. */
export interface BlobRow {
  hash: string;
  user: number;
  record: string;
  device: string;
  data: Uint8Array<ArrayBuffer>;
  proof: string; // the phone's signature under hash and size
  sent: number; // bytes that the centre has
  own?: Sealed; // as it was captured, for a worker who takes the record back
}

/**
 * What is left, unsealed, for the service worker, which has no key: on which days to remind a
 * worker who asked for it.
 */
export interface ReminderRow {
  user: number;
  days: string[]; // each is said once
  words: string; // the same for everybody, in the worker's language
}

export interface CountersRow {
  user: number;
  made: number;
  delivered: number;
  kept: number;
  deleted: number;
  deliveredAgain?: number; // of those delivered, how often the centre lost one
  keptAgain?: number;
}

export interface Rows {
  vaults: VaultRow;
  forms: FormRow;
  areas: AreasRow;
  drafts: DraftRow;
  outbox: OutboxRow;
  blobs: BlobRow;
  counters: CountersRow;
  books: { user: number; sealed: Sealed };
  maps: { user: number; mark: string; sealed: Sealed };
  places: { user: number; sealed: Sealed };
  reminders: ReminderRow;
  marks: { name: string; at: number; filler?: Uint8Array };
}
