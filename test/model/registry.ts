/** Owns what the model answers of a tenant's customers, currencies and rate cards. */
import { CurrencySchema } from "../../gen/drawdown/v1/currency_pb.ts";
import { CustomerSchema } from "../../gen/drawdown/v1/customer_pb.ts";
import { RateCardSchema } from "../../gen/drawdown/v1/rate_card_pb.ts";
import type { Book } from "./books.ts";
import type { Answers } from "./model.ts";
import { make } from "./plain.ts";
import { listed } from "./reads.ts";
import { type Facts, found, refuseIf } from "./refusals.ts";

export const REGISTRY = {
  createCustomer: ({ key, name, metadata }, _, model) => {
    const isTaken = model.books.some(({ customer }) => customer.key === key);
    refuseIf(isTaken, "CUSTOMER_KEY_TAKEN", { key }, "key");
    const [id, createdAt] = [model.id(), model.clock];
    const customer = make(CustomerSchema, { id, key, name, metadata, createdAt });
    const nothing = { transfers: [], words: new Map(), grants: [], charges: [], invoices: [] };
    model.books.push({ customer, ...nothing, last: createdAt, now: createdAt, at: createdAt });
    return { customer };
  },
  getCustomer: ({ customer: { case: by, value = "" } }, _, model) => {
    const isNamed = ({ customer }: Book) => (by === "key" ? customer.key : customer.id) === value;
    const facts: Facts = by === "key" ? { key: value } : { customer_id: value };
    return { customer: found(model.books.find(isNamed), "CUSTOMER_NOT_FOUND", facts).customer };
  },
  listCustomers: (ask, _, { books }) => {
    const { rows, nextPageToken } = listed(books, ask);
    return { customers: rows.map(({ customer }) => customer), nextPageToken };
  },
  updateCustomer: ({ name, metadata, updateMask }, { customer }) => {
    const paths = updateMask?.paths ?? [];
    const isAsked = (path: string, isGiven: boolean) =>
      paths.length > 0 ? paths.includes(path) : isGiven;
    if (isAsked("name", name !== "")) customer.name = name;
    if (isAsked("metadata", Object.keys(metadata).length > 0)) customer.metadata = metadata;
    return { customer };
  },

  createCurrency: ({ code, name, exponent }, _, { currencies, clock: createdAt }) => {
    const isTaken = currencies.some((each) => each.code === code);
    refuseIf(isTaken, "CURRENCY_CODE_TAKEN", { code }, "code");
    const currency = make(CurrencySchema, { code, name, exponent, custom: true, createdAt });
    currencies.push(currency);
    return { currency };
  },
  listCurrencies: (_ask, _, model) => ({
    currencies: model.currencies.toSorted((left, right) => (left.code < right.code ? -1 : 1)),
  }),

  createRateCard: ({ requestId: _id, ...ask }, _, model) => {
    const { key, currency, settlementMode, price } = ask;
    const versions = model.cards.filter((card) => card.key === key);
    const isOther = (field: "featureKey" | "currency") =>
      versions.some((card) => card[field] !== ask[field]);
    refuseIf(isOther("featureKey"), "INVALID_REQUEST", {}, "feature_key");
    refuseIf(isOther("currency"), "INVALID_REQUEST", {}, "currency");
    model.currencyOf(currency);
    if (settlementMode === "CREDIT_THEN_INVOICE") model.minorOf(currency, "currency");
    const { case: kind, value: terms } = price?.model ?? {};
    if (kind === "flat") model.exact(currency, terms?.amount, "price.flat.amount");
    for (const [at, tier] of (terms && "tiers" in terms ? terms.tiers : []).entries()) {
      model.exact(currency, tier.flatAmount, `price.${kind}.tiers[${at}].flat_amount`);
      Object.assign(tier, { unitAmount: tier.unitAmount ?? 0n, flatAmount: tier.flatAmount ?? 0n });
    }
    model.exact(currency, ask.minimumAmount, "minimum_amount");
    model.exact(currency, ask.maximumAmount, "maximum_amount");
    const [version, createdAt] = [versions.length + 1, model.clock];
    const card = make(RateCardSchema, { ...(ask as object), version, createdAt });
    model.cards.push(card);
    return { rateCard: card };
  },
  getRateCard: ({ key, version }, _, { cards }) => {
    const facts = { rate_card_key: key, ...(version !== 0 && { version: String(version) }) };
    const isNamed = (card: (typeof cards)[number]) =>
      card.key === key && (version === 0 || card.version === version);
    return { rateCard: found(cards.findLast(isNamed), "RATE_CARD_NOT_FOUND", facts) };
  },
  listRateCards: (ask, _, model) => {
    const { rows, nextPageToken } = listed(model.cards, ask, ({ key, version }) =>
      ask.key === "" ? version === 1 : key === ask.key,
    );
    // The newest version of each stands where the first one stood.
    const shown = ask.key === "" ? rows.map(({ key }) => model.cardOf(key)) : rows;
    return { rateCards: shown, nextPageToken };
  },
  archiveRateCard: ({ key }, _, model) => {
    const card = model.cardOf(key);
    card.archivedAt ??= model.clock;
    return { rateCard: card };
  },
} satisfies Partial<Answers>;
