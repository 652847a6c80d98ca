/**
 * Owns the opaque texts that lead from page to page. A token is bound to what it was made for: it
 * carries a digest of the arguments and of its own position, and is refused with any others (H4).
 */
import { createHash } from "node:crypto";
import { refuse } from "../errors.ts";
import type { ListOrder } from "./page.ts";

/** Is part of every digest: a token of another format is refused like any other foreign one. */
const FORMAT = 1;
const DIGEST_BYTES = 15;

/** What a token belongs to: the list, tenant, customer, and whatever chooses and orders rows. */
export type Binding = readonly (string | bigint | boolean | null | readonly string[])[];

export function makeToken(binding: Binding, position: string): string {
  return Buffer.concat([digestOf(binding, position), Buffer.from(position)]).toString("base64url");
}

/** A digest proves no origin, so whether a position can be one is looked at as well. */
type IsPosition = (text: string) => boolean;

/** A number that fits into eight bytes, whatever is added to it. */
export const isNumberPosition: IsPosition = (text) => /^[0-9]{1,18}$/.test(text);

export const isIdPosition: IsPosition = (text) =>
  /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** The position of a token. Refuses one that was not made for exactly this. */
export function readToken(
  binding: Binding,
  token: string,
  { field, isPosition }: { readonly field: string; readonly isPosition: IsPosition },
): string {
  const bytes = Buffer.from(token, "base64url");
  const position = bytes.subarray(DIGEST_BYTES).toString();
  if (makeToken(binding, position) === token && isPosition(position)) return position;
  const message = `${field} was not made for this call with these arguments`;
  throw refuse("CURSOR_MISMATCH", message, {}, field);
}

function digestOf(binding: Binding, position: string): Buffer {
  const text = JSON.stringify([FORMAT, binding, position], (_, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  return createHash("sha256").update(text).digest().subarray(0, DIGEST_BYTES);
}

/** The binding of a list that is asked for in an order. */
export function orderedBinding(binding: Binding, order: ListOrder): Binding {
  // Tokens in the first order are those that there were before there was another.
  return order === "OLDEST_FIRST" ? binding : [...binding, order];
}

/** The position of a page; null for the first page, which needs no token. */
export function readPageToken(
  binding: Binding,
  token: string,
  isPosition: IsPosition,
): string | null {
  return token === "" ? null : readToken(binding, token, { field: "page_token", isPosition });
}

/** Values of a filter that chooses the same rows in whatever order they are named. */
export function asSet<Value extends string>(values: readonly Value[]): readonly Value[] {
  return [...new Set(values)].sort();
}
