/**
 * Owns what a load is, as data that travels to the processes that make it, and what they measure.
 */

/** Customers are numbered from `first` on; a load picks among them at random. */
export interface CustomerRange {
  readonly first: number;
  readonly count: number;
}

export type CallKind = "empty" | "charge" | "batch" | "balance";

export type Load =
  /** Unary calls, so many always in flight. */
  | {
      readonly kind: "calls";
      readonly call: CallKind;
      readonly grpc: string;
      readonly customers: CustomerRange;
      readonly inFlight: number;
    }
  /** The hand-written statement, one transaction each, on so many connections. */
  | {
      readonly kind: "yardstick";
      readonly url: string;
      readonly customers: CustomerRange;
      readonly connections: number;
    }
  /** StreamMovements of one customer from the beginning: once, or again and again. */
  | {
      readonly kind: "history";
      readonly grpc: string;
      readonly customer: number;
      readonly once: boolean;
    }
  /** COPY of the same customer's rows. */
  | {
      readonly kind: "copy";
      readonly url: string;
      readonly customer: number;
      readonly once: boolean;
    };

/** What one process measured since its last mark. */
export interface Measured {
  readonly operations: number;
  readonly seconds: number;
  readonly latencies_ms: readonly number[];
}

export type ToLoadProcess =
  | { readonly kind: "start"; readonly load: Load }
  | { readonly kind: "mark" }
  | { readonly kind: "read" }
  /** Asks to be told when a load that ends by itself has ended. */
  | { readonly kind: "finish" }
  | { readonly kind: "stop" };

export type FromLoadProcess =
  | { readonly kind: "measured"; readonly measured: Measured }
  | { readonly kind: "finished" }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly message: string };

/** The id of a numbered customer: spread over lanes as ids of the service are. */
export function customerId(number: number): string {
  return `${CUSTOMER_ID_PREFIX}${number.toString(16).padStart(12, "0")}`;
}

export const CUSTOMER_ID_PREFIX = "019a0000-0000-7000-8000-";

/** The same id as SQL, from an expression that is a whole number. */
export function customerIdSql(number: string): string {
  return `('${CUSTOMER_ID_PREFIX}' || lpad(to_hex(${number}), 12, '0'))::uuid`;
}

export function anyOf({ first, count }: CustomerRange): number {
  return first + Math.floor(Math.random() * count);
}

/** What every charge of the benchmark asks for, by hand and by call. */
export const CHARGE = { amount: "0.01", currency: "USD", featureKey: "api-calls" } as const;
export const CHARGES_PER_BATCH = 500;
