/** Owns how large a run is: in full, and quick. */
import type { CustomerRange } from "./load.ts";
import type { Seed } from "./seed.ts";
import type { Duration } from "./window.ts";

export interface Scale {
  readonly name: "full" | "quick";
  readonly roundsMax: number;
  /** No further round is begun that would end after so long. */
  readonly seconds_max: number;
  readonly duration: Duration;
  /** How long each kind of load runs before anything is measured. */
  readonly settling_ms: number;
  readonly seed: Seed;
  /** Customers with 100,000 movements and 10,000 spent grants. */
  readonly grown: CustomerRange;
  /** Customers with 10 movements. */
  readonly fresh: CustomerRange;
  /** Whose movements are streamed and copied: all of them once, or for as long as a window is. */
  readonly history: { readonly customer: number; readonly once: boolean };
  /** The customer who is charged by hand alone, to be audited. */
  readonly byHand: number;
}

const CUSTOMERS = { first: 0, count: 10_000 } as const;
const SPENT_GRANTS = 10_000;
/** The live grant and the charge that every customer begins with. */
const BEGINNING = 2;
const GROWN_MOVEMENTS = BEGINNING + 10 * SPENT_GRANTS;
const FRESH_MOVEMENTS = BEGINNING + 8;
const STREAMED_MOVEMENTS = BEGINNING + 100 * SPENT_GRANTS;

const FRESH_FIRST = 0x10_0000;
const GROWN_FIRST = 0x20_0000;
const STREAMED = 0x30_0000;
const JOURNALS_FIRST = 0x40_0000;
const BY_HAND = 0x50_0000;

const histories = (customers: number) => ({
  fresh: { first: FRESH_FIRST, count: customers },
  grown: { first: GROWN_FIRST, count: customers },
});

function seedOf(customers: number): Pick<Seed, "customers" | "histories"> {
  const { fresh, grown } = histories(customers);
  return {
    customers: CUSTOMERS,
    histories: [
      { customers: fresh, movements: FRESH_MOVEMENTS, spentGrants: 0 },
      { customers: grown, movements: GROWN_MOVEMENTS, spentGrants: SPENT_GRANTS },
      { customers: { first: BY_HAND, count: 1 }, movements: BEGINNING, spentGrants: 0 },
    ],
  };
}

const FULL_HISTORIES = 8;
/** With the others they make 10 million movements. */
const JOURNALS = 82;
const full = seedOf(FULL_HISTORIES);

export const FULL: Scale = {
  name: "full",
  roundsMax: 5,
  seconds_max: 600,
  duration: { warmUp_ms: 600, window_ms: 2_000 },
  settling_ms: 6_000,
  seed: {
    ...full,
    histories: [
      ...full.histories,
      {
        customers: { first: STREAMED, count: 1 },
        movements: STREAMED_MOVEMENTS,
        spentGrants: SPENT_GRANTS,
      },
    ],
    journals: { customers: { first: JOURNALS_FIRST, count: JOURNALS }, of: GROWN_FIRST },
  },
  ...histories(FULL_HISTORIES),
  history: { customer: STREAMED, once: true },
  byHand: BY_HAND,
};

const QUICK_HISTORIES = 1;

export const QUICK: Scale = {
  name: "quick",
  roundsMax: 2,
  seconds_max: 40,
  duration: { warmUp_ms: 200, window_ms: 800 },
  settling_ms: 1_600,
  seed: { ...seedOf(QUICK_HISTORIES), journals: null },
  ...histories(QUICK_HISTORIES),
  history: { customer: GROWN_FIRST, once: false },
  byHand: BY_HAND,
};
