/** Owns a registry in memory, for tests of the verbs: everything that a test asks for is loaded. */
import { Refusal } from "../../src/errors.ts";
import { type Instant, parseInstant } from "../../src/money/time.ts";
import { Registry, type RegistryNeed } from "../../src/registry/registry.ts";

export const NOW: Instant = parseInstant("2026-11-22T11:01:10.123456Z");

/** An empty registry of which these customer keys, currency codes and rate cards can be asked. */
export function registryOf(
  asked: {
    readonly keys?: readonly string[];
    readonly codes?: readonly string[];
    readonly cards?: readonly string[];
  },
  start: { readonly now?: Instant; readonly customerCount?: bigint } = {},
): Registry {
  const { keys = [], codes = [], cards = [] } = asked;
  const needs: RegistryNeed[] = [
    ...keys.map((key) => ({ kind: "customer_key", key }) as const),
    ...codes.map((code) => ({ kind: "currency", code }) as const),
    ...cards.map((key) => ({ kind: "rate_card", key }) as const),
  ];
  const { now = NOW, customerCount = 0n } = start;
  return new Registry({ now, customerCount, needs, random32: () => 0xabcd_ef01 });
}

/** What a verb comes to: `ok`, or the reason with the field and the facts. */
export function outcomeOf(verb: () => unknown): unknown {
  try {
    verb();
    return "ok";
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason, facts, fieldViolations } = error;
    return [reason, fieldViolations[0]?.field, facts];
  }
}
