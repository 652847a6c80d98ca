/**
 * R9: every RPC of the contract, with every credential that does not open it, is refused before its
 * body is read. Here the body never comes: whoever waited for it would not answer.
 */
import { type ClientHttp2Session, connect } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import { getOption } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  CustomerScope,
  customer_scope as customerScope,
  required_role as requiredRole,
} from "../../gen/drawdown/v1/authorization_pb.ts";
import { Role as RoleEnum } from "../../gen/drawdown/v1/role_pb.ts";
import { ROLES, type Role } from "../../src/registry/api-key.ts";
import { makeSecret } from "../../src/rpc/secret.ts";
import { METHODS } from "../contract/descriptors.ts";
import { TENANT } from "../pipeline/ledger.ts";
import { KEY } from "../server/edges.ts";
import { type Caller, callerOver, valueAt } from "../wire/caller.ts";
import { PORTS_AND_PROTOCOLS, type Running, startService } from "../wire/running.ts";
import { freshId, makeKey, revokeKey } from "./keys.ts";

let running: Running;
const sessions = new Map<string, ClientHttp2Session>();
/** What callers present, by what is wrong with it. */
const presented = new Map<string, string>();

/** One request of each protocol that says what it is and then nothing more. */
const PROTOCOLS = [
  [
    "Connect",
    "http",
    (isUnary: boolean) => (isUnary ? "application/json" : "application/connect+json"),
  ],
  ["gRPC-Web", "http", () => "application/grpc-web+proto"],
  ["gRPC on the HTTP port", "http", () => "application/grpc+proto"],
  ["gRPC on the gRPC port", "grpc", () => "application/grpc+proto"],
] as const;

beforeAll(async () => {
  running = await startService();
  for (const port of ["http", "grpc"] as const) {
    const session = connect(running[port]);
    session.on("error", () => undefined);
    sessions.set(port, session);
  }
  const [[, open] = expect.fail()] = PORTS_AND_PROTOCOLS;
  await makeCredentials(callerOver(open(running)));
});
afterAll(async () => {
  for (const session of sessions.values()) session.destroy();
  await running.close();
});

async function makeCredentials(operator: Caller): Promise<void> {
  const created = await operator.call("CreateCustomer", { requestId: freshId(), key: "own" });
  const customerId = String(valueAt(created, "customer.id"));
  for (const role of ROLES) {
    const { secret } = await makeKey(operator, { tenantId: TENANT, role });
    presented.set(role, secret);
    if (role === "ADMIN") continue;
    const bound = await makeKey(operator, { tenantId: TENANT, role, customerId });
    presented.set(`${role} of a customer`, bound.secret);
  }
  const revoked = await makeKey(operator, { tenantId: TENANT, role: "ADMIN" });
  await revokeKey(operator, revoked);
  const expiresAt = new Date(Date.now() + 600_000).toISOString();
  const expired = await makeKey(operator, { tenantId: TENANT, role: "ADMIN", expiresAt });
  await running.ledger.superuser.query(
    "UPDATE api_key SET expires_at = clock_timestamp() WHERE api_key_id = $1",
    [expired.apiKeyId],
  );
  const { secret } = revoked;
  const last = secret.endsWith("a") ? "b" : "a";
  presented.set("a revoked one", secret).set("an expired one", expired.secret);
  presented.set("one of nobody", makeSecret().secret);
  presented.set("a mistyped one", secret.slice(0, -1) + last);
  presented.set("another operator's", `${KEY}x`);
}

interface Refused {
  readonly authorization: string | undefined;
  readonly code: "UNAUTHENTICATED" | "PERMISSION_DENIED";
}

/** With what the call must be refused, and how. */
function refusedOf(method: DescMethod): readonly (readonly [what: string, refused: Refused])[] {
  const bearer = (name: string) => `Bearer ${presented.get(name) ?? expect.fail(name)}`;
  const unauthenticated: [string, string | undefined][] = [
    ["no key", undefined],
    ["an empty one", "Bearer "],
    ["another scheme", `Basic ${KEY}`],
    ...[
      "a revoked one",
      "an expired one",
      "one of nobody",
      "a mistyped one",
      "another operator's",
    ].map((name): [string, string] => [name, bearer(name)]),
  ];
  const needed = neededRole(method);
  const lesser = ROLES[ROLES.indexOf(needed) + 1];
  const isOfTenant = getOption(method, customerScope) === CustomerScope.TENANT;
  const denied = [
    ...(lesser === undefined ? [] : [lesser]),
    ...(isOfTenant && needed !== "ADMIN" ? [`${needed} of a customer`] : []),
  ];
  return [
    ...unauthenticated.map(
      ([what, authorization]) => [what, { authorization, code: "UNAUTHENTICATED" }] as const,
    ),
    ...denied.map(
      (name) => [name, { authorization: bearer(name), code: "PERMISSION_DENIED" }] as const,
    ),
  ];
}

function neededRole(method: DescMethod): Role {
  const needed = getOption(method, requiredRole);
  return ROLES.find((role) => RoleEnum[role] === needed) ?? expect.fail(method.name);
}

const GRPC_STATUS = { UNAUTHENTICATED: "16", PERMISSION_DENIED: "7" } as const;

/** Sends the headers of a call and no body; answers the code that came back. */
function codeWithoutBody(
  port: "http" | "grpc",
  contentType: string,
  method: DescMethod,
  authorization: string | undefined,
): Promise<string> {
  const stream = (sessions.get(port) ?? expect.fail(port)).request(
    {
      ":method": "POST",
      ":path": `/${method.parent.typeName}/${method.name}`,
      "content-type": contentType,
      te: "trailers",
      ...(authorization !== undefined && { authorization }),
    },
    { endStream: false },
  );
  const fields: Record<string, unknown> = {};
  let body = "";
  return new Promise((resolve, reject) => {
    const giveUp = setTimeout(() => {
      stream.close();
      reject(new Error("it waits for the body"));
    }, 10_000);
    stream.on("response", (headers) => Object.assign(fields, headers));
    stream.on("trailers", (trailers) => Object.assign(fields, trailers));
    stream.on("data", (chunk) => {
      body += String(chunk);
    });
    stream.on("error", () => undefined);
    stream.on("end", () => {
      clearTimeout(giveUp);
      const status = fields["grpc-status"] ?? /grpc-status: ?(\d+)/.exec(body)?.[1];
      const code = /"code":"(\w+)"/.exec(body)?.[1];
      stream.close();
      resolve(String(status ?? code));
    });
  });
}

describe("R9 refused before the body is read", () => {
  test.each(METHODS.map((method) => [method.name, method] as const))(
    "%s",
    async (_name, method) => {
      const refused = refusedOf(method);
      expect(refused.length).toBeGreaterThan(7);
      for (const [protocol, port, typeOf] of PROTOCOLS) {
        const contentType = typeOf(method.methodKind === "unary");
        const isConnect = protocol === "Connect";
        const answered = refused.map(async ([what, { authorization }]) => [
          what,
          await codeWithoutBody(port, contentType, method, authorization),
        ]);
        const expected = refused.map(([what, { code }]) => [
          what,
          isConnect ? code.toLowerCase() : GRPC_STATUS[code],
        ]);
        expect(await Promise.all(answered), protocol).toEqual(expected);
      }
    },
  );

  test("while whoever may call is waited for", async () => {
    const method = METHODS.find(({ name }) => name === "GetBalance") ?? expect.fail();
    const authorization = `Bearer ${presented.get("READER")}`;
    const waiting = codeWithoutBody("grpc", "application/grpc+proto", method, authorization);
    const first = await Promise.race([
      waiting.catch(() => "gave up"),
      new Promise((resolve) => setTimeout(() => resolve("waits"), 500)),
    ]);
    expect(first).toBe("waits");
  });
});
