/**
 * Owns what a batch knows of request ids: what was answered to them before, stored or in this very
 * batch, and the refusal of one that comes with another request (W1).
 */
import { refuse } from "../errors.ts";
import type { RequestKey } from "./job.ts";

/** The first answer to a request id, as it was stored. */
export interface FirstAnswer<Stored> {
  readonly fingerprint: Uint8Array;
  readonly stored: Stored;
}

type Given<Stored> =
  | { readonly kind: "stored"; readonly stored: Stored }
  | { readonly kind: "answered"; readonly answer: unknown };

export class RequestAnswers<Stored> {
  readonly #given = new Map<string, Given<Stored> & { readonly fingerprint: Uint8Array }>();

  know(requestId: string, { fingerprint, stored }: FirstAnswer<Stored>): void {
    this.#given.set(requestId, { kind: "stored", fingerprint, stored });
  }

  /** Keeps what was answered just now, for the same request later in the batch. */
  keep({ id, fingerprint }: RequestKey, answer: unknown): void {
    this.#given.set(id, { kind: "answered", fingerprint, answer });
  }

  /** What a request was answered before; undefined when its id is new. */
  find({ id, fingerprint }: RequestKey): Given<Stored> | undefined {
    const given = this.#given.get(id);
    if (given === undefined || Buffer.compare(given.fingerprint, fingerprint) === 0) return given;
    const message = "this request_id was used for another request";
    throw refuse("REQUEST_ID_REUSED", message, { request_id: id }, "request_id");
  }
}
