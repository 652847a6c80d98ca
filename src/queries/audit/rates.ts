/**
 * Owns rating the charges by rate card anew: version and quantity determine the amount, and the
 * card the rest (D1). Most books have none, so it is done for the customers that have.
 */
import type { EntityManager } from "typeorm";
import type { RateCard } from "../../book/nouns.ts";
import { rateQuantity } from "../../charge/plan-charge.ts";
import { Refusal } from "../../errors.ts";
import { type ChargeId, FIRST_ID } from "../../ledger/ids.ts";
import { type Amount, formatAmount } from "../../money/amount.ts";
import { type Currency, type CurrencyCode, isoCurrency } from "../../money/currency.ts";
import { RATE_CARD_COLUMNS, type RateCardRow, rateCardOf } from "../../pipeline/rows.ts";
import { SPAN_ROWS } from "../customer-spans.ts";
import { selectRows } from "../statement.ts";
import type { Audited } from "./audited.ts";

const READ_RATED = `SELECT c.charge_id, c.rate_card_key, c.rate_card_version, c.quantity, c.amount,
    c.currency, c.feature_key, c.settlement_mode
  FROM charge c
  WHERE c.customer_id = $1 AND c.charge_id > $2 AND c.rate_card_key IS NOT NULL
  ORDER BY c.charge_id LIMIT $3`;

/** The cards of a page of charges, whoever made them: row-level security keeps to the tenant. */
const READ_CARDS = `SELECT ${RATE_CARD_COLUMNS} FROM rate_card r WHERE r.key = ANY($1::text[])`;

const READ_CURRENCIES = `SELECT u.code, u.name, u.exponent FROM currency u
  WHERE u.code = ANY($1::text[])`;

interface RatedRow {
  readonly charge_id: ChargeId;
  readonly rate_card_key: string;
  readonly rate_card_version: number;
  readonly quantity: Amount;
  readonly amount: Amount;
  readonly currency: CurrencyCode;
  readonly feature_key: string | null;
  readonly settlement_mode: string;
}

/** What a charge has of its card. */
interface Rated {
  readonly amount: Amount;
  readonly currency: CurrencyCode;
  readonly featureKey: string | null;
  readonly settlementMode: string;
}

export async function checkRates(
  manager: EntityManager,
  { customerId, findings }: Audited,
  signal: AbortSignal,
): Promise<void> {
  let after: string = FIRST_ID;
  for (;;) {
    signal.throwIfAborted();
    const rows = await selectRows<RatedRow>(manager, READ_RATED, [customerId, after, SPAN_ROWS]);
    const rate = await openRates(manager, rows);
    for (const row of rows) {
      const expected = rate(row);
      const found = sayRated({
        amount: row.amount,
        currency: row.currency,
        featureKey: row.feature_key,
        settlementMode: row.settlement_mode,
      });
      if (expected === found) continue;
      findings.add("charge_price", expected, found, { chargeId: row.charge_id });
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < SPAN_ROWS) return;
    after = last.charge_id;
  }
}

const sayRated = ({ amount, currency, featureKey, settlementMode }: Rated) =>
  [formatAmount(amount), currency, featureKey ?? "no feature", settlementMode].join(" ");

/** Reads the cards and currencies of these charges; answers what each of them must be. */
async function openRates(
  manager: EntityManager,
  rows: readonly RatedRow[],
): Promise<(row: RatedRow) => string> {
  const keys = [...new Set(rows.map((row) => row.rate_card_key))];
  const cards = new Map(
    (await selectRows<RateCardRow>(manager, READ_CARDS, [keys])).map((row) => {
      const card = rateCardOf(row);
      return [`${card.version} ${card.key}`, card] as const;
    }),
  );
  const codes = [...new Set([...cards.values()].map((card) => card.currency))];
  const units = await selectRows<Omit<Currency, "iso">>(manager, READ_CURRENCIES, [codes]);
  const registered = new Map(units.map((unit) => [unit.code, { ...unit, iso: false }]));
  return (row) => {
    const card = cards.get(`${row.rate_card_version} ${row.rate_card_key}`);
    if (card === undefined) return "a charge by a rate card that exists";
    const currency = isoCurrency(card.currency) ?? registered.get(card.currency);
    if (currency === undefined) return "a charge in a currency that exists";
    const amount = rateOf(card, currency, row.quantity);
    if (amount === null) return "a charge for a quantity that has a price";
    return sayRated({
      amount,
      currency: card.currency,
      featureKey: card.featureKey === "" ? null : card.featureKey,
      settlementMode: card.settlementMode,
    });
  };
}

/** Null when the card has no price for the quantity that the charge is kept with. */
function rateOf(card: RateCard, currency: Currency, quantity: Amount): Amount | null {
  if (quantity < 0n) return null;
  try {
    return rateQuantity(card, currency, quantity);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}
