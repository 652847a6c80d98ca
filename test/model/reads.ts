/** Owns what the model answers to reads: choices and sums over the arrays of a book. */
import { Account } from "../../gen/drawdown/v1/transfer_pb.ts";
import { advance, type Book, balance, type Grant, isBy, nextDue } from "./books.ts";
import { plan, price } from "./charges.ts";
import { least, total } from "./figures.ts";
import type { Answers, Ask, Model } from "./model.ts";
import { formOf } from "./plain.ts";
import { Refused, refusalOf, refuseIf } from "./refusals.ts";
import {
  findCharge,
  findGrant,
  findInvoice,
  linesOf,
  movementsAfter,
  showCharge,
  showGrant,
  showInvoice,
} from "./views.ts";

interface Paging {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly order?: string;
}

/** A page of rows in the order of their creation, or against it. */
export function listed<Row>(
  rows: readonly Row[],
  { pageSize, pageToken, order, ...ask }: Paging,
  isListed: (row: Row) => boolean = () => true,
) {
  const isNewest = order === "NEWEST_FIRST";
  const form = formOf({ ...ask, isNewest });
  const start = isNewest ? rows.length : -1;
  const [bound, from] = pageToken === "" ? [form, start] : JSON.parse(pageToken);
  refuseIf(bound !== form, "CURSOR_MISMATCH", {}, "page_token");
  const chosen = rows.flatMap((row, at) => (isListed(row) ? [{ row, at }] : []));
  const rest = isNewest
    ? chosen.filter(({ at }) => at < from).reverse()
    : chosen.filter(({ at }) => at > from);
  const page = rest.slice(0, pageSize || 50);
  const next = page.length < rest.length ? formOf([form, page.at(-1)?.at]) : "";
  return { rows: page.map(({ row }) => row), nextPageToken: next };
}

const isAny = (chosen: readonly string[], value: string) =>
  chosen.length === 0 || chosen.includes(value);
const isIt = (chosen: string, value: string) => chosen === "" || chosen === value;

/** Whether a filter chooses credit with these features (B3). */
function chooses(filter: Ask<"getBalance">["featureFilter"], { features }: Grant): boolean {
  const isFree = features.length === 0;
  const { anyOf = [], noneOf = [], contains = [], unrestrictedOnly = false } = filter ?? {};
  const has = (keys: readonly string[]) => features.some((each) => keys.includes(each));
  if (anyOf.length > 0) return isFree || has(anyOf);
  if (noneOf.length > 0) return !isFree && !has(noneOf);
  const isPart = (part: string) => features.some((each) => each.includes(part));
  if (contains.length > 0) return isFree || contains.some(isPart);
  return isFree || !unrestrictedOnly;
}

/** Balances now, at a past moment, or as they will stand if nobody does anything (B1, B2). */
function balancesOf(model: Model, ask: Omit<Ask<"getBalance">, "customerId">, book: Book) {
  if (ask.currency !== "") model.currencyOf(ask.currency);
  const { asOf = book.now, featureFilter } = ask;
  const then = structuredClone(book);
  if (asOf > book.now) advance(then, asOf);
  const isPast = asOf < book.now;
  const transfers = then.transfers.filter(({ bookedAt }) => isBy(bookedAt, asOf));
  const used = (isPast ? transfers : then.grants).map(({ currency }) => currency);
  const codes = ask.currency === "" ? [...new Set(used)].sort() : [ask.currency];
  const chosen = then.grants.filter((grant) => chooses(featureFilter, grant));
  const balances = codes.map((currency) => {
    const grants = chosen.filter((grant) => grant.currency === currency);
    const rows = transfers.filter((row) => grants.some(({ id }) => id === row.creditGrantId));
    const waits = ({ status, expiresAt }: Grant) =>
      !isPast && status === "PENDING" && !isBy(expiresAt, asOf);
    const [pending, held] = [balance(rows, "CUSTOMER_CREDIT"), balance(rows, "CUSTOMER_HELD")];
    const upcoming = total(grants.filter(waits));
    return { currency, settled: pending + held, pending, held, upcoming };
  });
  const sequence = BigInt(book.transfers.filter(({ bookedAt }) => isBy(bookedAt, asOf)).length);
  return { balances, asOf, sequence };
}

type Place = readonly [side: "older" | "newer", sequence: number];

/** A page of the history and the places to its sides (H3, H4). */
function pageOf(book: Book, { pageSize, cursor, ...ask }: Ask<"listMovements">) {
  const isOldest = ask.order === "OLDEST_FIRST";
  const form = formOf({ ...ask, order: isOldest });
  const end = book.transfers.length;
  const start: Place = isOldest ? ["newer", 0] : ["older", end + 1];
  const [bound, [side, from]]: [string, Place] = cursor === "" ? [form, start] : JSON.parse(cursor);
  refuseIf(bound !== form, "CURSOR_MISMATCH", {}, "cursor");
  const { bookedFrom = 0n, bookedUntil = 2n ** 63n } = ask;
  const movements = movementsAfter(book)
    .filter(({ bookedAt = 0n }) => bookedFrom <= bookedAt && bookedAt < bookedUntil)
    .filter(({ type, currency }) => isAny(ask.types, type) && isIt(ask.currency, currency))
    .filter(({ chargeId }) => isIt(ask.chargeId, chargeId))
    .filter(({ creditGrantId: id }) => isIt(ask.creditGrantId, id))
    .filter(({ creditGrantId: id }) => chooses(ask.featureFilter, findGrant(book, id)))
    .map((movement) => ({ ...movement, at: Number(movement.sequence) }));
  const isOlder = side === "older";
  const beyond = movements.filter(({ at }) => (isOlder ? at < from : at > from));
  const size = pageSize || 50;
  const page = isOlder ? beyond.slice(-size) : beyond.slice(0, size);
  const oldest = page[0]?.at ?? (isOlder ? from : from + 1);
  const more = beyond.length > page.length;
  const isEnd = isOlder ? from > end : !more;
  const last = page.at(-1)?.at ?? from - 1;
  const newest = isEnd ? Math.max(end, isOlder ? 0 : from) : last;
  const placeOf = (...place: Place) => formOf([form, place]);
  const isLast = !movements.some(({ at }) => at < oldest);
  return {
    movements: isOldest ? page : page.toReversed(),
    olderCursor: isLast ? "" : placeOf("older", oldest),
    newerCursor: placeOf("newer", newest),
    resumeCursor: isOlder ? placeOf("older", page[0]?.at ?? from) : placeOf("newer", newest),
    more,
  };
}

/** Shows a row that a book has, or pages of them. */
export const READS = {
  getCreditGrant: ({ creditGrantId }, book) => ({
    creditGrant: showGrant(book, findGrant(book, creditGrantId)),
  }),
  listCreditGrants: (ask, book) => {
    const { rows, nextPageToken } = listed(book.grants, ask, (grant) => {
      const isOfKind = isAny(ask.fundingMethods, grant.fundingMethod);
      return isOfKind && isIt(ask.currency, grant.currency) && isAny(ask.statuses, grant.status);
    });
    return { creditGrants: rows.map((grant) => showGrant(book, grant)), nextPageToken };
  },
  getInvoice: ({ invoiceId }, book) => ({ invoice: showInvoice(findInvoice(book, invoiceId)) }),
  listInvoices: (ask, book) => {
    const { rows, nextPageToken } = listed(
      book.invoices,
      ask,
      ({ currency, status }) => isIt(ask.currency, currency) && isAny(ask.statuses, status),
    );
    return { invoices: rows.map(showInvoice), nextPageToken };
  },
  listInvoiceLines: (ask, book) => {
    const invoice = findInvoice(book, ask.invoiceId);
    const shown = linesOf(invoice);
    const { rows, nextPageToken } = listed(invoice.lines, ask, (line) => shown.includes(line));
    return { lines: rows, nextPageToken };
  },
  getCharge: ({ chargeId }, book) => ({ charge: showCharge(findCharge(book, chargeId)) }),
  listCharges: (ask, book) => {
    const { rows, nextPageToken } = listed(book.charges, ask, (charge) => {
      const isOfKind = isIt(ask.featureKey, charge.featureKey);
      return isOfKind && isIt(ask.currency, charge.currency) && isAny(ask.statuses, charge.status);
    });
    return { charges: rows.map(showCharge), nextPageToken };
  },
  previewCharge: (ask, book, model) => {
    let known: object = { creditsApplied: 0n, invoicedAmount: 0n, shortfall: 0n };
    try {
      const priced = price(model, ask);
      const { currency, amount, settlementMode } = priced.terms;
      known = { ...known, currency, amount };
      const { draws, short, facts } = plan(book, ask, priced);
      const shown = draws.map(({ grant, ...part }) => ({
        ...grant,
        ...part,
        creditGrantId: grant.id,
      }));
      const isAlone = settlementMode === "CREDIT_ONLY";
      const rest = isAlone ? { shortfall: short } : { invoicedAmount: short };
      known = { ...known, draws: shown, creditsApplied: amount - short, ...rest };
      refuseIf(isAlone && short > 0n, "INSUFFICIENT_CREDITS", facts);
      return known;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { ...known, refusal: refusalOf(error) };
    }
  },

  getBalance: (ask, book, model) => balancesOf(model, ask, book),
  watchBalance: (ask, book, model) => [balancesOf(model, { ...ask, asOf: undefined }, book)],

  listMovements: (ask, book) => pageOf(book, ask),
  streamMovements: ({ follow: _, ...ask }, book) => {
    const pages = [];
    for (
      let page = pageOf(book, ask);
      ;
      page = pageOf(book, { ...ask, cursor: page.resumeCursor })
    ) {
      pages.push(page);
      if (!page.more) return pages;
    }
  },

  listTransfers: ({ fromSequence }, book) => [
    { transfers: book.transfers.filter(({ sequence }) => sequence >= fromSequence) },
  ],
  getTrialBalance: (ask, _, model) => {
    const asOf = least(ask.asOf ?? model.clock, model.clock);
    const transfers = model.books
      .flatMap((book) => book.transfers)
      .filter(({ bookedAt, currency }) => isBy(bookedAt, asOf) && isIt(ask.currency, currency));
    const codes = [...new Set(transfers.map(({ currency }) => currency))].sort();
    const rows = codes.flatMap((currency) =>
      Object.keys(Account).flatMap((account) => {
        const ours = transfers.filter((row) => row.currency === currency);
        const debits = total(ours.filter(({ debitAccount }) => debitAccount === account));
        const credits = total(ours.filter(({ creditAccount }) => creditAccount === account));
        const isDebit = /^(RECEIVABLE_|SETTLEMENT|PROMOTION)/.test(account);
        const own = isDebit ? debits - credits : credits - debits;
        const isUsed = debits + credits > 0n;
        return isUsed ? [{ account, currency, debits, credits, balance: own }] : [];
      }),
    );
    const dues = model.books.flatMap((book) => nextDue(book)?.at ?? []);
    return { rows, asOf, completeUntil: dues.map((at) => at - 1n).reduce(least, asOf) };
  },
  audit: ({ customerId }, _, { books }) => {
    const audited = books.filter(({ customer }) => isIt(customerId, customer.id));
    const transfers = BigInt(audited.flatMap((book) => book.transfers).length);
    const value = { customers: BigInt(audited.length), transfers, findings: 0n };
    return [{ event: { case: "summary", value } }];
  },
} satisfies Partial<Answers>;
