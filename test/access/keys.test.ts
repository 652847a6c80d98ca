/**
 * Owns the life of an API key as callers and operators meet it: from the answer that has its secret
 * to the refusal of what was revoked, over both ports and on a replica that knew it before.
 */
import { ConnectError, type Transport } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Callers, recognizeCallers } from "../../src/callers.ts";
import { Refusal } from "../../src/errors.ts";
import { TENANT } from "../pipeline/ledger.ts";
import { KEY } from "../server/edges.ts";
import { type Caller, callerOver, refusalOf, refusedOf, valueAt } from "../wire/caller.ts";
import { NO_WEB_TOKENS, type Running, startService, TWO_WAYS } from "../wire/running.ts";
import { bearer, callerWith, freshId, makeKey, revokeKey } from "./keys.ts";

/** What the contract promises, and a little for the machine. */
const REVOKED_MS_MAX = 5_000;

let running: Running;
let replica: Callers;

beforeAll(async () => {
  running = await startService();
  const { connections } = running.ledger;
  const report = () => undefined;
  replica = await recognizeCallers({ connections, adminKey: KEY, config: NO_WEB_TOKENS, report });
});
afterAll(async () => {
  replica.close();
  await running.close();
});

async function customerOf(caller: Caller): Promise<string> {
  const key = freshId();
  return String(
    valueAt(await caller.call("CreateCustomer", { requestId: key, key }), "customer.id"),
  );
}

/** Whether a replica that has a cache of its own lets the caller in. */
async function isKnown(secret: string): Promise<boolean> {
  try {
    await replica.authenticate(bearer(secret).authorization);
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.reason === "UNAUTHENTICATED") return false;
    throw error;
  }
}

async function within(ms: number, what: string, isSo: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + ms;
  while (!(await isSo())) {
    if (performance.now() > until) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe.each(TWO_WAYS)("an API key, over %s", (_way, open) => {
  let transport: Transport;
  let operator: Caller;

  beforeAll(() => {
    transport = open(running);
    operator = callerOver(transport);
  });

  test("opens the tenant that it was made for, and no other", async () => {
    const created = await operator.call("CreateTenant", { requestId: freshId(), name: "second" });
    const tenantId = String(valueAt(created, "tenant.id"));
    const second = callerWith(transport, await makeKey(operator, { tenantId, role: "WRITER" }));
    const customerId = await customerOf(second);

    expect(await second.call("GetCustomer", { customerId })).toHaveProperty("customer");
    expect(await refusalOf(operator, "GetCustomer", { customerId })).toMatchObject({
      reason: "CUSTOMER_NOT_FOUND",
    });
  });

  test("that was revoked is refused within 5 seconds everywhere, and its streams end", async () => {
    const made = await makeKey(operator, { tenantId: TENANT, role: "READER" });
    const reader = callerWith(transport, made);
    const customerId = await customerOf(operator);
    const stream = reader.stream("WatchBalance", { customerId });
    expect((await stream.next()).done).toBe(false);
    expect(await isKnown(made.secret)).toBe(true);

    await revokeKey(operator, made);
    const revokedAtMs = performance.now();
    const ended = stream.next().then(
      () => undefined,
      (error: unknown) => ({ error, afterMs: performance.now() - revokedAtMs }),
    );
    await Promise.all([
      within(REVOKED_MS_MAX, "a replica refuses it", async () => !(await isKnown(made.secret))),
      within(REVOKED_MS_MAX, "the service refuses it", async () => {
        try {
          await reader.call("GetBalance", { customerId });
          return false;
        } catch (error) {
          if (!(error instanceof ConnectError)) throw error;
          return refusedOf(error).reason === "UNAUTHENTICATED";
        }
      }),
    ]);
    const end = await ended;
    expect(end?.error).toBeInstanceOf(ConnectError);
    expect(refusedOf(end?.error as ConnectError).reason).toBe("UNAUTHENTICATED");
    expect(end?.afterMs).toBeLessThan(REVOKED_MS_MAX);
  });

  test("that has expired is refused by the database's clock", async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const made = await makeKey(operator, { tenantId: TENANT, role: "READER", expiresAt });
    const reader = callerWith(transport, made);
    await reader.call("ListCurrencies", {});

    await running.ledger.shiftClock("2 hours");
    try {
      await within(REVOKED_MS_MAX, "it is refused", async () => {
        const refused = await reader.call("ListCurrencies", {}).then(
          () => undefined,
          (error: ConnectError) => refusedOf(error).reason,
        );
        return refused === "UNAUTHENTICATED";
      });
    } finally {
      await running.ledger.shiftClock("0");
    }
  });

  test("shows when it was last used", async () => {
    const { tenant } = await operator.call("CreateTenant", { requestId: freshId(), name: "used" });
    const tenantId = String(valueAt(tenant, "id"));
    const lastUse = async () =>
      valueAt(await operator.call("ListApiKeys", { tenantId }), "apiKeys.0.lastUsedAt");
    const made = await makeKey(operator, { tenantId, role: "READER" });
    expect(await lastUse()).toBeUndefined();

    await callerWith(transport, made).call("ListCurrencies", {});
    await within(
      REVOKED_MS_MAX,
      "its use is recorded",
      async () => (await lastUse()) !== undefined,
    );
  });
});
