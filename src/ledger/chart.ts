/**
 * Owns the chart of accounts and the legal flows of value between them (L4, L5), as data.
 * A transfer that is not in this table cannot be posted.
 */

/** The accounts, kept per customer and currency, with the side on which each is positive. */
export const ACCOUNTS = {
  customer_credit: "credit",
  customer_held: "credit",
  receivable_open: "debit",
  receivable_authorized: "debit",
  accrued: "credit",
  settlement: "debit",
  promotion: "debit",
  earnings: "credit",
  breakage: "credit",
} as const satisfies Record<string, "debit" | "credit">;

export type Account = keyof typeof ACCOUNTS;

/** The accounts that may stand below zero on their own side (L5). */
export const EITHER_SIGN: ReadonlySet<Account> = new Set(["receivable_open", "promotion"]);

/** What happened: a transfer names its event, because accounts alone do not tell it (H2). */
export const TRANSFER_EVENTS = [
  "FUNDED",
  "PAYMENT_AUTHORIZED",
  "AUTHORIZATION_REVERSED",
  "PAYMENT_SETTLED",
  "HELD",
  "RELEASED",
  "CONSUMED",
  "RECOGNIZED",
  "EXPIRED",
  "VOIDED",
  "FORFEITED",
  "CORRECTED",
  "ADJUSTED",
] as const;

export type TransferEvent = (typeof TRANSFER_EVENTS)[number];

export interface Flow {
  readonly debit: Account;
  readonly credit: Account;
}

const flow = (debit: Account, credit: Account): Flow => ({ debit, credit });

/** The legal flows of each event (L5). */
export const FLOWS = {
  FUNDED: [flow("promotion", "customer_credit"), flow("receivable_open", "customer_credit")],
  PAYMENT_AUTHORIZED: [flow("receivable_authorized", "receivable_open")],
  AUTHORIZATION_REVERSED: [flow("receivable_open", "receivable_authorized")],
  PAYMENT_SETTLED: [flow("settlement", "receivable_authorized")],
  HELD: [flow("customer_credit", "customer_held")],
  RELEASED: [flow("customer_held", "customer_credit")],
  CONSUMED: [
    flow("customer_credit", "earnings"),
    flow("customer_credit", "accrued"),
    flow("customer_held", "earnings"),
    flow("customer_held", "accrued"),
  ],
  RECOGNIZED: [flow("accrued", "earnings")],
  EXPIRED: [flow("customer_credit", "breakage")],
  VOIDED: [
    flow("customer_credit", "promotion"),
    flow("customer_credit", "receivable_open"),
    flow("customer_credit", "breakage"),
  ],
  FORFEITED: [flow("receivable_open", "breakage")],
  CORRECTED: [flow("earnings", "customer_credit"), flow("accrued", "customer_credit")],
  ADJUSTED: [
    flow("promotion", "customer_credit"),
    flow("customer_credit", "promotion"),
    flow("customer_credit", "receivable_open"),
    flow("customer_credit", "breakage"),
  ],
} as const satisfies Record<TransferEvent, readonly Flow[]>;

const legalFlows: ReadonlySet<string> = new Set(
  Object.entries(FLOWS).flatMap(([event, flows]) =>
    flows.map(({ debit, credit }) => `${event} ${debit} ${credit}`),
  ),
);

export function isLegalFlow(event: TransferEvent, debit: Account, credit: Account): boolean {
  return legalFlows.has(`${event} ${debit} ${credit}`);
}

/** The events that change the settled balance, which the customer sees as movements (H1). */
export const MOVEMENT_TYPES = [
  "FUNDED",
  "CONSUMED",
  "EXPIRED",
  "VOIDED",
  "CORRECTED",
  "ADJUSTED",
] as const satisfies readonly TransferEvent[];

export type MovementType = (typeof MOVEMENT_TYPES)[number];

const movementTypes: ReadonlySet<TransferEvent> = new Set(MOVEMENT_TYPES);

export function isMovement(event: TransferEvent): event is MovementType {
  return movementTypes.has(event);
}

/** The two accounts that make up the customer's settled balance (B1). */
const SETTLED_ACCOUNTS: ReadonlySet<Account> = new Set(["customer_credit", "customer_held"]);

/** +1, −1 or 0: how a transfer between these accounts moves the customer's settled balance. */
export function settledSign({ debit, credit }: Flow): 1n | -1n | 0n {
  const gains = SETTLED_ACCOUNTS.has(credit);
  const loses = SETTLED_ACCOUNTS.has(debit);
  if (gains === loses) return 0n;
  return gains ? 1n : -1n;
}
