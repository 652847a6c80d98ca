/** Tools and load balancers find what they need without a key: reflection, health, readiness. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "../../gen/grpc/health/v1/health_pb.ts";
import {
  type ServerReflectionRequestSchema,
  ServerReflection as V1,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as V1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { clientsOver, type Edges, eventually, failureOf, KEY, startEdges, WAYS } from "./edges.ts";

const run = promisify(execFile);

let edges: Edges;
let isReady = true;

beforeAll(async () => {
  edges = await startEdges(
    {
      async listCurrencies() {
        return { currencies: [{ code: "USD" }] };
      },
    },
    async () => isReady,
  );
});

afterAll(() => edges.server.drain(1_000));

const PORTS = [
  ["HTTP", () => edges.http],
  ["gRPC", () => edges.grpc],
] as const;

/** The contract's own rules of strings, as validation.proto numbers them. */
const STRING_RULES = Array.from({ length: 9 }, (_, index) => 56_101 + index);

describe.each(PORTS)("on the %s port", (name, base) => {
  const protocol = name === "gRPC" ? ["--protocol", "grpc", "--http2-prior-knowledge"] : [];

  test("buf curl needs no schema: it lists the methods and calls one", async () => {
    const { stdout: methods } = await run("buf", ["curl", ...protocol, "--list-methods", base()]);
    const key = ["--header", `authorization: Bearer ${KEY}`];
    const url = `${base()}/drawdown.v1.CurrencyService/ListCurrencies`;
    const { stdout: answer } = await run("buf", ["curl", ...protocol, ...key, url]);

    expect(methods.trim().split("\n")).toEqual(
      expect.arrayContaining([
        "drawdown.v1.CurrencyService/CreateCurrency",
        "drawdown.v1.HistoryService/StreamMovements",
        "grpc.health.v1.Health/Watch",
        "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      ]),
    );
    expect(JSON.parse(answer)).toEqual({ currencies: [{ code: "USD" }] });
  });

  test.each([
    ["v1", V1],
    ["v1alpha", V1Alpha],
  ] as const)(
    "reflection %s answers each question, and says what it does not know",
    async (_v, service) => {
      const client = createClient(service as typeof V1, createGrpcTransport({ baseUrl: base() }));
      const ask = async (
        question: NonNullable<
          MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"]
        >,
      ) => {
        async function* questions() {
          yield { host: "h", messageRequest: question };
        }
        for await (const answer of client.serverReflectionInfo(questions())) {
          return answer.messageResponse;
        }
        return undefined;
      };
      const symbol = (value: string) => ask({ case: "fileContainingSymbol", value });

      for (const name of [
        "drawdown.v1.HistoryService",
        "drawdown.v1.HistoryService.ListMovements",
        "drawdown.v1.ListMovementsRequest",
        "drawdown.v1.ListMovementsRequest.page_size",
      ]) {
        expect((await symbol(name))?.case).toBe("fileDescriptorResponse");
      }
      for (const name of ["drawdown.v1.Nothing", "drawdown.v1.HistoryService.Nothing", "", "x"]) {
        expect(await symbol(name)).toMatchObject({
          case: "errorResponse",
          value: { errorCode: 5 },
        });
      }
      const file = await ask({
        case: "fileByFilename",
        value: "drawdown/v1/history_service.proto",
      });
      expect(file?.case).toBe("fileDescriptorResponse");
      const rules = { containingType: "buf.validate.StringRules", extensionNumber: 56101 };
      expect((await ask({ case: "fileContainingExtension", value: rules }))?.case).toBe(
        "fileDescriptorResponse",
      );
      expect(
        await ask({ case: "allExtensionNumbersOfType", value: "buf.validate.StringRules" }),
      ).toMatchObject({ value: { extensionNumber: STRING_RULES } });
    },
  );

  test("health tells of the process and of each service, and knows no other", async () => {
    const client = createClient(Health, createGrpcTransport({ baseUrl: base() }));

    for (const service of ["", "drawdown.v1.HistoryService"]) {
      expect((await client.check({ service })).status).toBe(Status.SERVING);
    }
    expect(await failureOf(client.check({ service: "nobody" }))).toMatchObject({
      code: Code.NotFound,
    });
    expect(Object.keys((await client.list({})).statuses)).toContain("drawdown.v1.CurrencyService");
  });
});

test("health and readiness follow what the service says of itself; a watch tells of it", async () => {
  const clients = PORTS.map(([, base]) =>
    createClient(Health, createGrpcTransport({ baseUrl: base() })),
  );
  const seen = clients.map((): Status[] => []);
  const watch = async (client: (typeof clients)[number], index: number) => {
    for await (const { status } of client.watch({ service: "" })) seen[index]?.push(status);
  };
  const failures = clients.map((client, index) => failureOf(watch(client, index)));
  await eventually(() => seen.every(({ length }) => length === 1), "the watches begin");
  isReady = false;
  await eventually(() => seen.every(({ length }) => length === 2), "the watches tell");

  expect(seen).toEqual(seen.map(() => [Status.SERVING, Status.NOT_SERVING]));
  expect((await clients[0]?.check({ service: "" }))?.status).toBe(Status.NOT_SERVING);
  expect((await fetch(`${edges.http}/readyz`)).status).toBe(503);
  expect((await fetch(`${edges.http}/healthz`)).status).toBe(200);

  await edges.server.drain(1_000);
  for (const failure of await Promise.all(failures)) {
    expect(failure).toMatchObject({ code: Code.Unavailable, reason: "DRAINING" });
  }
});

test("the HTTP port has pages of its own, and 404 for every other", async () => {
  const own = await startEdges({ listCurrencies: async () => ({}) });
  const [, way] = WAYS[0] ?? expect.fail();
  const { currencies } = clientsOver(way(own));
  await currencies.listCurrencies({}, { headers: { authorization: `Bearer ${KEY}` } });
  const page = async (path: string, method = "GET") => {
    const response = await fetch(own.http + path, { method });
    return [response.status, await response.text()] as const;
  };

  expect(await page("/healthz")).toEqual([200, "ok\n"]);
  expect(await page("/readyz")).toEqual([200, "ready\n"]);
  expect((await page("/metrics"))[1]).toContain(
    'drawdown_rpc_duration_seconds_count{method="/drawdown.v1.CurrencyService/ListCurrencies",code="OK"} 1',
  );
  expect((await page("/"))[0]).toBe(404);
  expect((await page("/healthz", "POST"))[0]).toBe(404);
  await own.server.drain(1_000);
});
