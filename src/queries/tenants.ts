/** Owns the lists of tenants: pages for the operator, and all of them for commands. */
import type { DataSource } from "typeorm";
import { tenants } from "../database/entities/tenant.ts";
import { readTransaction } from "../database/read.ts";
import type { TenantId } from "../ledger/ids.ts";
import { formatInstant, type Instant } from "../money/time.ts";
import type { Tenant } from "../registry/tenant.ts";
import { askDatabase } from "./ask-database.ts";
import { bytesOfTexts, gatherPage, type Page, type PageRequest, ROW_BYTES } from "./page.ts";
import { type Binding, isIdPosition, makeToken, readPageToken } from "./page-token.ts";

const TENANTS_AFTER = "SELECT * FROM tenants_after($1, $2, $3)";

/** Stands before all tenants. */
const START = "-infinity 00000000-0000-0000-0000-000000000000";
const BINDING: Binding = ["tenants"];
const TENANTS_AT_ONCE = 1_000;

interface TenantRow {
  readonly tenant_id: TenantId;
  readonly name: string;
  readonly created_at: Instant;
}

/** The oldest first. */
export async function listTenants(reads: DataSource, page: PageRequest): Promise<Page<Tenant>> {
  const start = readPageToken(BINDING, page.token, isPlace) ?? START;
  const { rows, more } = await gatherPage<TenantRow>({
    rowsMax: page.rowsMax,
    read: (last, limit) => {
      const place = last === undefined ? start : placeOf(last);
      return askDatabase<TenantRow>(reads, TENANTS_AFTER, [...place.split(" "), limit]);
    },
    bytesOf: ({ name }) => ROW_BYTES + bytesOfTexts([name]),
  });
  const last = more ? rows.at(-1) : undefined;
  const nextToken = last === undefined ? "" : makeToken(BINDING, placeOf(last));
  const items = rows.map((row) => ({
    id: row.tenant_id,
    name: row.name,
    createdAt: row.created_at,
  }));
  return { items, nextToken };
}

/** As a place is written. */
const MOMENT = /^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z$/;

/** A day that the month does not have becomes one of the next month. */
function isOfCalendar(moment: string): boolean {
  const date = new Date(moment);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(moment.slice(0, 19));
}

function isPlace(text: string): boolean {
  const [createdAt = "", id = ""] = text.split(" ");
  const isMoment = MOMENT.test(createdAt) && isOfCalendar(createdAt);
  return isMoment && text === `${createdAt} ${id}` && isIdPosition(id);
}

function placeOf({ created_at: createdAt, tenant_id: id }: TenantRow): string {
  return `${formatInstant(createdAt)} ${id}`;
}

export async function tenantExists(reads: DataSource, id: TenantId): Promise<boolean> {
  return readTransaction(reads, id, (manager) =>
    manager.getRepository(tenants).existsBy({ tenant_id: id }),
  );
}

/** Every tenant, one page after the other. */
export async function* everyTenant(reads: DataSource): AsyncGenerator<Tenant, void, undefined> {
  let token = "";
  do {
    const page = await listTenants(reads, { rowsMax: TENANTS_AT_ONCE, token });
    yield* page.items;
    token = page.nextToken;
  } while (token !== "");
}
