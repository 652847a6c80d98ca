/** Owns archiving: the newest version refuses charges until a later one exists (D1). */
import type { RateCard } from "../book/nouns.ts";
import { refuse } from "../errors.ts";
import type { Registry } from "./registry.ts";

export interface ArchiveRateCard {
  readonly key: string;
}

export function archiveRateCard(registry: Registry, { key }: ArchiveRateCard): RateCard {
  const newest = registry.findNewestRateCard(key);
  if (newest === undefined) {
    throw refuse("RATE_CARD_NOT_FOUND", `there is no rate card ${key}`, { rate_card_key: key });
  }
  if (newest.archivedAt !== null) return newest;

  const archived = { ...newest, archivedAt: registry.now };
  registry.archiveNewest(archived);
  return archived;
}
