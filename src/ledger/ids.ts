/**
 * Owns identities. Ids are UUIDv7 whose counter bits carry the creation sequence, so that within
 * one customer the order of ids is the order of creation, by which lists stand (H4): a customer's
 * time never goes back behind what was created before (Journal.creationDate).
 */
import type { Instant } from "../money/time.ts";

declare const idBrand: unique symbol;
type Id<Noun extends string> = string & { readonly [idBrand]: Noun };

export type TenantId = Id<"tenant">;
export type CustomerId = Id<"customer">;
export type GrantId = Id<"credit_grant">;
export type ChargeId = Id<"charge">;
export type InvoiceId = Id<"invoice">;
export type InvoiceLineId = Id<"invoice_line">;
export type ApiKeyId = Id<"api_key">;

/** The counter has 42 bits: more objects than one customer can create, and exact as a number. */
const COUNTER_BITS = 42;
/** So many of them stand in the lower part, behind the two bits of the variant. */
const LOW_COUNTER = 2 ** 30;
const VARIANT = 2 ** 31;

/**
 * Makes a UUIDv7 (RFC 9562, dedicated counter bits): 48 bits of milliseconds, 42 bits of
 * creation sequence, 32 random bits.
 */
export function makeId<Noun extends Id<string>>(
  at: Instant,
  counter: bigint,
  random32: number,
): Noun {
  const time = Number(at / 1000n)
    .toString(16)
    .padStart(12, "0");
  const count = Number(BigInt.asUintN(COUNTER_BITS, counter));
  const high = Math.floor(count / LOW_COUNTER)
    .toString(16)
    .padStart(3, "0");
  const low = (VARIANT + (count % LOW_COUNTER)).toString(16);
  const tail = (random32 >>> 0).toString(16).padStart(8, "0");
  const group = `${low.slice(0, 4)}-${low.slice(4)}${tail}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-7${high}-${group}` as Noun;
}
