/**
 * Owns the command `keys`: creates, lists and revokes API keys directly on the database, for the
 * operator at the machine, who may have no key yet. A secret is printed once, alone on stdout.
 */
import { randomInt, randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import type { Config } from "./config.ts";
import { DEFAULT_TENANT_ID } from "./database/migrations/1_ledger.ts";
import { openDatabaseOf } from "./database-of.ts";
import type { TenantId } from "./ledger/ids.ts";
import { Pipeline } from "./pipeline/pipeline.ts";
import { AccessReads } from "./queries/access-reads.ts";
import { makeAccessService } from "./rpc/access-service.ts";
import { callInProcess } from "./rpc/in-process.ts";

const USAGE = `Usage:
  drawdown keys create --name NAME --role admin|writer|charger|reader
                       [--tenant ID] [--customer ID] [--expires-at 2027-01-31T00:00:00Z]
  drawdown keys list   [--tenant ID]
  drawdown keys revoke API_KEY_ID

Without --tenant it is about the tenant that every installation has. The secret of a new API key
is printed this once; nothing that is stored can tell it again.
`;

const RANDOM_32_LIMIT = 2 ** 32;

/** Calls AccessService and answers what it says. */
type Ask = (name: string, request: Json) => Promise<Json>;
type Json = Awaited<ReturnType<typeof callInProcess>>;

export async function keys(config: Config, words: readonly string[]): Promise<number> {
  const work = readWords(words);
  if (work === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const database = await openDatabaseOf(config);
  try {
    const { reads } = database.connections;
    const random32 = () => randomInt(RANDOM_32_LIMIT);
    const pipeline = new Pipeline({ ...database.connections, random32 });
    const service = makeAccessService({ pipeline, reads: new AccessReads(reads) });
    const tenantId = DEFAULT_TENANT_ID as TenantId;
    await work((name, request) => callInProcess(service, { name, request, tenantId }));
    return 0;
  } finally {
    await database.close();
  }
}

/** What the words ask for; undefined where they make no sense. */
function readWords([command, ...rest]: readonly string[]):
  | ((ask: Ask) => Promise<void>)
  | undefined {
  const options = {
    name: { type: "string" },
    role: { type: "string" },
    tenant: { type: "string", default: DEFAULT_TENANT_ID },
    customer: { type: "string" },
    "expires-at": { type: "string" },
  } as const;
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: rest, options, allowPositionals: true });
  } catch {
    return undefined;
  }
  const { values, positionals } = parsed;
  const [id, ...more] = positionals;
  const { name, role, tenant: tenantId, customer, "expires-at": expiresAt } = values;
  const isCreated = name !== undefined && role !== undefined;
  if (command === "create" && id === undefined && isCreated) {
    const request = { tenantId, name, role: `ROLE_${role.toUpperCase()}` };
    const optional = {
      ...(customer !== undefined && { customerId: customer }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
    return (ask) => create(ask, { ...request, ...optional });
  }
  if (command === "list" && id === undefined) return (ask) => list(ask, tenantId);
  if (command === "revoke" && id !== undefined && more.length === 0) {
    return (ask) => revoke(ask, id);
  }
  return undefined;
}

async function create(ask: Ask, request: Json): Promise<void> {
  const { apiKey, secret } = await ask("CreateApiKey", { requestId: randomUUID(), ...request });
  process.stderr.write(`created ${describe(apiKey as Json)}\nIts secret is shown this once:\n`);
  process.stdout.write(`${secret}\n`);
}

async function list(ask: Ask, tenantId: string): Promise<void> {
  let pageToken = "";
  do {
    const { apiKeys = [], nextPageToken = "" } = await ask("ListApiKeys", { tenantId, pageToken });
    for (const apiKey of apiKeys as Json[]) process.stdout.write(`${describe(apiKey)}\n`);
    pageToken = String(nextPageToken);
  } while (pageToken !== "");
}

async function revoke(ask: Ask, apiKeyId: string): Promise<void> {
  const { apiKey } = await ask("RevokeApiKey", { requestId: randomUUID(), apiKeyId });
  process.stdout.write(`revoked ${describe(apiKey as Json)}\n`);
}

/** One line that has everything, in words that a search finds. */
function describe(apiKey: Json): string {
  const { id, prefix, role, name, customerId, createdAt, expiresAt, revokedAt, lastUsedAt } =
    apiKey;
  const dated = Object.entries({
    customer: customerId,
    created: createdAt,
    expires: expiresAt,
    "last used": lastUsedAt,
    revoked: revokedAt,
  });
  const said = dated.flatMap(([word, value]) => (value === undefined ? [] : [`${word} ${value}`]));
  const rank = String(role).replace("ROLE_", "").toLowerCase();
  return [id, `${prefix}…`, rank, JSON.stringify(name), ...said].join("  ");
}
