import { Writable } from "node:stream";
import { create } from "@bufbuild/protobuf";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import {
  ChargeService,
  CreateChargeRequestSchema,
  CreateChargeResponseSchema,
} from "../../gen/drawdown/v1/charge_service_pb.ts";
import {
  CustomerService,
  GetCustomerRequestSchema,
} from "../../gen/drawdown/v1/customer_service_pb.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { compileLine, type EndedCall } from "../../src/server/rpc-log.ts";

const CUSTOMER_ID = "0199a000-0000-7000-8000-000000000002";
const CHARGE_ID = "0199a000-0000-7000-8000-000000000003";

const ENDED: EndedCall = {
  code: "OK",
  reason: undefined,
  durationMs: 1.23456,
  tenantId: undefined,
  caller: undefined,
  request: undefined,
  response: undefined,
};

/** The line that a call leaves, without what every line has; undefined when there is none. */
function lineOf(
  method: Parameters<typeof compileLine>[0],
  call: Partial<EndedCall>,
  way: { readonly isOpen?: boolean; readonly withAmounts?: boolean } = {},
): unknown {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(line, _encoding, done) {
      lines.push(JSON.parse(String(line)));
      done();
    },
  });
  const { isOpen = false, withAmounts = false } = way;
  const logger = pino({ base: null, timestamp: false }, sink);
  compileLine(method, { logger, isOpen, withAmounts })({ ...ENDED, ...call });
  const [line] = lines;
  if (line === undefined) return undefined;
  const {
    level: _level,
    msg: _msg,
    method: _method,
    code: _code,
    duration_ms: _ms,
    ...rest
  } = line;
  return rest;
}

const charge = create(CreateChargeRequestSchema, {
  requestId: "r1",
  customerId: CUSTOMER_ID,
  amount: "12.5",
  currency: "USD",
  description: "a private matter",
  metadata: { note: "secret_id" },
});
const charged = create(CreateChargeResponseSchema, { charge: { id: CHARGE_ID, amount: "12.5" } });
const { createCharge } = ChargeService.method;
const ids = { request_id: "r1", customer_id: CUSTOMER_ID };

describe("the line of an RPC", () => {
  test("has the ids of the request and of what came of it, and no amount", () => {
    expect(lineOf(createCharge, { request: charge, response: charged })).toEqual({
      ...ids,
      charge_id: CHARGE_ID,
    });
  });

  test("has the amounts for those who ask for them", () => {
    expect(lineOf(createCharge, { request: charge }, { withAmounts: true })).toEqual({
      ...ids,
      amount: "12.5",
    });
  });

  test("has the id that was chosen of several ways to name something", () => {
    const { getCustomer } = CustomerService.method;
    const byId = { customer: { case: "customerId", value: CUSTOMER_ID } } as const;
    const byKey = { customer: { case: "key", value: "jane@example.com" } } as const;

    const lineFor = (named: typeof byId | typeof byKey) =>
      lineOf(getCustomer, { request: create(GetCustomerRequestSchema, named) });
    expect(lineFor(byId)).toEqual({ customer_id: CUSTOMER_ID });
    expect(lineFor(byKey)).toEqual({});
  });

  test("is as short for an id that is none", () => {
    const request = create(CreateChargeRequestSchema, { requestId: "x".repeat(100_000) });

    expect(lineOf(createCharge, { request })).toEqual({ request_id: "x".repeat(128) });
  });

  test("says whose credential it was, however long its name is", () => {
    expect(lineOf(createCharge, { caller: "x".repeat(1_000) })).toEqual({
      caller: "x".repeat(128),
    });
  });

  test("is not written at info for health checks", () => {
    expect(lineOf(Health.method.check, {}, { isOpen: true })).toBeUndefined();
  });
});
