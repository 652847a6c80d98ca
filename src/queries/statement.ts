/** Owns how the reads send SQL: parameters are numbered as they are written into the text. */
import type { EntityManager } from "typeorm";
import { inStatement } from "../tracing.ts";

/** Collects the values of one statement. */
export class Parameters {
  readonly values: unknown[] = [];

  /** Takes a value and returns how the text names it. */
  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** Runs a statement in the transaction of the manager. `Row` is what its text selects. */
export function selectRows<Row>(
  manager: EntityManager,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  return inStatement({ name: "read", text }, () => manager.query<Row[]>(text, [...values]));
}
