/** Owns the RPCs of ChargeService: convert, call, convert. */
import { ChargeService } from "../../gen/drawdown/v1/charge_service_pb.ts";
import type { Book } from "../book/book.ts";
import type { Need } from "../book/need.ts";
import { cancelCharge } from "../charge/cancel-charge.ts";
import { type CorrectChargeResult, correctCharge } from "../charge/correct-charge.ts";
import { createCharge } from "../charge/create-charge.ts";
import type { ChargeBasis } from "../charge/plan-charge.ts";
import { previewCharge } from "../charge/preview-charge.ts";
import { settleCharge } from "../charge/settle-charge.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { getCharge, listCharges } from "../queries/charges.ts";
import type { CustomerReads } from "../queries/customer-reads.ts";
import type { Movement } from "../queries/movement.ts";
import { batchCreateCharges } from "./batch-create-charges.ts";
import {
  fromProtoCancelCharge,
  fromProtoChargeFilter,
  fromProtoCorrectCharge,
  fromProtoCreateCharge,
  fromProtoSettleCharge,
} from "./from-proto/charge.ts";
import { fromProtoCustomerName, fromProtoId } from "./from-proto/id.ts";
import { fromProtoOrderedPage } from "./from-proto/page.ts";
import { type ImplementedService, implement } from "./method.ts";
import { checkOwnCustomer } from "./own-customer.ts";
import { toProtoCharge } from "./to-proto/charge.ts";
import { toProtoChargePreview } from "./to-proto/charge-preview.ts";
import { toProtoMovements } from "./to-proto/movement.ts";
import { compileWrite } from "./write.ts";

export function makeChargeService(parts: {
  readonly pipeline: Pipeline;
  readonly reads: CustomerReads;
}): ImplementedService {
  const { pipeline, reads } = parts;
  return implement(ChargeService, {
    createCharge: async (request, call) => pipeline.submit(createChargeWrite(request, call)),
    batchCreateCharges: async (request, call) =>
      batchCreateCharges(request.requests, {
        write: (item) => {
          checkOwnCustomer(call, item.customerId);
          return createChargeWrite(item, call);
        },
        submit: (write) => pipeline.submit(write),
        call,
      }),
    settleCharge: async (request, call) => pipeline.submit(settleChargeWrite(request, call)),
    cancelCharge: async (request, call) => pipeline.submit(cancelChargeWrite(request, call)),
    correctCharge: async (request, call) => pipeline.submit(correctChargeWrite(request, call)),
    previewCharge: async (request, call) => {
      const command = fromProtoCreateCharge(request);
      return pipeline.look({
        ...fromProtoCustomerName(request, call),
        needs: needsOf(command.basis),
        until: null,
        look: (book) => toProtoChargePreview(previewCharge(book, command)),
      });
    },
    getCharge: async (request, call) => {
      const customer = fromProtoCustomerName(request, call);
      const charge = await getCharge(reads, customer, fromProtoId(request.chargeId));
      return { charge: toProtoCharge(customer.customerId, charge) };
    },
    listCharges: async (request, call) => {
      const customer = fromProtoCustomerName(request, call);
      const filter = fromProtoChargeFilter(request);
      const page = await listCharges(reads, customer, filter, fromProtoOrderedPage(request));
      const charges = page.items.map((charge) => toProtoCharge(customer.customerId, charge));
      return { charges, nextPageToken: page.nextToken };
    },
  });
}

/** What a charge surely asks for. Which grants a rate card may draw, only the card tells. */
function needsOf(basis: ChargeBasis): readonly Need[] {
  if (basis.by === "rate_card") {
    return [{ kind: "rate_card", key: basis.rateCardKey, version: null }];
  }
  const { currency, featureKey } = basis;
  return [
    { kind: "currency", code: currency },
    { kind: "shelf", currency, featureKey },
  ];
}

const createChargeWrite = compileWrite(ChargeService.method.createCharge, (request) => {
  const command = fromProtoCreateCharge(request);
  return {
    needs: needsOf(command.basis),
    verb: (book) => createCharge(book, command),
    answer: (charge, customerId) => ({ charge: toProtoCharge(customerId, charge) }),
    keptIn: command.capture === "AUTOMATIC" ? "charge" : "request",
  };
});

const settleChargeWrite = compileWrite(ChargeService.method.settleCharge, (request) => {
  const command = fromProtoSettleCharge(request);
  return {
    needs: [{ kind: "charge", id: command.chargeId }],
    verb: (book) => settleCharge(book, command),
    answer: (charge, customerId) => ({ charge: toProtoCharge(customerId, charge) }),
    keptIn: "request",
  };
});

const cancelChargeWrite = compileWrite(ChargeService.method.cancelCharge, (request) => {
  const command = fromProtoCancelCharge(request);
  return {
    needs: [{ kind: "charge", id: command.chargeId }],
    verb: (book) => cancelCharge(book, command),
    answer: (charge, customerId) => ({ charge: toProtoCharge(customerId, charge) }),
    keptIn: "request",
  };
});

const correctChargeWrite = compileWrite(ChargeService.method.correctCharge, (request) => {
  const command = fromProtoCorrectCharge(request);
  return {
    needs: [{ kind: "charge", id: command.chargeId }],
    verb: (book) => {
      const result = correctCharge(book, command);
      return { charge: result.charge, movements: movementsOf(book, result) };
    },
    answer: ({ charge, movements }, customerId) => ({
      charge: toProtoCharge(customerId, charge),
      movements: toProtoMovements(customerId, movements),
    }),
    keptIn: "request",
  };
});

/** What comes back is described by the reason, what ends again at once by its grant (H2). */
function movementsOf(book: Book, { transfers, reason }: CorrectChargeResult): readonly Movement[] {
  return transfers.map((transfer) => {
    if (transfer.event === "CORRECTED") return { transfer, description: reason, metadata: {} };
    const { description, metadata } = book.getTerms(transfer.grantId);
    return { transfer, description, metadata };
  });
}
