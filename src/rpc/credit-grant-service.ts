/** Owns the RPCs of CreditGrantService: convert, call, convert. */
import { CreditGrantService } from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import { EVERY_FEATURE } from "../book/book.ts";
import type { Need } from "../book/need.ts";
import { type AdjustCredits, adjustCredits } from "../grant/adjust-credits.ts";
import { type CreateCreditGrant, createCreditGrant } from "../grant/create-credit-grant.ts";
import { updateExternalSettlement } from "../grant/update-external-settlement.ts";
import { voidCreditGrant } from "../grant/void-credit-grant.ts";
import type { GrantId } from "../ledger/ids.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { getCreditGrant, listCreditGrants } from "../queries/credit-grants.ts";
import type { CustomerReads } from "../queries/customer-reads.ts";
import { listShownLines } from "../queries/invoices.ts";
import {
  fromProtoAdjustCredits,
  fromProtoCreateCreditGrant,
  fromProtoCreditGrantFilter,
  fromProtoUpdateExternalSettlement,
  fromProtoVoidCreditGrant,
} from "./from-proto/credit-grant.ts";
import { fromProtoCustomerName, fromProtoId } from "./from-proto/id.ts";
import { fromProtoOrderedPage } from "./from-proto/page.ts";
import { toProtoInvoiceWithoutLines, withLines } from "./invoice-lines.ts";
import { type ImplementedService, implement } from "./method.ts";
import { toProtoCreditGrant } from "./to-proto/credit-grant.ts";
import { toProtoMovements } from "./to-proto/movement.ts";
import { compileWrite } from "./write.ts";

export function makeCreditGrantService(parts: {
  readonly pipeline: Pipeline;
  readonly reads: CustomerReads;
}): ImplementedService {
  const { pipeline, reads } = parts;
  const listLines = listShownLines.bind(null, reads);
  return implement(CreditGrantService, {
    createCreditGrant: async (request, call) => {
      const answer = await pipeline.submit(createWrite(request, call));
      if (answer.invoice === undefined) return answer;
      const invoice = await withLines(answer.invoice, call.tenantId, listLines);
      return { ...answer, invoice };
    },
    voidCreditGrant: async (request, call) => pipeline.submit(voidWrite(request, call)),
    updateExternalSettlement: async (request, call) =>
      pipeline.submit(updateExternalSettlementWrite(request, call)),
    adjustCredits: async (request, call) => pipeline.submit(adjustWrite(request, call)),
    getCreditGrant: async (request, call) => {
      const customer = fromProtoCustomerName(request, call);
      const grant = await getCreditGrant(reads, customer, fromProtoId(request.creditGrantId));
      return { creditGrant: toProtoCreditGrant(customer.customerId, grant) };
    },
    listCreditGrants: async (request, call) => {
      const customer = fromProtoCustomerName(request, call);
      const filter = fromProtoCreditGrantFilter(request);
      const page = await listCreditGrants(reads, customer, filter, fromProtoOrderedPage(request));
      const creditGrants = page.items.map((grant) =>
        toProtoCreditGrant(customer.customerId, grant),
      );
      return { creditGrants, nextPageToken: page.nextToken };
    },
  });
}

const createWrite = compileWrite(CreditGrantService.method.createCreditGrant, (request) => {
  const command = fromProtoCreateCreditGrant(request);
  return {
    needs: needsOfCreate(command),
    verb: (book) => createCreditGrant(book, command),
    answer: ({ lot, terms, invoice }, customerId) => ({
      creditGrant: toProtoCreditGrant(customerId, { lot, terms }),
      ...(invoice !== null && { invoice: toProtoInvoiceWithoutLines(customerId, invoice) }),
    }),
    keptIn: "request",
  };
});

function needsOfCreate({ currency, purchase }: CreateCreditGrant): readonly Need[] {
  const needs: Need[] = [{ kind: "currency", code: currency }];
  if (purchase !== null) needs.push({ kind: "currency", code: purchase.currency });
  return needs;
}

const voidWrite = compileWrite(CreditGrantService.method.voidCreditGrant, (request) => {
  const command = fromProtoVoidCreditGrant(request);
  return {
    needs: needsOfGrant(command.grantId),
    verb: (book) => voidCreditGrant(book, command),
    answer: (grant, customerId) => ({ creditGrant: toProtoCreditGrant(customerId, grant) }),
    keptIn: "request",
  };
});

const updateExternalSettlementWrite = compileWrite(
  CreditGrantService.method.updateExternalSettlement,
  (request) => {
    const command = fromProtoUpdateExternalSettlement(request);
    return {
      needs: needsOfGrant(command.grantId),
      verb: (book) => updateExternalSettlement(book, command),
      answer: (grant, customerId) => ({ creditGrant: toProtoCreditGrant(customerId, grant) }),
      keptIn: "request",
    };
  },
);

function needsOfGrant(id: GrantId): readonly Need[] {
  return [
    { kind: "grant", id },
    { kind: "terms", id },
  ];
}

const adjustWrite = compileWrite(CreditGrantService.method.adjustCredits, (request) => {
  const command = fromProtoAdjustCredits(request);
  return {
    needs: needsOfAdjust(command),
    verb: (book) => adjustCredits(book, command),
    answer: ({ transfers, grant, reason, metadata }, customerId) => ({
      movements: toProtoMovements(
        customerId,
        transfers.map((transfer) => ({ transfer, description: reason, metadata })),
      ),
      ...(grant !== null && { creditGrant: toProtoCreditGrant(customerId, grant) }),
    }),
    keptIn: "request",
  };
});

/** Credit is taken from one grant or from all, and given without looking at any. */
function needsOfAdjust({ currency, amount, grantId }: AdjustCredits): readonly Need[] {
  const needs: Need[] = [{ kind: "currency", code: currency }];
  if (grantId !== null) needs.push({ kind: "grant", id: grantId });
  else if (amount < 0n) needs.push({ kind: "shelf", currency, featureKey: EVERY_FEATURE });
  return needs;
}
