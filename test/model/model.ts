/**
 * Owns the reference model: what every RPC of the contract must answer, written from the rules of
 * the domain with arrays and sums, one call at a time. It shares no code with the service.
 */
import { type DescMethod, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import type { BalanceService } from "../../gen/drawdown/v1/balance_service_pb.ts";
import type { ChargeService } from "../../gen/drawdown/v1/charge_service_pb.ts";
import type { CreditGrantService } from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import { type Currency, CurrencySchema } from "../../gen/drawdown/v1/currency_pb.ts";
import type { CurrencyService } from "../../gen/drawdown/v1/currency_service_pb.ts";
import type { CustomerService } from "../../gen/drawdown/v1/customer_service_pb.ts";
import type { HistoryService } from "../../gen/drawdown/v1/history_service_pb.ts";
import type { InvoiceService } from "../../gen/drawdown/v1/invoice_service_pb.ts";
import type { LedgerService } from "../../gen/drawdown/v1/ledger_service_pb.ts";
import type { RateCard } from "../../gen/drawdown/v1/rate_card_pb.ts";
import type { RateCardService } from "../../gen/drawdown/v1/rate_card_service_pb.ts";
import { advance, type Book } from "./books.ts";
import { CHARGE_WRITES } from "./charges.ts";
import { LIMIT, least, most, rate, round, UNIT } from "./figures.ts";
import { GRANT_WRITES } from "./grants.ts";
import { INVOICE_WRITES } from "./invoices.ts";
import { formOf, make, type Plain, read, write } from "./plain.ts";
import { READS } from "./reads.ts";
import { found, refuseIf } from "./refusals.ts";
import { REGISTRY } from "./registry.ts";

type Methods = (typeof CustomerService)["method"] &
  (typeof CurrencyService)["method"] &
  (typeof RateCardService)["method"] &
  (typeof CreditGrantService)["method"] &
  (typeof ChargeService)["method"] &
  (typeof InvoiceService)["method"] &
  (typeof BalanceService)["method"] &
  (typeof HistoryService)["method"] &
  (typeof LedgerService)["method"];

export type Ask<Name extends keyof Methods> = Plain<
  MessageShape<Methods[Name]["input"]>,
  undefined
>;

/** How RPCs are answered: with the fields of the answer, a stream with a list of them. */
export type Answers = {
  readonly [Name in keyof Methods]: (ask: Ask<Name>, book: Book, model: Model) => object;
};
export const ANSWERS: Answers = {
  ...{ ...REGISTRY, ...GRANT_WRITES, ...CHARGE_WRITES, ...INVOICE_WRITES },
  ...READS,
};

export class Model {
  books: Book[] = [];
  cards: Plain<RateCard>[] = [];
  currencies: Plain<Currency>[] = Object.entries({ EUR: 2, JPY: 0, KWD: 3, USD: 2 }).map(
    ([code, exponent]) => make(CurrencySchema, { code, exponent }),
  );
  requests = new Map<string, { readonly form: string; readonly answer: object }>();
  ids = 0;
  clock = 0n;

  clone(): Model {
    return Object.assign(new Model(), structuredClone({ ...this }));
  }

  /** Answers a call at a moment of the database's clock, in JSON; throws what it refuses with. */
  call(method: DescMethod, request: object, clock: bigint): JsonValue {
    this.clock = clock;
    const show = (each: object) => toJson(method.output, write(method.output, each));
    const given = this.answer(method.localName, read(method.input, request));
    return Array.isArray(given) ? given.map(show) : show(given);
  }

  answer(name: string, ask: { customerId?: string; requestId?: string }): object {
    const { customerId = "", requestId: request_id = "" } = ask;
    const named = this.books.find(({ customer }) => customer.id === customerId);
    const facts = { customer_id: customerId };
    const own = customerId === "" ? undefined : found(named, "CUSTOMER_NOT_FOUND", facts);
    // A preview writes nothing, not even what is due (D8), and an audit looks at what is there.
    const book = name === "previewCharge" ? structuredClone(own) : own;
    if (book !== undefined && name !== "audit") advance(book, this.clock);
    const key = `${customerId} ${request_id}`;
    const form = formOf([name, { ...ask, requestId: "" }]);
    const first = request_id === "" ? undefined : this.requests.get(key);
    const isReused = first !== undefined && first.form !== form;
    refuseIf(isReused, "REQUEST_ID_REUSED", { request_id }, "request_id");
    if (first !== undefined) return first.answer;
    const run = ANSWERS[name as keyof Answers] as (...parts: unknown[]) => object;
    const answer = structuredClone(run(ask, book, this));
    if (request_id !== "") this.requests.set(key, { form, answer });
    return answer;
  }

  id(): string {
    this.ids += 1;
    return `id ${this.ids}`;
  }

  currencyOf(currency: string): Plain<Currency> {
    const known = this.currencies.find(({ code }) => code === currency);
    return found(known, "CURRENCY_NOT_FOUND", { currency });
  }

  /** The minor unit of a currency that money is paid in. */
  minorOf(currency: string, field: string): number {
    const { custom, exponent } = this.currencyOf(currency);
    refuseIf(custom, "CURRENCY_NOT_INVOICEABLE", { currency }, field);
    return exponent;
  }

  decimalsOf(currency: string): number {
    const { custom, exponent } = this.currencyOf(currency);
    return custom ? exponent : 12;
  }

  /** An amount that is as exact as its currency allows (M2). */
  exact(currency: string, amount: bigint | undefined, field = "amount"): bigint {
    const decimals = this.decimalsOf(currency);
    const isTooFine = (amount ?? 0n) % 10n ** BigInt(12 - decimals) !== 0n;
    refuseIf(isTooFine, "AMOUNT_TOO_FINE", { currency, decimals: String(decimals) }, field);
    return amount ?? 0n;
  }

  /** The newest version of a rate card. */
  cardOf(key: string): Plain<RateCard> {
    const newest = this.cards.findLast((card) => card.key === key);
    return found(newest, "RATE_CARD_NOT_FOUND", { rate_card_key: key });
  }

  /** What a quantity comes to by a rate card, rounded once (M3, D1). */
  rated({ currency, minimumAmount, maximumAmount, price }: Plain<RateCard>, quantity: bigint) {
    let exact = price === undefined ? 0n : rate(price, quantity);
    exact = most(exact, (minimumAmount ?? 0n) * UNIT);
    exact = least(exact, (maximumAmount ?? LIMIT ** 2n) * UNIT);
    const amount = round(exact, 24, this.decimalsOf(currency));
    refuseIf(amount >= LIMIT, "AMOUNT_OUT_OF_RANGE", { amount }, "quantity");
    return amount;
  }
}
