/**
 * Lists of the grants that can be spent, and of the charges that hold, go by the ids of these
 * alone: a customer has few of them among all that it ever had. What is spent or settled leaves the
 * indexes, and a charge that settles at once never enters one.
 */
import type { MigrationInterface, QueryRunner } from "typeorm";

export class OpenById1763800000005 implements MigrationInterface {
  readonly name = "OpenById1763800000005";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      "CREATE INDEX credit_grant_open ON credit_grant (customer_id, credit_grant_id) WHERE open",
    );
    await runner.query(
      "CREATE INDEX charge_open ON charge (customer_id, charge_id) WHERE status = 'OPEN'",
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DROP INDEX credit_grant_open, charge_open");
  }
}
