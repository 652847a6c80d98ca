/** Owns the customers of a run, and what is asked of the service about them at the end. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { FundingMethod } from "../../gen/drawdown/v1/credit_grant_pb.ts";
import type { CreateCustomerResponse } from "../../gen/drawdown/v1/customer_service_pb.ts";
import { LedgerService } from "../../gen/drawdown/v1/ledger_service_pb.ts";
import { type Account, newAccount } from "./account.ts";
import type { Fleet } from "./fleet.ts";
import type { Breach, Tally } from "./tally.ts";
import { AUTHORIZED, type Lines } from "./wire.ts";

/** Makes customers. Throws when it cannot: a run without them has nothing to do. */
export async function makeCustomers(
  lines: Lines,
  name: string,
  count: number,
): Promise<readonly Account[]> {
  const numbers = Array.from({ length: count }, (_, number) => number);
  return await Promise.all(
    numbers.map(async (number) => {
      const key = `${name}-customer-${number}`;
      const request = { requestId: key, key, name: key };
      const outcome = await lines.call("createCustomer", request, "grpc");
      if (outcome.kind !== "acked") throw new Error(`no customer: ${JSON.stringify(outcome)}`);
      const { customer } = outcome.answer as CreateCustomerResponse;
      return newAccount(customer?.id ?? "");
    }),
  );
}

/** Gives each customer promotional credit in USD that never expires. */
export async function giveCredit(
  lines: Lines,
  accounts: readonly Account[],
  amount: number,
): Promise<void> {
  const terms = { name: "credit", currency: "USD", amount: String(amount) };
  const grant = { requestId: "first", ...terms, fundingMethod: FundingMethod.PROMOTIONAL };
  for (const { id } of accounts) {
    const outcome = await lines.call("createCreditGrant", { ...grant, customerId: id }, "grpc");
    if (outcome.kind !== "acked") throw new Error(`no credit: ${JSON.stringify(outcome)}`);
  }
}

/** Findings about the journal itself; all others are about figures that are kept beside it. */
const JOURNAL_CHECKS = new Set([
  "sequence_gap",
  "booked_at_order",
  "illegal_flow",
  "account_sign",
  "settled_after",
  "pending_after",
  "grant_remaining_after",
  "grant_held_after",
  "grant_currency",
  "hold_missing",
]);
const NAMED_MAX = 5;
const AUDITS_MAX = 4;

/**
 * Has the service audit itself: what it finds is a breach, and so is not finding the end. A busy
 * machine may keep the database from answering in time: then it is asked again.
 */
export async function checkAudit(promise: string, fleet: Fleet, tally: Tally): Promise<void> {
  for (let left = AUDITS_MAX; left > 0; left -= 1) {
    if (await hasAudited(promise, fleet, { tally, isLast: left === 1 })) return;
  }
}

async function hasAudited(
  promise: string,
  fleet: Fleet,
  { tally, isLast }: { readonly tally: Tally; readonly isLast: boolean },
): Promise<boolean> {
  const client = createClient(LedgerService, fleet.any().transports.grpc);
  const findings: string[] = [];
  const fail = (breach: Breach, what: string, times = 1) =>
    tally.fail({ promise, breach, what, history: findings.slice(0, NAMED_MAX) }, times);
  let summed = false;
  let unbalanced = 0;
  let drifted = 0;
  try {
    for await (const { event } of client.audit({}, { headers: AUTHORIZED })) {
      if (event.case === "summary") summed = true;
      if (event.case !== "finding") continue;
      const { check, customerId, expected, found, sequence } = event.value;
      findings.push(`${check} of ${customerId} at ${sequence}: ${found}, not ${expected}`);
      if (JOURNAL_CHECKS.has(check)) unbalanced += 1;
      else drifted += 1;
    }
  } catch (thrown) {
    if (!isLast && thrown instanceof ConnectError && thrown.code === Code.Unavailable) return false;
    findings.push(String(thrown));
    fail("other", "the audit failed");
    return true;
  }
  if (!summed) fail("other", "the audit ended without its summary");
  if (unbalanced > 0) fail("unbalanced", "the audit found the journal unsound", unbalanced);
  if (drifted > 0) fail("drifted", "the audit found kept figures that drifted", drifted);
  return true;
}
