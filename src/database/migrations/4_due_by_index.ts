/**
 * The sweeper's question is answered from the index by when something falls due. The clock is read
 * once, as a subquery; asked for each row, as before, every customer with anything due some day was
 * looked at: 120 ms instead of 0.1 ms for 300,000 of them, once a second on every replica.
 */
import type { MigrationInterface, QueryRunner } from "typeorm";

export class DueByIndex1763800000004 implements MigrationInterface {
  readonly name = "DueByIndex1763800000004";

  up(runner: QueryRunner): Promise<void> {
    return replaceFunction(runner, "(SELECT ledger_clock())");
  }

  down(runner: QueryRunner): Promise<void> {
    return replaceFunction(runner, "ledger_clock()");
  }
}

async function replaceFunction(runner: QueryRunner, clock: string): Promise<void> {
  await runner.query(`CREATE OR REPLACE FUNCTION customers_due(customers_max integer)
    RETURNS TABLE (tenant_id uuid, customer_id uuid)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
    AS 'SELECT h.tenant_id, h.customer_id FROM customer_head h
      WHERE h.next_due_at <= ${clock} ORDER BY h.next_due_at LIMIT customers_max'`);
}
