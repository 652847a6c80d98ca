/** Owns the RPCs of RateCardService: convert, call, convert. */
import { RateCardService } from "../../gen/drawdown/v1/rate_card_service_pb.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { getRateCard, listRateCards } from "../queries/rate-cards.ts";
import type { TenantReads } from "../queries/tenant-reads.ts";
import { archiveRateCard } from "../registry/archive-rate-card.ts";
import { createRateCard } from "../registry/create-rate-card.ts";
import { fromProtoOptional } from "./from-proto/id.ts";
import { fromProtoPage } from "./from-proto/page.ts";
import { fromProtoCreateRateCard } from "./from-proto/rate-card.ts";
import { type ImplementedService, implement } from "./method.ts";
import { compileRegistryWrite } from "./registry-write.ts";
import { toProtoRateCard } from "./to-proto/rate-card.ts";

export function makeRateCardService(parts: {
  readonly pipeline: Pipeline;
  readonly reads: TenantReads;
}): ImplementedService {
  const { pipeline, reads } = parts;
  return implement(RateCardService, {
    createRateCard: async (request, call) =>
      pipeline.submitToRegistry(createRateCardWrite(request, call)),
    archiveRateCard: async (request, call) =>
      pipeline.submitToRegistry(archiveRateCardWrite(request, call)),
    getRateCard: async ({ key, version }, { tenantId }) => {
      const named = { key, version: version === 0 ? null : version };
      return { rateCard: toProtoRateCard(await getRateCard(reads, tenantId, named)) };
    },
    listRateCards: async (request, { tenantId }) => {
      const key = fromProtoOptional(request.key);
      const page = await listRateCards(reads, tenantId, key, fromProtoPage(request));
      return { rateCards: page.items.map(toProtoRateCard), nextPageToken: page.nextToken };
    },
  });
}

const createRateCardWrite = compileRegistryWrite(
  RateCardService.method.createRateCard,
  (request) => {
    const command = fromProtoCreateRateCard(request);
    return {
      needs: [
        { kind: "rate_card", key: command.key },
        { kind: "currency", code: command.currency },
      ],
      verb: (registry) => createRateCard(registry, command),
      answer: (card) => ({ rateCard: toProtoRateCard(card) }),
    };
  },
);

const archiveRateCardWrite = compileRegistryWrite(
  RateCardService.method.archiveRateCard,
  ({ key }) => ({
    needs: [{ kind: "rate_card", key }],
    verb: (registry) => archiveRateCard(registry, { key }),
    answer: (card) => ({ rateCard: toProtoRateCard(card) }),
  }),
);
