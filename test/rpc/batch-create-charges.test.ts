import { create, fromJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { ChargeSchema } from "../../gen/drawdown/v1/charge_pb.ts";
import {
  BatchCreateChargesRequestSchema,
  type CreateChargeRequest,
  CreateChargeResponseSchema,
} from "../../gen/drawdown/v1/charge_service_pb.ts";
import { ErrorReason } from "../../gen/drawdown/v1/error_reason_pb.ts";
import { AssertionFailure, refuse } from "../../src/errors.ts";
import { batchCreateCharges } from "../../src/rpc/batch-create-charges.ts";
import { fromProtoCreateCharge } from "../../src/rpc/from-proto/charge.ts";

const ITEM = {
  requestId: "r",
  customerId: "0190a1b2-c3d4-7000-8000-00000000000a",
  amount: "1",
  currency: "USD",
  settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY",
};

function requestsOf(items: readonly object[]): readonly CreateChargeRequest[] {
  const requests = items.map((item) => ({ ...ITEM, ...item }));
  return fromJson(BatchCreateChargesRequestSchema, { requests }).requests;
}

/** Converts as the service does, and answers with the description, or as the test says. */
function wayOf(submit: (description: string) => Promise<void> = async () => {}) {
  const submitted: string[] = [];
  const bugs: unknown[] = [];
  const leaving = new AbortController();
  return {
    submitted,
    bugs,
    leaving,
    call: { signal: leaving.signal, noteBug: (error: unknown) => bugs.push(error) },
    write: (request: CreateChargeRequest) => fromProtoCreateCharge(request),
    submit: async ({ description }: { readonly description: string }) => {
      submitted.push(description);
      await submit(description);
      const charge = create(ChargeSchema, { description });
      return create(CreateChargeResponseSchema, { charge });
    },
  };
}

const namesOf = (count: number) => Array.from({ length: count }, (_, index) => `item ${index}`);

describe("W1 each item of a batch succeeds or fails alone", () => {
  test("answers stand in the order of the requests, and items are submitted in it", async () => {
    const names = namesOf(250);
    const way = wayOf(async (description) => {
      if (description === "item 0") await new Promise((resolve) => setTimeout(resolve, 5));
    });
    const { results } = await batchCreateCharges(
      requestsOf(names.map((description) => ({ description }))),
      way,
    );

    expect(way.submitted).toEqual(names);
    expect(
      results.map(({ result }) => (result.case === "charge" ? result.value.description : "")),
    ).toEqual(names);
  });

  test("an item that breaks a rule or has too fine a time is answered and not submitted", async () => {
    const way = wayOf();
    const { results } = await batchCreateCharges(
      requestsOf([
        { description: "good" },
        { description: "bad", amount: "-1", requestId: "" },
        {
          description: "fine",
          capture: "CAPTURE_MANUAL",
          holdExpiresAt: "2026-02-01T00:00:00.0000001Z",
        },
      ]),
      way,
    );
    const errors = results.map(({ result }) => (result.case === "error" ? result.value : null));

    expect(way.submitted).toEqual(["good"]);
    expect(errors.map((error) => error?.code ?? 0)).toEqual([0, 3, 3]);
    expect(errors.map((error) => error?.fieldViolations.map(({ field }) => field))).toEqual([
      undefined,
      ["request_id", "amount"],
      ["hold_expires_at"],
    ]);
  });

  test("a refusal carries what the single call would have failed with", async () => {
    const facts = { required: "2", available: "1", currency: "USD" };
    const { results } = await batchCreateCharges(
      requestsOf([{ description: "poor" }, { description: "rich" }]),
      wayOf(async (description) => {
        if (description === "poor") throw refuse("INSUFFICIENT_CREDITS", "only 1 USD", facts);
      }),
    );

    expect(results.map(({ result }) => result.case)).toEqual(["error", "charge"]);
    expect(results[0]?.result.value).toMatchObject({
      code: 9,
      reason: ErrorReason.INSUFFICIENT_CREDITS,
      message: "only 1 USD",
      metadata: facts,
      fieldViolations: [],
    });
  });

  test("a bug in the pipeline is INTERNAL for its item alone, and is told of", async () => {
    const bug = new AssertionFailure("impossible");
    const way = wayOf(async (description) => {
      if (description === "odd") throw bug;
    });
    const requests = requestsOf([{ description: "odd" }, { description: "even" }]);
    const { results } = await batchCreateCharges(requests, way);

    expect(results.map(({ result }) => result.case)).toEqual(["error", "charge"]);
    expect(results[0]?.result.value).toMatchObject({ code: 13, reason: ErrorReason.INTERNAL });
    expect(way.bugs).toEqual([bug]);
  });

  test("a call whose time is over before every item was tried fails as a whole", async () => {
    const reason = new ConnectError("too late", Code.DeadlineExceeded);
    const way = wayOf(async (description) => {
      if (description === "first") return;
      way.leaving.abort(reason);
      throw reason;
    });
    const requests = requestsOf([{ description: "first" }, { description: "late" }]);

    await expect(batchCreateCharges(requests, way)).rejects.toBe(reason);
    expect(way.bugs).toEqual([]);
  });

  test("a bug in converting fails the call before anything is submitted", async () => {
    const way = wayOf();
    const write = () => {
      throw new AssertionFailure("impossible");
    };

    await expect(batchCreateCharges(requestsOf([{}]), { ...way, write })).rejects.toThrow(
      "impossible",
    );
    expect(way.submitted).toEqual([]);
  });
});
