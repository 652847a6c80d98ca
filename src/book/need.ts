/** Owns what a verb can ask its book for, and the signal that something was not loaded yet. */
import type { DrawKey } from "../ledger/draw-order.ts";
import type { ChargeId, GrantId, InvoiceId, InvoiceLineId } from "../ledger/ids.ts";
import type { CurrencyCode } from "../money/currency.ts";

export type Need =
  | { readonly kind: "grant"; readonly id: GrantId }
  | { readonly kind: "terms"; readonly id: GrantId }
  | { readonly kind: "charge"; readonly id: ChargeId }
  | { readonly kind: "invoice"; readonly id: InvoiceId }
  | { readonly kind: "draft"; readonly currency: CurrencyCode }
  | { readonly kind: "line"; readonly id: InvoiceLineId }
  | { readonly kind: "credit_lines"; readonly invoiceId: InvoiceId }
  | {
      readonly kind: "shelf";
      readonly currency: CurrencyCode;
      readonly featureKey: string | null;
      /** Where loading stopped; the beginning of the shelf is loaded without. */
      readonly after?: DrawKey;
    }
  | { readonly kind: "currency"; readonly code: CurrencyCode }
  | { readonly kind: "rate_card"; readonly key: string; readonly version: number | null }
  | { readonly kind: "profile" };

/** Thrown by a book that was asked for more than was loaded. Never reaches a caller. */
export class NotLoaded extends Error {
  override readonly name = "NotLoaded";
  readonly needs: readonly Need[];

  constructor(needs: readonly Need[]) {
    super(`not loaded: ${needs.map(({ kind }) => kind).join(", ")}`);
    this.needs = needs;
  }
}
