/**
 * Owns two tenants side by side in one service, each with one of everything, and who calls: a
 * writer of each tenant, and a neighbour in the first one who is bound to a customer of his own.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { type Caller, callerOver, valueAt } from "../wire/caller.ts";
import { CARD, REGISTERED, SETTING, THEN_INVOICE } from "../wire/refused-setting.ts";
import type { Running } from "../wire/running.ts";
import { type Step, Story, step } from "../wire/story.ts";
import { callerWith, freshId, type MadeKey, makeKey } from "./keys.ts";

/** Names that only the first tenant's things have, by which they would be known anywhere. */
export const THEIR_CURRENCY = "THEIRS";
export const THEIR_CARD = "their card";
export const THEIR_CUSTOMER = "their customer";
/** And some that others may want for themselves. */
export const THEIR_OTHER_CURRENCY = "THEIR_OTHER";
export const THEIR_OTHER_CARD = "their other card";
export const THEIR_OTHER_CUSTOMER = "their other customer";

const LINE = { ...THEN_INVOICE, currency: "SEK", amount: "1" };
const EVERYTHING: readonly Step[] = [
  ...SETTING,
  step("line", "CreateCharge", LINE),
  step("another line", "CreateCharge", LINE),
];
const ONLY_THEIRS: readonly Step[] = [
  step("their currency", "CreateCurrency", { code: THEIR_CURRENCY }),
  step("their other currency", "CreateCurrency", { code: THEIR_OTHER_CURRENCY }),
  step("their other customer", "CreateCustomer", { key: THEIR_OTHER_CUSTOMER }),
  step("their card", "CreateRateCard", { key: THEIR_CARD, ...CARD }),
  step("their other card", "CreateRateCard", { key: THEIR_OTHER_CARD, ...CARD }),
];

/** A caller's customer and what was made of it. */
export interface Household {
  readonly tenantId: string;
  readonly key: MadeKey;
  readonly story: Story;
  /** Each step of the story as it was called, with its answer. */
  readonly told: readonly { readonly step: Step; readonly answer: JsonObject }[];
}

export interface World {
  readonly operator: Caller;
  readonly victim: Household;
  /** A writer of another tenant, who has the same of his own, made with the same request ids. */
  readonly stranger: Household;
  /** A writer of the victim's tenant, bound to another customer of it. */
  readonly neighbour: Household;
  /** Every id and name by which something of the victim would be known. */
  readonly marks: readonly string[];
  /** By RPC: where the second page of the victim's own begins. */
  readonly tokens: ReadonlyMap<string, string>;
}

export async function makeWorld(running: Running, transport: Transport): Promise<World> {
  const operator = callerOver(transport);
  const tenantOf = async (name: string) => {
    const answer = await operator.call("CreateTenant", { requestId: freshId(), name });
    return String(valueAt(answer, "tenant.id"));
  };
  const theirs = await tenantOf("theirs");
  const writer = await makeKey(operator, { tenantId: theirs, role: "WRITER" });
  const caller = callerWith(transport, writer);
  const tenantSteps = [...REGISTERED, ...ONLY_THEIRS];
  const victim = await settle(caller, theirs, writer, THEIR_CUSTOMER, [
    ...tenantSteps,
    ...EVERYTHING,
  ]);
  const beside = await settle(caller, theirs, writer, "neighbour", EVERYTHING);
  const customerId = beside.story.customer;
  const bound = await makeKey(operator, { tenantId: theirs, role: "WRITER", customerId });

  const tenantId = await tenantOf("strangers");
  const key = await makeKey(operator, { tenantId, role: "WRITER" });
  const own = callerWith(transport, key);
  const stranger = await settle(own, tenantId, key, "own customer", [...REGISTERED, ...EVERYTHING]);
  return {
    operator,
    victim,
    stranger,
    neighbour: { ...beside, key: bound },
    marks: marksOf(victim, await describeTenant(running, theirs)),
    tokens: await tokensOf(victim),
  };
}

async function settle(
  caller: Caller,
  tenantId: string,
  key: MadeKey,
  name: string,
  steps: readonly Step[],
): Promise<Household> {
  const story = await Story.begin(caller, name);
  const told: { step: Step; answer: JsonObject }[] = [];
  for (const each of steps) {
    told.push({ step: each, answer: await story.call(each.rpc, each.request, each.name) });
  }
  return { tenantId, key, story, told };
}

/** Lists that the victim turns to their second page: what comes back is where that begins. */
async function tokensOf({ story }: Household): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>();
  for (const [rpc, path] of [
    ["ListCustomers", "nextPageToken"],
    ["ListCreditGrants", "nextPageToken"],
    ["ListCharges", "nextPageToken"],
    ["ListInvoices", "nextPageToken"],
    ["ListInvoiceLines", "nextPageToken"],
    ["ListRateCards", "nextPageToken"],
    ["ListMovements", "olderCursor"],
  ] as const) {
    const invoice = rpc === "ListInvoiceLines" && { invoiceId: "$line.charge.invoiceId" };
    const request = { pageSize: 1, ...invoice } as JsonObject;
    const answer = await story.call(rpc, request, `second page of ${rpc}`);
    const token = valueAt(answer, path);
    if (typeof token !== "string") throw new Error(`${rpc} has one page only`);
    tokens.set(rpc, token);
  }
  return tokens.set("StreamMovements", tokens.get("ListMovements") ?? "");
}

/** Ids of rows that no answer showed are marks as well: lines, for instance. */
async function describeTenant({ ledger }: Running, tenantId: string): Promise<string> {
  const { rows } = await ledger.superuser.query(
    "SELECT jsonb_agg(l) AS all FROM invoice_line l WHERE tenant_id = $1",
    [tenantId],
  );
  return JSON.stringify(rows);
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

function marksOf({ story, told, tenantId }: Household, rows: string): readonly string[] {
  const shown = JSON.stringify(told.map(({ answer }) => answer)) + rows;
  return [
    ...new Set([story.customer, tenantId, ...(shown.match(UUID) ?? [])]),
    THEIR_CURRENCY,
    THEIR_CARD,
    THEIR_CUSTOMER,
  ];
}
