/**
 * Owns looking for what stands in the name of a customer who is not there, in the whole tenant: no
 * walk from customer to customer meets it.
 */
import type { DataSource } from "typeorm";
import { readTransaction } from "../../database/read.ts";
import type { CustomerId, TenantId } from "../../ledger/ids.ts";
import { selectRows } from "../statement.ts";
import { type Check, type Finding, Findings } from "./finding.ts";
import { NAMED_MAX } from "./rules.ts";

/** What `makeId` begins an id with: its moment and its creation sequence. */
const ID_START = `lpad(to_hex(floor(date_part('epoch', c.created_at) * 1000 + 0.0005)::bigint), 12, '0')
    || '7' || lpad(to_hex(c.number >> 30), 3, '0')
    || to_hex(2147483648 | (c.number & 1073741823))`;

const STRAYS = `SELECT s.customer_id, s.check, s.expected, s.found
  FROM (
      SELECT h.customer_id, 'customer_missing' AS check, 'a customer' AS expected,
        'a head alone' AS found
      FROM customer_head h
      WHERE NOT EXISTS (SELECT FROM customer c WHERE c.customer_id = h.customer_id)
    UNION ALL
      SELECT c.customer_id, 'customer_missing', 'a head', 'a customer alone'
      FROM customer c
      WHERE NOT EXISTS (SELECT FROM customer_head h WHERE h.customer_id = c.customer_id)
    UNION ALL
      SELECT b.customer_id, 'customer_missing', 'a customer', 'a balance alone'
      FROM balance b
      WHERE NOT EXISTS (SELECT FROM customer_head h WHERE h.customer_id = b.customer_id)
    UNION ALL
      SELECT k.customer_id, 'customer_key', 'a customer with the key ' || k.key, 'none'
      FROM customer_key k
      WHERE NOT EXISTS (
        SELECT FROM customer c WHERE c.customer_id = k.customer_id AND c.key = k.key)
    UNION ALL
      SELECT c.customer_id, 'customer_id', ${ID_START}, c.customer_id::text
      FROM customer c WHERE left(replace(c.customer_id::text, '-', ''), 24) <> ${ID_START}
    UNION ALL
      SELECT c.customer_id, 'customer_missing', 'a number up to ' || t.customer_count,
        c.number::text
      FROM customer c JOIN tenant t ON t.tenant_id = c.tenant_id
      WHERE c.number > t.customer_count
  ) s LIMIT ${NAMED_MAX}`;

interface StrayRow {
  readonly customer_id: CustomerId;
  readonly check: Check;
  readonly expected: string;
  readonly found: string;
}

export async function findStrays(
  reads: DataSource,
  tenantId: TenantId,
): Promise<readonly Finding[]> {
  const rows = await readTransaction(reads, tenantId, (manager) =>
    selectRows<StrayRow>(manager, STRAYS, []),
  );
  return rows.flatMap((row) => {
    const findings = new Findings(row.customer_id);
    findings.add(row.check, row.expected, row.found);
    return findings.list;
  });
}
