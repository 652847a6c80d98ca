/** What /metrics tells of the work that the service has done, and /readyz of whether it can. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callerOver, refusalOf } from "./caller.ts";
import { type Running, startService, TWO_WAYS } from "./running.ts";
import { Story, step } from "./story.ts";

let running: Running;

beforeAll(async () => {
  running = await startService();
});
afterAll(() => running.close());

/** The value of a sample, by its name with labels as they are printed. */
async function sampleOf(sample: string): Promise<number> {
  const text = await (await fetch(`${running.http}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`${sample} `));
  return Number(line?.slice(sample.length + 1) ?? Number.NaN);
}

describe("/metrics", () => {
  test("counts calls, refusals, batches, commits and what fell due", async () => {
    const [, open] = TWO_WAYS[1] ?? expect.fail();
    const story = await Story.begin(callerOver(open(running)), "measured");
    const gift = { currency: "USD", fundingMethod: "FUNDING_METHOD_PROMOTIONAL", amount: "10" };
    await story.tell([step("gift", "CreateCreditGrant", { ...gift, expiresAfter: "PT1H" })]);
    const charge = { currency: "USD", settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY" };
    const tooMuch = story.requestOf("CreateCharge", { ...charge, amount: "11" }, "too-much");
    await refusalOf(story.caller, "CreateCharge", tooMuch);
    await running.ledger.shiftClock("2 hours");
    await story.tell([step("after", "GetBalance", {})]);

    const method = 'method="/drawdown.v1.CreditGrantService/CreateCreditGrant"';
    expect(await sampleOf(`drawdown_rpc_duration_seconds_count{${method},code="OK"}`)).toBe(1);
    expect(await sampleOf('drawdown_rpc_refusals_total{reason="INSUFFICIENT_CREDITS"}')).toBe(1);
    // The customer, the grant, the charge; the read then booked the expiry, as no command.
    expect(await sampleOf("drawdown_batch_commands_sum")).toBe(3);
    expect(await sampleOf("drawdown_batch_duration_seconds_count")).toBe(4);
    expect(await sampleOf("drawdown_commit_duration_seconds_count")).toBe(4);
    expect(await sampleOf("drawdown_due_transfers_total")).toBe(1);
    expect(await sampleOf("drawdown_batch_retries_total")).toBe(0);
    expect(await sampleOf("drawdown_commits_unclear_total")).toBe(0);
    for (const lane of ["0", "1", "registry"]) {
      expect(await sampleOf(`drawdown_lane_commands_waiting{lane="${lane}"}`)).toBe(0);
    }
    expect(await sampleOf('drawdown_pool_connections{pool="reads",state="idle"}')).toBeGreaterThan(
      0,
    );
    expect(await sampleOf('drawdown_pool_connections{pool="writes",state="used"}')).toBe(0);
    expect(await sampleOf('drawdown_pool_waiting{pool="writes"}')).toBe(0);
  });
});

describe("/readyz", () => {
  test("says no to a database without the tables of this version", async () => {
    const { superuser } = running.ledger;
    const status = async () => (await fetch(`${running.http}/readyz`)).status;
    const answerIs = async (wanted: number) => {
      let last = 0;
      for (let tries = 0; tries < 100 && last !== wanted; tries++) {
        last = await status();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return last;
    };

    expect(await status()).toBe(200);
    await superuser.query("ALTER TABLE request RENAME TO hidden");
    expect(await answerIs(503)).toBe(503);
    await superuser.query("ALTER TABLE hidden RENAME TO request");
    expect(await answerIs(200)).toBe(200);
  });
});
