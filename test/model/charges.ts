/** Owns what the model does for each write of a charge: guards first, then effects. */
import { AllocationSchema, type Charge, ChargeSchema } from "../../gen/drawdown/v1/charge_pb.ts";
import type { RateCard } from "../../gen/drawdown/v1/rate_card_pb.ts";
import { type Book, cancel, conclude, draw, type Grant, isPaid, post, release } from "./books.ts";
import { DAY, least, most, total } from "./figures.ts";
import { addLine, takeBack } from "./invoices.ts";
import type { Answers, Ask, Model } from "./model.ts";
import { make, type Plain } from "./plain.ts";
import { type Facts, Refused, refusalOf, refuseIf } from "./refusals.ts";
import { findCharge, findGrant, movementsAfter, showCharge } from "./views.ts";

type ChargeAsk = Omit<Ask<"createCharge">, "requestId">;

/** What a charge comes to. */
export function price(model: Model, ask: ChargeAsk) {
  const card = ask.rateCardKey === "" ? undefined : model.cardOf(ask.rateCardKey);
  const { currency, featureKey, settlementMode } = card ?? ask;
  model.currencyOf(currency);
  const facts = { rate_card_key: ask.rateCardKey, version: String(card?.version) };
  refuseIf(card?.archivedAt !== undefined, "RATE_CARD_ARCHIVED", facts);
  if (settlementMode === "CREDIT_THEN_INVOICE") model.minorOf(currency, "currency");
  const amount = card ? model.rated(card, ask.quantity ?? 0n) : model.exact(currency, ask.amount);
  return { card, terms: { currency, featureKey, settlementMode, amount } };
}

/** What a charge would draw, up to the refusals of shape. */
export function plan(book: Book, ask: ChargeAsk, { terms }: ReturnType<typeof price>) {
  const { holdExpiresAt = book.now + 7n * DAY } = ask;
  const isTooLate = holdExpiresAt > book.now + 31n * DAY;
  refuseIf(isTooLate, "INVALID_REQUEST", {}, "hold_expires_at");
  refuseIf(holdExpiresAt <= book.now, "TIME_NOT_IN_FUTURE", {}, "hold_expires_at");
  const drawn = draw(book, terms.currency, terms.amount, mayPayFor(terms.featureKey));
  return { ...drawn, holdExpiresAt };
}

const mayPayFor = (feature: string) => (grant: Grant) =>
  grant.features.length === 0 || grant.features.includes(feature);

/** Refuses what credit has to cover alone and does not (D3). */
function requireCover(settlementMode: string, short: bigint, facts: Facts): void {
  refuseIf(settlementMode === "CREDIT_ONLY" && short > 0n, "INSUFFICIENT_CREDITS", facts);
}

const hold = (book: Book, grant: Grant, amount: bigint, chargeId: string) =>
  post(book, grant, amount, "HELD CUSTOMER_CREDIT CUSTOMER_HELD", { chargeId });

const allocationsOf = (parts: readonly { readonly grant: Grant; readonly amount: bigint }[]) =>
  parts.map(({ grant, amount }) =>
    make(AllocationSchema, { creditGrantId: grant.id, amount, returned: 0n }),
  );

/**
 * Consumes what was held in the order taken, then what more is drawn; releases what is over, the
 * last taken first; invoices the rest (D5). Of each grant there is one draw (D2): more credit of
 * one that is held joins its hold.
 */
function settle(
  model: Model,
  book: Book,
  charge: Plain<Charge>,
  { amount, draws }: { amount: bigint; draws: ReturnType<typeof draw>["draws"] },
): void {
  const { id: chargeId } = charge;
  const parts = charge.allocations.map(({ creditGrantId, amount: held }) => {
    return { grant: findGrant(book, creditGrantId), from: "CUSTOMER_HELD", there: held };
  });
  for (const { grant, amount: more } of draws) {
    const part = parts.find((each) => each.grant === grant);
    if (part === undefined) parts.push({ grant, from: "CUSTOMER_CREDIT", there: more });
    else hold(book, grant, more, chargeId);
    if (part !== undefined) part.there += more;
  }
  let left = amount;
  const used = parts.map(({ grant, from, there }) => {
    const part = least(left, there);
    left -= part;
    const to = isPaid(grant) ? "EARNINGS" : "ACCRUED";
    post(book, grant, part, `CONSUMED ${from} ${to}`, { chargeId });
    conclude(book, grant, chargeId);
    return { grant, amount: part, over: there - part };
  });
  for (const { grant, over } of used.toReversed()) release(book, grant, over, chargeId);
  charge.allocations = allocationsOf(used.filter((each) => each.amount > 0n));
  charge.invoicedAmount = left;
  if (left > 0n) charge.invoiceId = addLine(model, book, charge, left).id;
  Object.assign(charge, { status: "SETTLED", amount, settledAt: book.at });
}

export const CHARGE_WRITES = {
  createCharge: (ask, book, model) => {
    const priced = price(model, ask);
    const { draws, short, facts, holdExpiresAt } = plan(book, ask, priced);
    const { card, terms } = priced;
    requireCover(terms.settlementMode, short, facts);

    const [id, customerId, createdAt] = [model.id(), book.customer.id, book.now];
    const { description, metadata, quantity = 0n } = ask;
    const charge = make(ChargeSchema, {
      ...terms,
      id,
      customerId,
      createdAt,
      description,
      metadata,
    });
    Object.assign(charge, { status: "OPEN", estimatedAmount: terms.amount, capture: "AUTOMATIC" });
    Object.assign(charge, { invoicedAmount: 0n, correctedAmount: 0n });
    if (card)
      Object.assign(charge, { rateCardKey: card.key, rateCardVersion: card.version, quantity });
    book.charges.push(charge);
    book.last = book.now;
    if (ask.capture === "MANUAL") {
      Object.assign(charge, { capture: "MANUAL", holdExpiresAt });
      for (const { grant, amount } of draws) hold(book, grant, amount, id);
      charge.allocations = allocationsOf(draws);
    } else settle(model, book, charge, { amount: terms.amount, draws });
    return { charge: showCharge(charge) };
  },

  batchCreateCharges: ({ requests }, _, model) => ({
    results: requests.map((request) => {
      try {
        const { charge: value } = model.answer("createCharge", request) as { charge: object };
        return { result: { case: "charge", value } };
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        return { result: { case: "error", value: refusalOf(error) } };
      }
    }),
  }),

  settleCharge: (ask, book, model) => {
    const charge = findCharge(book, ask.chargeId);
    const { id: charge_id, currency, rateCardKey, settlementMode, status, quantity } = charge;
    const strange = rateCardKey === "" ? "quantity" : "amount";
    refuseIf(ask[strange] !== undefined, "INVALID_REQUEST", {}, strange);
    const isOurs = ({ key, version }: Plain<RateCard>) =>
      key === rateCardKey && version === charge.rateCardVersion;
    let { amount } = charge;
    if (ask.amount !== undefined) amount = model.exact(currency, ask.amount);
    const card = ask.quantity === undefined ? undefined : model.cards.find(isOurs);
    if (card !== undefined) amount = model.rated(card, ask.quantity ?? 0n);
    const isSettled = status === "SETTLED" && amount === charge.amount;
    refuseIf(status !== "OPEN" && !isSettled, "CHARGE_NOT_OPEN", { charge_id, status });
    if (isSettled) return { charge: showCharge(charge) };
    const held = total(charge.allocations);
    const more = most(amount - held, 0n);
    const { draws, short } = draw(book, currency, more, mayPayFor(charge.featureKey));
    const available = held + more - short;
    requireCover(settlementMode, short, { required: amount, available, currency });

    charge.quantity = ask.quantity ?? quantity;
    settle(model, book, charge, { amount, draws });
    return { charge: showCharge(charge) };
  },

  cancelCharge: ({ chargeId: charge_id }, book) => {
    const charge = findCharge(book, charge_id);
    const { status } = charge;
    refuseIf(status === "SETTLED", "CHARGE_NOT_OPEN", { charge_id, status });

    if (status === "OPEN") cancel(book, charge);
    return { charge: showCharge(charge) };
  },

  correctCharge: (ask, book, model) => {
    const charge = findCharge(book, ask.chargeId);
    const { id: charge_id, amount, correctedAmount: corrected_amount, currency, status } = charge;
    model.exact(currency, ask.amount);
    refuseIf(status !== "SETTLED", "CHARGE_NOT_SETTLED", { charge_id, status });
    const rest = amount - corrected_amount;
    let left = ask.amount ?? rest;
    const isTooMuch = left > rest || left === 0n;
    const facts = { charge_id, amount, corrected_amount };
    refuseIf(isTooMuch, "CORRECTION_EXCEEDS_CHARGE", facts);

    const since = book.transfers.length;
    const returned = charge.allocations.reduce((sum, each) => sum + each.returned, 0n);
    charge.correctedAmount += left;
    const invoiced = least(left, charge.invoicedAmount - (corrected_amount - returned));
    if (invoiced > 0n) takeBack(model, book, charge, invoiced);
    left -= invoiced;
    const words = { description: ask.reason, metadata: {} };
    for (const each of charge.allocations.toReversed()) {
      const grant = findGrant(book, each.creditGrantId);
      const part = least(left, each.amount - each.returned);
      const flow = `CORRECTED ${isPaid(grant) ? "EARNINGS" : "ACCRUED"} CUSTOMER_CREDIT` as const;
      post(book, grant, part, flow, { chargeId: charge_id, words });
      conclude(book, grant, charge_id);
      each.returned += part;
      left -= part;
    }
    return { charge: showCharge(charge), movements: movementsAfter(book, since) };
  },
} satisfies Partial<Answers>;
