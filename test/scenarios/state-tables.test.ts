/**
 * Owns the walk through every cell of the state × event tables: an object is really brought into
 * the state, the event is sent, and what happened is compared with the row that stands here and
 * with the table that stands in the code.
 */
import { describe, expect, test } from "vitest";
import type { ChargeStatus, InvoiceStatus } from "../../src/book/nouns.ts";
import { CHARGE_EVENTS, CHARGE_MOVES } from "../../src/charge/moves.ts";
import { SETTLEMENT_STEPS } from "../../src/grant/update-external-settlement.ts";
import { INVOICE_EVENTS, INVOICE_MOVES } from "../../src/invoice/moves.ts";
import type { SettlementStatus } from "../../src/ledger/lot.ts";
import { Customer } from "./customer.ts";
import { attempt, playQuietly } from "./scenario.ts";

/** What a state answers to an event: the new state, `same` for a repeat, or a refusal. */
interface Cell {
  readonly state: string;
  readonly event: string;
  readonly outcome: string;
}

/** Reads a table: events in the first line, then a state and its outcomes in each line. */
function cellsOf(table: string): readonly Cell[] {
  const rows = table.trim().split("\n");
  const [events = [], ...states] = rows.map((row) => row.split("|").map((cell) => cell.trim()));
  return states.flatMap(([state = "", ...outcomes]) =>
    outcomes.map((outcome, index) => ({ state, event: events[index + 1] ?? "", outcome })),
  );
}

/** Sends the event; answers the reason of its refusal, `same`, or what `read` says afterwards. */
function send(customer: Customer, command: string, read: () => string): string {
  const before = structuredClone(customer.kept);
  const refusal = attempt(customer, command);
  if (refusal === null) {
    const isSame = JSON.stringify(before, asText) === JSON.stringify(customer.kept, asText);
    return isSame ? "same" : read();
  }
  expect(customer.kept, "a refusal changes nothing").toEqual(before);
  return refusal.reason;
}

function asText(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  return value instanceof Map ? [...value] : value;
}

describe("D9 charges: state × event", () => {
  const SETUP: Readonly<Record<ChargeStatus, string>> = {
    OPEN: `
      grant A 100 USD
      charge C 10 USD hold`,
    SETTLED: `
      grant A 100 USD
      charge C 10 USD`,
    CANCELED: `
      grant A 100 USD
      charge C 10 USD hold
      cancel charge C`,
  };
  const cells = cellsOf(`
             | settle           | settle 10        | settle 11        | cancel          | correct
    OPEN     | SETTLED          | SETTLED          | SETTLED          | CANCELED        | CHARGE_NOT_SETTLED
    SETTLED  | same             | same             | CHARGE_NOT_OPEN  | CHARGE_NOT_OPEN | SETTLED
    CANCELED | CHARGE_NOT_OPEN  | CHARGE_NOT_OPEN  | CHARGE_NOT_OPEN  | same            | CHARGE_NOT_SETTLED
  `);

  test.each(cells)("$state, on $event: $outcome", ({ state, event, outcome }) => {
    const customer = playQuietly(new Customer(), SETUP[state as ChargeStatus]);
    const read = () => customer.getCharge("C").status;
    expect(read()).toBe(state);
    const [verb, amount = ""] = event.split(" ");
    expect(send(customer, `${verb} charge C ${amount}`.trim(), read)).toBe(outcome);
  });

  test("the table in the code says the same", () => {
    for (const { state, event, outcome } of cells) {
      const [verb = ""] = event.split(" ");
      const known = CHARGE_EVENTS.find((name) => name === verb);
      if (known === undefined) throw new Error(`no event ${verb}`);
      const move = CHARGE_MOVES[state as ChargeStatus][known];
      const inCode = { act: verb === "cancel" ? "CANCELED" : "SETTLED", repeat: "same" };
      if (move === "repeat_if_same") expect(["same", "CHARGE_NOT_OPEN"]).toContain(outcome);
      else expect(move === "act" || move === "repeat" ? inCode[move] : move).toBe(outcome);
    }
    expect(new Set(cells.map(({ state }) => state))).toEqual(new Set(Object.keys(CHARGE_MOVES)));
  });

  test("a refusal names the state", () => {
    const customer = playQuietly(new Customer(), SETUP.CANCELED);
    expect(attempt(customer, "settle charge C")?.facts).toMatchObject({ status: "CANCELED" });
    expect(attempt(customer, "correct charge C")?.facts).toMatchObject({ status: "CANCELED" });
  });

  test.each([
    ["settle charge C quantity 5", "quantity"],
    ["settle charge R 5", "amount"],
  ])("%s: a charge takes the figure that it was created by", (command, field) => {
    const customer = playQuietly(
      new Customer(),
      `card api 1 USD credit_only
       grant A 100 USD
       charge C 5 USD hold
       charge R 5 of api hold`,
    );
    const refusal = attempt(customer, command);
    expect(refusal?.reason).toBe("INVALID_REQUEST");
    expect(refusal?.fieldViolations.map((violation) => violation.field)).toEqual([field]);
  });

  test("settling a settled charge by rate card succeeds for the quantity that comes to its amount", () => {
    const customer = playQuietly(
      new Customer(),
      `card api 2 USD credit_only minimum 10
       grant A 100 USD
       charge R 3 of api hold
       settle charge R`,
    );
    const read = () => "changed";
    expect(send(customer, "settle charge R quantity 4", read)).toBe("same");
    expect(send(customer, "settle charge R", read)).toBe("same");
    expect(send(customer, "settle charge R quantity 6", read)).toBe("CHARGE_NOT_OPEN");
  });

  test("correcting always acts: with nothing left it exceeds the charge", () => {
    const customer = playQuietly(
      new Customer(),
      `grant A 100 USD
       charge C 5 USD
       correct charge C`,
    );
    const read = () => "changed";
    expect(send(customer, "correct charge C", read)).toBe("CORRECTION_EXCEEDS_CHARGE");
    expect(send(customer, "correct charge C 1", read)).toBe("CORRECTION_EXCEEDS_CHARGE");
  });

  test.each(["settle charge nothing", "cancel charge nothing", "correct charge nothing"])(
    "%s: an unknown charge is not found",
    (command) => {
      expect(attempt(new Customer(), command)?.reason).toBe("CHARGE_NOT_FOUND");
    },
  );
});

describe("D9 I1 invoices: state × event", () => {
  const OVERAGE = "charge C 10 USD credit_then_invoice";
  const overage: Readonly<Record<InvoiceStatus, string>> = {
    DRAFT: OVERAGE,
    OPEN: `${OVERAGE}\nissue invoice USD.draft as I`,
    AUTHORIZED: `${OVERAGE}\nissue invoice USD.draft as I\nauthorize invoice I`,
    PAID: `${OVERAGE}\nissue invoice USD.draft as I\nsettle invoice I`,
    PAYMENT_FAILED: `${OVERAGE}\nissue invoice USD.draft as I\nfail invoice I`,
    VOID: `${OVERAGE}\nissue invoice USD.draft as I\nvoid invoice I`,
  };
  const PURCHASE = "grant A 10 USD invoice on_authorization";
  const purchase: Readonly<Record<Exclude<InvoiceStatus, "DRAFT">, string>> = {
    OPEN: PURCHASE,
    AUTHORIZED: `${PURCHASE}\nauthorize invoice A.invoice`,
    PAID: `${PURCHASE}\nsettle invoice A.invoice`,
    PAYMENT_FAILED: `${PURCHASE}\nfail invoice A.invoice`,
    VOID: `${PURCHASE}\nvoid invoice A.invoice`,
  };
  const cells = cellsOf(`
                   | issue  | authorize  | settle | fail           | void
    DRAFT          | OPEN   | no         | no     | no             | VOID
    OPEN           | same   | AUTHORIZED | PAID   | PAYMENT_FAILED | VOID
    AUTHORIZED     | no     | same       | PAID   | PAYMENT_FAILED | VOID
    PAID           | no     | no         | same   | no             | no
    PAYMENT_FAILED | no     | AUTHORIZED | PAID   | same           | VOID
    VOID           | no     | no         | no     | no             | same
  `);

  const walk = (setup: string, name: string, { state, event, outcome }: Cell) => {
    const customer = playQuietly(new Customer(), setup);
    const id = customer.invoiceId(name);
    const read = () => customer.kept.invoices.get(id)?.status ?? "gone";
    expect(read()).toBe(state);
    const refused = outcome === "no" ? "INVOICE_TRANSITION_REFUSED" : outcome;
    const command = event === "issue" ? `issue invoice ${name}` : `${event} invoice ${name}`;
    expect(send(customer, command, read)).toBe(refused);
    if (outcome !== "no") return;
    expect(attempt(customer, command)?.facts).toEqual({ invoice_id: id, status: state, event });
  };

  test.each(cells)("an overage that is $state, on $event: $outcome", (cell) => {
    const name = cell.state === "DRAFT" ? "USD.draft" : "I";
    walk(overage[cell.state as InvoiceStatus], name, cell);
  });

  test.each(cells.filter(({ state }) => state !== "DRAFT"))(
    "a purchase that is $state, on $event: $outcome",
    (cell) => {
      walk(purchase[cell.state as Exclude<InvoiceStatus, "DRAFT">], "A.invoice", cell);
    },
  );

  test("the table in the code says the same", () => {
    for (const { state, event, outcome } of cells) {
      const known = INVOICE_EVENTS.find((name) => name === event);
      if (known === undefined) throw new Error(`no event ${event}`);
      const move = INVOICE_MOVES[state as InvoiceStatus][known];
      const said = outcome === "no" ? "refuse" : outcome === "same" ? "repeat" : "act";
      expect(move, `${state} ${event}`).toBe(said);
    }
    expect(cells).toHaveLength(Object.keys(INVOICE_MOVES).length * INVOICE_EVENTS.length);
  });
});

/**
 * Grants by status and payment. Every grant is external and of 10 USD, but for the promotional
 * ones; `on_creation` where it is used unpaid, `from d9` where it is paid and still pending.
 */
const GRANT_STATES: Readonly<Record<string, string>> = {
  "PENDING none": "grant A 10 USD from d9",
  "PENDING PENDING": "grant A 10 USD external",
  "PENDING AUTHORIZED": "grant A 10 USD external\nexternal A AUTHORIZED",
  "PENDING SETTLED": "grant A 10 USD external from d9\nexternal A SETTLED",
  ...usedGrants("ACTIVE", "", ""),
  ...usedGrants("EXHAUSTED", "", "charge C 10 USD"),
  ...usedGrants("EXPIRED", "until d1", "charge C 4 USD\nclock d1"),
  "VOIDED none": "grant A 10 USD\nvoid grant A",
  "VOIDED SETTLED": "grant A 10 USD external\nexternal A SETTLED\nvoid grant A",
  "VOIDED FAILED": "grant A 10 USD external\nexternal A AUTHORIZED\nvoid grant A",
  "EXPIRED FAILED":
    "grant A 10 USD external on_creation until d1\ncharge C 4 USD\nclock d1\nexternal A FAILED",
};

/** A grant that became available, in each state of payment, and then was used. */
function usedGrants(status: string, validity: string, use: string): Record<string, string> {
  const sold = `grant A 10 USD external on_creation ${validity}`;
  return {
    [`${status} none`]: `grant A 10 USD ${validity}\n${use}`,
    [`${status} PENDING`]: `${sold}\n${use}`,
    [`${status} AUTHORIZED`]: `${sold}\nexternal A AUTHORIZED\n${use}`,
    [`${status} SETTLED`]: `${sold}\nexternal A SETTLED\n${use}`,
  };
}

describe("D9 G5 G6 G8 grants: state × event", () => {
  // `no` is CREDIT_GRANT_NOT_ACTIVE of void and take, SETTLEMENT_TRANSITION_REFUSED of the reports,
  // NOT_EXTERNALLY_FUNDED of the reports about promotional credit.
  const cells = cellsOf(`
                         | void           | PENDING | AUTHORIZED           | SETTLED           | FAILED         | take
    PENDING none         | VOIDED none    | no      | no                   | no                | no             | no
    PENDING PENDING      | VOIDED FAILED  | same    | PENDING AUTHORIZED   | ACTIVE SETTLED    | VOIDED FAILED  | no
    PENDING AUTHORIZED   | VOIDED FAILED  | no      | same                 | ACTIVE SETTLED    | VOIDED FAILED  | no
    PENDING SETTLED      | VOIDED SETTLED | no      | no                   | same              | no             | no
    ACTIVE none          | VOIDED none    | no      | no                   | no                | no             | ACTIVE none
    ACTIVE PENDING       | VOIDED FAILED  | same    | ACTIVE AUTHORIZED    | ACTIVE SETTLED    | VOIDED FAILED  | ACTIVE PENDING
    ACTIVE AUTHORIZED    | VOIDED FAILED  | no      | same                 | ACTIVE SETTLED    | VOIDED FAILED  | ACTIVE AUTHORIZED
    ACTIVE SETTLED       | VOIDED SETTLED | no      | no                   | same              | no             | ACTIVE SETTLED
    EXHAUSTED none       | no             | no      | no                   | no                | no             | no
    EXHAUSTED PENDING    | no             | same    | EXHAUSTED AUTHORIZED | EXHAUSTED SETTLED | VOIDED FAILED  | no
    EXHAUSTED AUTHORIZED | no             | no      | same                 | EXHAUSTED SETTLED | VOIDED FAILED  | no
    EXHAUSTED SETTLED    | no             | no      | no                   | same              | no             | no
    EXPIRED none         | no             | no      | no                   | no                | no             | no
    EXPIRED PENDING      | no             | same    | EXPIRED AUTHORIZED   | EXPIRED SETTLED   | EXPIRED FAILED | no
    EXPIRED AUTHORIZED   | no             | no      | same                 | EXPIRED SETTLED   | EXPIRED FAILED | no
    EXPIRED SETTLED      | no             | no      | no                   | same              | no             | no
    EXPIRED FAILED       | no             | no      | no                   | no                | same           | no
    VOIDED none          | same           | no      | no                   | no                | no             | no
    VOIDED SETTLED       | same           | no      | no                   | same              | no             | no
    VOIDED FAILED        | same           | no      | no                   | no                | same           | no
  `);
  const isReport = (event: string) => event !== "void" && event !== "take";

  test.each(cells)("$state, on $event: $outcome", ({ state, event, outcome }) => {
    const customer = playQuietly(new Customer(), GRANT_STATES[state] ?? "");
    const read = () => {
      const { status, settlementStatus } = customer.getLot("A");
      return `${status} ${settlementStatus ?? "none"}`;
    };
    expect(read()).toBe(state);
    const command = isReport(event) ? `external A ${event}` : `${event} grant A`;
    const reason = !isReport(event)
      ? "CREDIT_GRANT_NOT_ACTIVE"
      : state.endsWith("none")
        ? "NOT_EXTERNALLY_FUNDED"
        : "SETTLEMENT_TRANSITION_REFUSED";
    const sent = send(customer, event === "take" ? "adjust -1 USD of A" : command, read);
    // Taking credit out changes what remains, whatever it does to the state.
    expect(sent).toBe(outcome === "no" ? reason : outcome);
  });

  test("every state of the tables is there", () => {
    const states = new Set(cells.map(({ state }) => state));
    expect(states).toEqual(new Set(Object.keys(GRANT_STATES)));
  });

  test("the steps in the code say the same", () => {
    for (const { state, event, outcome } of cells) {
      const from = state.split(" ")[1] ?? "";
      if (!isReport(event) || !(from in SETTLEMENT_STEPS)) continue;
      const steps: readonly string[] = SETTLEMENT_STEPS[from as SettlementStatus];
      expect(steps.includes(event), `${state} ${event}`).toBe(outcome !== "no");
    }
  });
});
