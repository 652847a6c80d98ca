/** Owns the scenarios of big books: how many grants one request may draw, loaded page by page. */
import { beforeAll, describe, expect, test } from "vitest";
import { Customer } from "./customer.ts";
import { attempt, playQuietly } from "./scenario.ts";

/** A customer with 1,001 grants of 1 USD each, made in one batch. */
function customerOfMany(): Customer {
  const customer = new Customer({ shelf: 64, due: 1_000 });
  customer.keeper.begin();
  for (let index = 1; index <= 1_001; index += 1) {
    playQuietly(customer, `grant G${index} 1 USD features calls`);
  }
  customer.keeper.commit();
  return customer;
}

describe("D2 a charge draws from at most 1,000 grants", () => {
  let customer: Customer;
  beforeAll(() => {
    customer = customerOfMany();
  });

  const reasonOf = (command: string) => {
    const before = customer.kept.transfers.length;
    const refusal = attempt(customer, command);
    if (refusal !== null) expect(customer.kept.transfers).toHaveLength(before);
    return refusal?.reason ?? "done";
  };

  test("one more is refused, in either mode and for a hold and for an adjustment too", () => {
    const calls = "feature calls";
    expect(reasonOf(`charge C 1000.5 USD credit_only ${calls}`)).toBe("TOO_MANY_DRAWS");
    expect(reasonOf(`charge C 2000 USD credit_then_invoice ${calls}`)).toBe("TOO_MANY_DRAWS");
    expect(reasonOf(`charge C 1001 USD credit_only ${calls} hold`)).toBe("TOO_MANY_DRAWS");
    expect(reasonOf("adjust -1001 USD")).toBe("TOO_MANY_DRAWS");
    expect(reasonOf("charge C 1 USD credit_only")).toBe("INSUFFICIENT_CREDITS");
  });

  test("a settlement counts what is held and what is drawn for more", () => {
    expect(reasonOf("charge H 600 USD credit_only feature calls hold")).toBe("done");
    expect(reasonOf("settle charge H 1001")).toBe("TOO_MANY_DRAWS");
    expect(customer.getCharge("H").status).toBe("OPEN");
    expect(reasonOf("settle charge H 1000")).toBe("done");
    expect(customer.getCharge("H").allocations).toHaveLength(1_000);
    expect(reasonOf("correct charge H")).toBe("done");
    expect(customer.kept.balances.get("USD")?.credit).toBe(1_001n * 10n ** 12n);
  });
});
