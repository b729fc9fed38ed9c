/**
 * The line between phone and centre, for tests: fetch with answers that a test writes, and a note
 * of what was asked.
 */

import { createHash } from "node:crypto";
import { setGlobal } from "./browser";
import type { Centre } from "./centre";

export interface Request {
  method: string;
  path: string; // without /sync/v1/
  headers: Headers;
  body: unknown; // parsed, where it is JSON
  bytes: Uint8Array | null;
}

/** What a test answers: a value as JSON, a whole response, or an error as of a line that is cut. */
type Answer = object | Response | Error;

export class Line {
  readonly requests: Request[] = [];
  private readonly answers: [pattern: string, answer: (request: Request) => Answer][] = [];

  constructor(readonly centre: Centre) {
    setGlobal("fetch", (url: string, options: RequestInit) => this.fetch(url, options));
  }

  /** Answer paths that begin so; what is said last counts. */
  answer(pattern: string, answer: (request: Request) => Answer): this {
    this.answers.unshift([pattern, answer]);
    return this;
  }

  to(pattern: string): Request[] {
    return this.requests.filter(({ path }) => path.startsWith(pattern));
  }

  private fetch(url: string, options: RequestInit): Promise<Response> {
    if (!url.startsWith("/sync/v1/")) throw new Error(`Nobody may ask for ${url}.`);
    const { body } = options;
    const isText = typeof body === "string";
    const request: Request = {
      method: options.method ?? "GET",
      path: url.slice("/sync/v1/".length),
      headers: new Headers(options.headers),
      body: isText ? (JSON.parse(body) as unknown) : null,
      bytes: body instanceof Uint8Array ? body : null,
    };
    this.requests.push(request);
    const match = this.answers.find(([pattern]) => request.path.startsWith(pattern));
    const answer = match ? match[1](request) : new TypeError("no line");
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve(answer instanceof Response ? answer : this.sign(request, answer));
  }

  /** An answer of the centre, signed together with the nonce of the request where it has one. */
  sign(request: Request, value: object, by: Centre = this.centre): Response {
    const text = JSON.stringify({ protocol: 1, ...value });
    const nonce = request.headers.get("X-Nonce");
    const hash = createHash("sha256").update(text).digest("hex");
    const signature = nonce ? by.sign(`fieldapp answer 1|${nonce}|${hash}`) : "";
    return new Response(text, { headers: { "X-Signature": signature } });
  }
}

/** A refusal as the centre writes one. */
export function refuse(code: string, status = 400): Response {
  const problem = JSON.stringify({ code, title: `Refused: ${code}` });
  return new Response(problem, { status, headers: { "Content-Type": "application/problem+json" } });
}

/** A page of some other server, as in a café. */
export const portal = (): Response =>
  new Response("<html>Welcome</html>", { headers: { "Content-Type": "text/html" } });
