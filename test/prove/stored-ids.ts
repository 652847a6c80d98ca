/**
 * Owns the comparing of what was acknowledged with the request ids that the database holds: an id
 * and its effect commit together, so whose id is there has its effect, and whose id is not there
 * has left nothing. The ids of charges stand in the charges themselves.
 */
import { type Superuser, withSuperuser } from "./books.ts";
import type { Acked } from "./delivery.ts";
import type { Tally } from "./tally.ts";

const NAMED_MAX = 5;

/** Looks for the ids of acknowledged operations. Each that is missing is a lost write. */
export async function findLost(
  promise: string,
  superuser: Superuser,
  { acked, tally }: { readonly acked: readonly Acked[]; readonly tally: Tally },
): Promise<void> {
  const own = acked.filter(({ operation }) => operation.account !== null);
  const missing = await withSuperuser(superuser, async (client) => {
    const { rows } = await client.query(
      `SELECT asked.request_id FROM unnest($1::uuid[], $2::text[]) asked (customer_id, request_id)
        WHERE NOT EXISTS (SELECT FROM request r
            WHERE r.customer_id = asked.customer_id AND r.request_id = asked.request_id)
          AND NOT EXISTS (SELECT FROM charge c
            WHERE c.customer_id = asked.customer_id AND c.request_id = asked.request_id)`,
      [
        own.map(({ operation }) => operation.account?.id),
        own.map(({ operation }) => operation.request.requestId),
      ],
    );
    return rows.map((row) => String(row.request_id));
  });
  tally.figure("ids looked for in the database", own.length);
  if (missing.length === 0) return;
  const what = `acknowledged and not in the database (${missing.length} times)`;
  const history = missing.slice(0, NAMED_MAX);
  tally.fail({ promise, breach: "lost", what, history }, missing.length);
}

/** What became of each operation of a run, by its number. */
export class Register {
  readonly #name: string;
  readonly #acked = new Set<number>();

  constructor(name: string) {
    this.#name = name;
  }

  acked(number: number): void {
    this.#acked.add(number);
  }

  /**
   * Compares all of it with the database: nothing may be lost, and nothing may be unheard of but
   * what has been given up.
   */
  async compare(
    superuser: Superuser,
    { givenUp, tally }: { readonly givenUp: ReadonlySet<number>; readonly tally: Tally },
  ): Promise<void> {
    const stored = new Set<number>();
    await withSuperuser(superuser, async (client) => {
      const { rows } = await client.query({
        text: `SELECT substr(request_id, length($1) + 1)
          FROM (SELECT request_id FROM request UNION ALL SELECT request_id FROM charge) stored
          WHERE starts_with(request_id, $1)`,
        values: [`${this.#name}-`],
        rowMode: "array",
      });
      for (const [number] of rows) if (/^\d+$/.test(number)) stored.add(Number(number));
    });
    const lost = [...this.#acked].filter((number) => !stored.has(number));
    const unheard = [...stored].filter(
      (number) => !this.#acked.has(number) && !givenUp.has(number),
    );
    this.#report(lost, "acknowledged and in the end not in the database", tally);
    this.#report(unheard, "in the database although it was refused", tally);
  }

  #report(numbers: readonly number[], what: string, tally: Tally): void {
    if (numbers.length === 0) return;
    const history = numbers.slice(0, NAMED_MAX).map((number) => `${this.#name}-${number}`);
    const failure = { promise: this.#name, breach: "lost", what, history } as const;
    tally.fail({ ...failure, what: `${what} (${numbers.length} times)` }, numbers.length);
  }
}
