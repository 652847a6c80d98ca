/** Owns what the model does for each write of a credit grant: guards first, then effects. */
import { CreditGrantSchema, PurchaseSchema } from "../../gen/drawdown/v1/credit_grant_pb.ts";
import { InvoiceLineSchema } from "../../gen/drawdown/v1/invoice_pb.ts";
import {
  type Book,
  conclude,
  draw,
  fund,
  type Grant,
  isBy,
  isReady,
  post,
  wayOut,
} from "./books.ts";
import { LIMIT, most, round, total } from "./figures.ts";
import { issue, openInvoice } from "./invoices.ts";
import type { Answers, Model } from "./model.ts";
import { pay, voidGrant } from "./payments.ts";
import { make } from "./plain.ts";
import { refuseIf } from "./refusals.ts";
import { findGrant, movementsAfter, showGrant, showInvoice } from "./views.ts";

/** How much credit to issue (M1). */
function issuable(model: Model, book: Book, ask: { currency: string; amount: bigint | undefined }) {
  const { currency } = ask;
  const amount = model.exact(currency, ask.amount);
  const issued = total(book.grants.filter((grant) => grant.currency === currency));
  refuseIf(issued + amount >= LIMIT, "AMOUNT_OUT_OF_RANGE", { currency, issued }, "amount");
  return amount;
}

function addGrant(model: Model, book: Book, fields: Partial<Grant>): Grant {
  const [id, createdAt, status] = [model.id(), book.now, "PENDING"];
  const { id: customerId } = book.customer;
  const grant = make(CreditGrantSchema, { ...fields, id, customerId, status, createdAt });
  grant.priority ||= 10;
  book.grants.push(grant);
  book.last = book.now;
  return grant;
}

export const GRANT_WRITES = {
  createCreditGrant: (ask, book, model) => {
    const { currency, purchase: terms, expiresAt, invoiceId } = { invoiceId: "", ...ask };
    model.currencyOf(currency);
    const minor = terms && model.minorOf(terms.currency, "purchase.currency");
    const amount = issuable(model, book, ask);
    const perUnitCost = terms?.perUnitCost ?? 0n;
    const cost = round(amount * perUnitCost, 24, minor ?? 0);
    const [money, field] = [terms?.currency ?? "", "purchase.per_unit_cost"];
    refuseIf(cost >= LIMIT, "AMOUNT_OUT_OF_RANGE", { currency: money }, field);
    const isNothing = terms !== undefined && cost === 0n;
    refuseIf(isNothing, "PURCHASE_ROUNDS_TO_ZERO", { amount, currency: money }, field);
    const effectiveAt = most(ask.effectiveAt ?? 0n, book.now);
    refuseIf(isBy(expiresAt, effectiveAt), "TIME_NOT_IN_FUTURE", {}, "expires_at");

    const availability = terms?.availability.replace("UNSPECIFIED", "ON_SETTLEMENT") ?? "";
    const bought = { currency: money, perUnitCost, amount: cost, availability };
    const purchase = terms && make(PurchaseSchema, { ...bought, settlementStatus: "PENDING" });
    const grant = addGrant(model, book, { ...ask, amount, effectiveAt, purchase, invoiceId });
    const isSold = ask.fundingMethod === "INVOICE";
    const invoice = isSold ? openInvoice(model, book, money, "PURCHASE") : undefined;
    if (invoice !== undefined) {
      const line = { id: model.id(), description: ask.name, amount: cost };
      invoice.lines.push(make(InvoiceLineSchema, { ...line, creditGrantId: grant.id }));
      issue(book, invoice);
      grant.invoiceId = invoice.id;
    }
    if (effectiveAt === book.now && isReady(grant)) fund(book, grant);
    return { creditGrant: showGrant(book, grant), invoice: invoice && showInvoice(invoice) };
  },

  voidCreditGrant: ({ creditGrantId, reason }, book) => {
    const grant = findGrant(book, creditGrantId);
    const { status } = grant;
    const isOver = status === "EXHAUSTED" || status === "EXPIRED";
    const facts = { credit_grant_id: creditGrantId, status };
    refuseIf(isOver, "CREDIT_GRANT_NOT_ACTIVE", facts);

    if (status !== "VOIDED") voidGrant(book, grant, reason);
    return { creditGrant: showGrant(book, grant) };
  },

  updateExternalSettlement: ({ creditGrantId: credit_grant_id, status: to }, book) => {
    const grant = findGrant(book, credit_grant_id);
    const { fundingMethod: funding_method, purchase } = grant;
    const isExternal = funding_method === "EXTERNAL";
    refuseIf(!isExternal, "NOT_EXTERNALLY_FUNDED", { credit_grant_id, funding_method });
    const from = purchase?.settlementStatus ?? "";
    const isOpen = from === "PENDING" || (from === "AUTHORIZED" && to !== "PENDING");
    const facts = { credit_grant_id, from, to };
    refuseIf(to !== from && !isOpen, "SETTLEMENT_TRANSITION_REFUSED", facts);

    if (to !== from && to === "FAILED") voidGrant(book, grant, "");
    else if (to !== from) pay(book, grant, to);
    return { creditGrant: showGrant(book, grant) };
  },

  adjustCredits: (
    { currency, reason, metadata, creditGrantId, amount: given = 0n },
    book,
    model,
  ) => {
    const words = { description: reason, metadata };
    const named = creditGrantId === "" ? undefined : findGrant(book, creditGrantId);
    model.currencyOf(currency);
    const since = book.transfers.length;
    if (given > 0n) {
      const amount = issuable(model, book, { currency, amount: given });
      const terms = { currency, amount, fundingMethod: "PROMOTIONAL", ...words };
      const grant = addGrant(model, book, terms);
      fund(book, grant, words);
      return { movements: movementsAfter(book, since), creditGrant: showGrant(book, grant) };
    }
    const isOther = named !== undefined && named.currency !== currency;
    refuseIf(isOther, "INVALID_REQUEST", {}, "currency");
    const amount = -model.exact(currency, given);
    const { status = "ACTIVE" } = named ?? {};
    const facts = { credit_grant_id: creditGrantId, status };
    refuseIf(status !== "ACTIVE", "CREDIT_GRANT_NOT_ACTIVE", facts);
    const taken = draw(book, currency, amount, (grant) => (named ?? grant) === grant);
    refuseIf(taken.short > 0n, "INSUFFICIENT_CREDITS", taken.facts);

    for (const { grant, amount: part } of taken.draws) {
      const flow = `ADJUSTED CUSTOMER_CREDIT ${wayOut(grant)}` as const;
      post(book, grant, part, flow, { words });
      conclude(book, grant);
    }
    return { movements: movementsAfter(book, since) };
  },
} satisfies Partial<Answers>;
