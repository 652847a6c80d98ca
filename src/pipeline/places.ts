/**
 * Owns where the loaded rows of a batch stand. A row is changed where it was found, because looking
 * each one up again by its key was a sixth of what a charge cost the database. Nothing can move it
 * in between: its customer is locked, and rewriting a table waits for the transaction.
 */
import type { Place } from "../database/array-parameter.ts";
import { assert } from "../errors.ts";

/** A row that may be changed, with the place of the version that was read. */
export type Placed<Row> = Row & { readonly ctid: Place };

export class Places {
  readonly #places = new Map<object, Place>();

  /** Remembers where the row stands that became this noun. */
  keep(noun: object, row: Placed<object>): void {
    this.#places.set(noun, row.ctid);
  }

  /** Where the noun's row stands. */
  of(noun: object): Place {
    const place = this.#places.get(noun);
    assert(place !== undefined, "what is changed was loaded");
    return place;
  }
}
