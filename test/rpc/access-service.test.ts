import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AccessService } from "../../gen/drawdown/v1/access_service_pb.ts";
import { CustomerService } from "../../gen/drawdown/v1/customer_service_pb.ts";
import { Role } from "../../gen/drawdown/v1/role_pb.ts";
import type { TenantId } from "../../src/ledger/ids.ts";
import { TENANT } from "../pipeline/ledger.ts";
import {
  OTHER_TENANT,
  openRegisteredServices,
  type RegisteredServices,
  refusalOf,
  withId,
} from "./registered-services.ts";

const { createTenant, listTenants, createApiKey, listApiKeys, revokeApiKey } = AccessService.method;
const { createCustomer } = CustomerService.method;
const NOBODY = "0190a1b2-c3d4-7000-8000-00000000dead";

let services: RegisteredServices;
let call: RegisteredServices["call"];

beforeAll(async () => {
  services = await openRegisteredServices();
  ({ call } = services);
});
afterAll(() => services.close());

interface Over {
  readonly requestId?: string;
  readonly tenantId?: string;
  readonly name?: string;
  readonly role?: Role;
  readonly customerId?: string;
  readonly expiresAt?: Timestamp;
}

const at = (seconds: bigint, nanos = 0) => create(TimestampSchema, { seconds, nanos });

const portal = (over: Over = {}) =>
  withId({ tenantId: TENANT as string, name: "portal", role: Role.READER, ...over });

async function tenantWithKeys(names: readonly string[]): Promise<TenantId> {
  const { tenant } = await call(createTenant, withId({ name: "has keys" }));
  const tenantId = tenant?.id ?? "";
  for (const name of names) await call(createApiKey, portal({ tenantId, name }));
  return tenantId as TenantId;
}

const reasonOf = async (answering: Promise<unknown>) => [await refusalOf(answering)].flat().at(0);

async function listAll(tenantId: string, pageSize = 0): Promise<readonly string[]> {
  const names: string[] = [];
  let pageToken = "";
  do {
    const page = await call(listApiKeys, { tenantId, pageSize, pageToken });
    names.push(...page.apiKeys.map(({ name }) => name));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return names;
}

describe("CreateTenant and ListTenants", () => {
  test("a tenant has nothing yet, and can be worked for at once", async () => {
    const { tenant } = await call(createTenant, withId({ name: "Acme" }));
    expect(tenant).toMatchObject({ name: "Acme", createdAt: expect.anything() });

    const own = tenant?.id as TenantId;
    const { customer } = await call(createCustomer, withId({ key: "first" }), own);
    expect(customer?.key).toBe("first");
    expect(await listAll(own)).toEqual([]);
  });

  test("are listed in the order of their creation, page by page", async () => {
    const names = ["a", "b", "c", "d"].map((letter) => `tenant ${letter}`);
    const made = names.map((name) => call(createTenant, withId({ name })));
    const ids = (await Promise.all(made)).map(({ tenant }) => tenant?.id);

    const listed: string[] = [];
    let pageToken = "";
    do {
      const page = await call(listTenants, { pageSize: 3, pageToken });
      listed.push(...page.tenants.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(listed.slice(0, 1)).toEqual([TENANT]);
    expect(listed.slice(-4)).toEqual(ids);
    expect(new Set(listed).size).toBe(listed.length);
  });

  test("W1 the same id creates one tenant, whatever has been created since", async () => {
    const request = withId({ name: "once" });
    const [first, second] = await Promise.all([
      call(createTenant, request),
      call(createTenant, request),
    ]);
    expect(second).toEqual(first);
    expect(await call(createTenant, request)).toEqual(first);
    expect(await refusalOf(call(createTenant, { ...request, name: "twice" }))).toEqual([
      "REQUEST_ID_REUSED",
      "request_id",
      { request_id: request.requestId },
    ]);
  });

  test("the token of another list is refused", async () => {
    const { nextPageToken: pageToken } = await call(listTenants, { pageSize: 1 });
    const asked = call(listApiKeys, { tenantId: TENANT, pageToken });
    expect(await refusalOf(asked)).toEqual(["CURSOR_MISMATCH", "page_token", {}]);
  });
});

describe("CreateApiKey", () => {
  test("answers the API key and its secret, of which only a hash is stored", async () => {
    const request = portal({ expiresAt: at(4_000_000_000n, 1_000) });
    const { apiKey, secret } = await call(createApiKey, request);

    expect(apiKey).toMatchObject({ tenantId: TENANT, name: "portal", role: Role.READER });
    expect(apiKey).toMatchObject({ customerId: "", expiresAt: request.expiresAt });
    expect([apiKey?.revokedAt, apiKey?.lastUsedAt]).toEqual([undefined, undefined]);
    expect(secret.startsWith(apiKey?.prefix ?? "none")).toBe(true);

    const { rows } = await services.ledger.superuser.query(
      `SELECT k.secret_hash, convert_from(q.answer, 'latin1') AS answer
        FROM api_key k JOIN tenant_request q ON q.request_id = $2 WHERE k.api_key_id = $1`,
      [apiKey?.id, request.requestId],
    );
    expect(rows[0].secret_hash).toEqual(createHash("sha256").update(secret).digest());
    expect(rows[0].answer).toContain(apiKey?.prefix);
    expect(rows[0].answer).not.toContain(secret.slice(14));
  });

  test("W1 a replay answers the same API key without its secret", async () => {
    const request = portal();
    const { apiKey, secret } = await call(createApiKey, request);
    expect(secret).not.toBe("");

    const replayed = await call(createApiKey, request);
    expect(replayed.apiKey).toEqual(apiKey);
    expect(replayed.secret).toBe("");
  });

  test("W1 of eight deliveries at once one answers the secret, and it is the right one", async () => {
    const request = portal();
    const answers = await Promise.all(Array.from({ length: 8 }, () => call(createApiKey, request)));

    expect(new Set(answers.map(({ apiKey }) => apiKey?.id)).size).toBe(1);
    const secrets = answers.map(({ secret }) => secret).filter((secret) => secret !== "");
    expect(secrets).toHaveLength(1);
    expect(secrets[0]?.startsWith(answers[0]?.apiKey?.prefix ?? "none")).toBe(true);
  });

  test.each<[what: string, over: Over, refused: unknown]>([
    ["no such tenant", { tenantId: NOBODY }, ["TENANT_NOT_FOUND", "", { tenant_id: NOBODY }]],
    [
      "no such customer",
      { customerId: NOBODY },
      ["CUSTOMER_NOT_FOUND", "", { customer_id: NOBODY }],
    ],
    [
      "an administrator of one customer",
      { customerId: NOBODY, role: Role.ADMIN },
      ["INVALID_REQUEST", "customer_id", {}],
    ],
    ["no role", { role: Role.UNSPECIFIED }, ["INVALID_REQUEST", "role", {}]],
    [
      "an end that has passed",
      { expiresAt: at(1_700_000_000n) },
      ["TIME_NOT_IN_FUTURE", "expires_at", {}],
    ],
  ])("refuses %s", async (_what, over, refused) => {
    expect(await refusalOf(call(createApiKey, portal(over)))).toEqual(refused);
  });

  test("R8 refuses another tenant's customer like one that does not exist", async () => {
    const { customer } = await call(createCustomer, withId({ key: "theirs" }), OTHER_TENANT);
    const customerId = customer?.id ?? "";
    const asked = call(createApiKey, portal({ customerId }));
    expect(await refusalOf(asked)).toEqual(["CUSTOMER_NOT_FOUND", "", { customer_id: customerId }]);

    const theirs = portal({ tenantId: OTHER_TENANT, customerId });
    expect((await call(createApiKey, theirs)).apiKey).toMatchObject({ customerId });
  });

  test("W3 a missing customer is told before a request id that was used", async () => {
    const request = portal();
    await call(createApiKey, request);
    const asked = call(createApiKey, { ...request, customerId: NOBODY });
    expect(await reasonOf(asked)).toBe("CUSTOMER_NOT_FOUND");
    const renamed = call(createApiKey, { ...request, name: "another" });
    expect(await reasonOf(renamed)).toBe("REQUEST_ID_REUSED");
  });
});

describe("ListApiKeys", () => {
  test("lists a tenant's own in the order of creation, page by page", async () => {
    const names = ["one", "two", "three", "four", "five"];
    const tenantId = await tenantWithKeys(names);
    expect(await listAll(tenantId)).toEqual(names);
    expect(await listAll(tenantId, 2)).toEqual(names);
  });

  test("refuses a missing tenant, and a token of another tenant", async () => {
    const missing = call(listApiKeys, { tenantId: NOBODY });
    expect(await refusalOf(missing)).toEqual(["TENANT_NOT_FOUND", "", { tenant_id: NOBODY }]);

    const tenantId = await tenantWithKeys(["one", "two"]);
    const { nextPageToken: pageToken } = await call(listApiKeys, { tenantId, pageSize: 1 });
    const asked = call(listApiKeys, { tenantId: TENANT, pageToken });
    expect(await refusalOf(asked)).toEqual(["CURSOR_MISMATCH", "page_token", {}]);
  });
});

describe("RevokeApiKey", () => {
  test("revokes for good, and again changes nothing", async () => {
    const { apiKey } = await call(createApiKey, portal());
    const apiKeyId = apiKey?.id ?? "";
    const first = await call(revokeApiKey, withId({ apiKeyId }));
    expect(first.apiKey).toMatchObject({ ...apiKey, revokedAt: expect.anything() });

    const again = await call(revokeApiKey, withId({ apiKeyId: apiKeyId.toUpperCase() }));
    expect(again).toEqual(first);
    expect(await refusalOf(call(revokeApiKey, withId({ apiKeyId: NOBODY })))).toEqual([
      "API_KEY_NOT_FOUND",
      "",
      { api_key_id: NOBODY },
    ]);
  });

  test("W1 is replayed, and shares its ids with the other writes of the API key's tenant", async () => {
    const { apiKey } = await call(createApiKey, portal({ tenantId: OTHER_TENANT }));
    const request = withId({ apiKeyId: apiKey?.id ?? "" });
    const first = await call(revokeApiKey, request);
    expect(await call(revokeApiKey, request)).toEqual(first);

    const { requestId } = request;
    const same = portal({ tenantId: OTHER_TENANT, requestId });
    expect(await reasonOf(call(createApiKey, same))).toBe("REQUEST_ID_REUSED");
    const elsewhere = portal({ requestId });
    expect((await call(createApiKey, elsewhere)).secret).not.toBe("");
  });
});
