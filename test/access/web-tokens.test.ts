/** Owns which JSON Web Tokens let a caller in, and as whom: signed here as a provider would. */
import { rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConnectError } from "@connectrpc/connect";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { openKeySet } from "../../src/server/key-set.ts";
import { WebTokens } from "../../src/server/web-tokens.ts";
import { TENANT } from "../pipeline/ledger.ts";
import { type Caller, callerOver, refusalOf, refusedOf, valueAt } from "../wire/caller.ts";
import { type Running, startService, TWO_WAYS } from "../wire/running.ts";
import { bearer } from "./keys.ts";

const NOBODY = "0190a1b2-c3d4-7000-8000-00000000dead";
const RULES = {
  issuer: "https://id.example.com",
  audience: "drawdown",
  algorithms: ["RS256"],
  clockToleranceS: 1,
  tenantClaim: "https://drawdown.example/tenant",
  roleClaim: "role",
  customerClaim: "customer_id",
};
const KEY_FILE = join(tmpdir(), `drawdown-keys-${process.pid}.json`);

const provider = await generateKeyPair("RS256", { extractable: true });
const stranger = await generateKeyPair("RS256");
const elliptic = await generateKeyPair("ES256", { extractable: true });
const keySet = {
  keys: [
    { ...(await exportJWK(provider.publicKey)), kid: "of the provider" },
    { ...(await exportJWK(elliptic.publicKey)), kid: "of another algorithm" },
  ],
};

interface Over {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: Parameters<SignJWT["sign"]>[0];
  readonly header?: { readonly alg?: string; readonly kid?: string };
}

/** A token that is good but for what is said. A claim that is undefined is left out. */
function token({ claims = {}, key = provider.privateKey, header = {} }: Over = {}) {
  const nowS = Math.floor(Date.now() / 1_000);
  const all = {
    iss: RULES.issuer,
    aud: RULES.audience,
    exp: nowS + 600,
    role: "reader",
    [RULES.tenantClaim]: TENANT,
    ...claims,
  };
  return new SignJWT(JSON.parse(JSON.stringify(all)))
    .setProtectedHeader({ alg: "RS256", kid: "of the provider", ...header })
    .sign(key);
}

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const inS = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

let running: Running;
let customerId: string;
let otherId: string;

beforeAll(async () => {
  writeFileSync(KEY_FILE, JSON.stringify(keySet));
  const webTokens = {
    jwtIssuer: RULES.issuer,
    jwtAudience: RULES.audience,
    jwtKeySet: { kind: "file", path: KEY_FILE },
    jwtAlgorithms: RULES.algorithms,
    jwtClockToleranceS: RULES.clockToleranceS,
    jwtTenantClaim: RULES.tenantClaim,
  } as const;
  running = await startService({ webTokens });
  const [[, open] = expect.fail()] = TWO_WAYS;
  const operator = callerOver(open(running));
  const make = async (key: string) =>
    String(valueAt(await operator.call("CreateCustomer", { requestId: key, key }), "customer.id"));
  customerId = await make("own");
  otherId = await make("other");
});
afterAll(async () => {
  await running.close();
  rmSync(KEY_FILE);
});

describe.each(TWO_WAYS)("a web token, over %s", (_way, open) => {
  const callerOf = (secret: string): Caller => callerOver(open(running), bearer(secret));

  test("lets its tenant's caller in, with its role", async () => {
    const reader = callerOf(await token());
    expect(await reader.call("GetBalance", { customerId })).toHaveProperty("asOf");
    const write = { requestId: "x", code: "XYZ_UNITS" };
    expect(await refusalOf(reader, "CreateCurrency", write)).toMatchObject({
      reason: "PERMISSION_DENIED",
      facts: { role: "WRITER" },
    });
  });

  test("bound to a customer opens that one alone", async () => {
    const portal = callerOf(await token({ claims: { customer_id: customerId } }));
    expect(await portal.call("GetBalance", { customerId })).toHaveProperty("asOf");
    expect(await refusalOf(portal, "GetBalance", { customerId: otherId })).toMatchObject({
      reason: "CUSTOMER_NOT_FOUND",
    });
  });

  test("ends its streams when it ends itself", async () => {
    const caller = callerOf(await token({ claims: { exp: inS(1) } }));
    const stream = caller.stream("WatchBalance", { customerId });
    await stream.next();
    const error = await stream.next().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectError);
    expect(refusedOf(error as ConnectError).reason).toBe("UNAUTHENTICATED");
    expect(await refusalOf(caller, "ListCurrencies", {})).toMatchObject({
      reason: "UNAUTHENTICATED",
    });
  });

  test.each<[what: string, make: () => Promise<string>]>([
    ["of another issuer", () => token({ claims: { iss: "https://elsewhere" } })],
    ["for another audience", () => token({ claims: { aud: "another service" } })],
    ["that has ended", () => token({ claims: { exp: inS(-5) } })],
    ["that never ends", () => token({ claims: { exp: undefined } })],
    ["that has not begun", () => token({ claims: { nbf: inS(60) } })],
    ["signed by a stranger", () => token({ key: stranger.privateKey })],
    ["with a key that is not there", () => token({ header: { kid: "made up" } })],
    [
      "with an algorithm that was not chosen",
      () =>
        token({
          key: elliptic.privateKey,
          header: { alg: "ES256", kid: "of another algorithm" },
        }),
    ],
    [
      "signed with the public key as if it were a shared secret",
      async () =>
        token({
          key: Buffer.from(await exportSPKI(provider.publicKey)),
          header: { alg: "HS256" },
        }),
    ],
    [
      "that is not signed",
      async () => {
        const [, payload] = (await token()).split(".");
        return `${base64url({ alg: "none" })}.${payload}.`;
      },
    ],
    [
      "changed after it was signed",
      async () => {
        const [head, payload = "", signature] = (await token()).split(".");
        const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
        return `${head}.${base64url({ ...claims, role: "admin" })}.${signature}`;
      },
    ],
    ["without a tenant", () => token({ claims: { [RULES.tenantClaim]: undefined } })],
    ["of a tenant that does not exist", () => token({ claims: { [RULES.tenantClaim]: NOBODY } })],
    ["of a tenant that is none", () => token({ claims: { [RULES.tenantClaim]: "default" } })],
    ["without a role", () => token({ claims: { role: undefined } })],
    ["with a role that is none", () => token({ claims: { role: "king" } })],
    ["with a customer that is none", () => token({ claims: { customer_id: "" } })],
    [
      "of an administrator bound to a customer",
      () => token({ claims: { role: "admin", customer_id: customerId } }),
    ],
    ["that is no token at all", async () => "a.b.c"],
  ])("is refused: one %s", async (_what, make) => {
    expect(await refusalOf(callerOf(await make()), "ListCurrencies", {})).toEqual({
      code: "UNAUTHENTICATED",
      reason: "UNAUTHENTICATED",
      facts: {},
      fields: [],
    });
  });
});

const MINUTE_MS = 60_000;
/** What is signed says nothing about where keys come from. */
const UNUSED = { payload: "", signature: "" };

/** Has time pass, as far as it is asked for. */
function passTime(): (ms: number) => void {
  let passed = 0;
  for (const clock of [Date, performance]) {
    const now = clock.now.bind(clock);
    vi.spyOn(clock, "now").mockImplementation(() => now() + passed);
  }
  onTestFinished(() => void vi.restoreAllMocks());
  return (ms) => {
    passed += ms;
  };
}

/** Where a provider answers for its keys, until the test ends. */
async function openProvider(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
}

describe("the keys of a provider", () => {
  test("come from its URL; where they cannot be had, it says so and the operator is told", async () => {
    let isUp = true;
    const url = await openProvider((_request, response) => {
      if (isUp) response.end(JSON.stringify(keySet));
      else response.writeHead(500).end();
    });
    const tokensOf = async (reported: unknown[]) =>
      new WebTokens({
        rules: RULES,
        keySet: await openKeySet({ kind: "url", url }, (error) => reported.push(error)),
        tenantExists: async () => true,
        report: (error) => reported.push(error),
      });
    const presented = { secret: await token(), digest: "any" };

    const heard: unknown[] = [];
    const tokens = await tokensOf(heard);
    onTestFinished(() => tokens.close());
    expect(await tokens.recognize(presented)).toMatchObject({ principal: { role: "READER" } });
    expect(heard).toEqual([]);
    isUp = false;
    const late = await tokensOf(heard);
    await expect(async () => late.recognize(presented)).rejects.toMatchObject({
      reason: "IDENTITY_PROVIDER_UNAVAILABLE",
    });
    expect(heard).toHaveLength(1);
  });

  test("are believed for a day while the provider cannot be reached", async () => {
    let status = 200;
    const url = await openProvider((_request, response) => {
      response.writeHead(status).end(JSON.stringify(keySet));
    });
    const heard: unknown[] = [];
    const find = await openKeySet({ kind: "url", url }, (error) => heard.push(error));
    const key = () => find({ alg: "RS256", kid: "of the provider" }, UNUSED);
    const pass = passTime();

    await key();
    status = 503;
    pass(11 * MINUTE_MS);
    await key();
    expect(heard).toMatchObject([{ message: `${url} answers 503` }]);
    pass(25 * 60 * MINUTE_MS);
    await expect(key()).rejects.toThrow("answers 503");
    status = 200;
    pass(MINUTE_MS);
    await key();
  });

  test("are asked for once in a second while the provider has never been reached", async () => {
    let asked = 0;
    const url = await openProvider((_request, response) => {
      asked += 1;
      response.writeHead(503).end();
    });
    const find = await openKeySet({ kind: "url", url }, () => undefined);
    const pass = passTime();
    const fail = () =>
      expect(find({ alg: "RS256", kid: "any" }, UNUSED)).rejects.toThrow("answers 503");

    for (let times = 0; times < 5; times += 1) await fail();
    expect(asked).toBe(1);
    pass(MINUTE_MS);
    await fail();
    expect(asked).toBe(2);
  });

  test("are those of the file as it stands, also when one was taken out", async () => {
    const path = `${KEY_FILE}.changing`;
    onTestFinished(() => rmSync(path));
    writeFileSync(path, JSON.stringify(keySet));
    const heard: unknown[] = [];
    const find = await openKeySet({ kind: "file", path }, (error) => heard.push(error));
    const key = () => find({ alg: "RS256", kid: "of the provider" }, UNUSED);
    const pass = passTime();

    await key();
    writeFileSync(path, "half of a");
    pass(MINUTE_MS);
    await key();
    expect(heard).toHaveLength(1);
    writeFileSync(path, JSON.stringify({ keys: keySet.keys.slice(1) }));
    pass(MINUTE_MS);
    await expect(key()).rejects.toThrow("no applicable key");
    writeFileSync(path, JSON.stringify(keySet));
    pass(MINUTE_MS);
    await key();
    expect(heard).toHaveLength(1);
  });

  test("are missed at the start when their file is", async () => {
    await expect(
      openKeySet({ kind: "file", path: `${KEY_FILE}.not` }, () => undefined),
    ).rejects.toThrow("ENOENT");
  });
});
