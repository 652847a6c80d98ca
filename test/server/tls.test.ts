/** TLS on both ports: from files, renewed without a restart, and with clients' certificates. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { CurrencyService } from "../../gen/drawdown/v1/currency_service_pb.ts";
import { Certificates } from "../../src/server/certificates.ts";
import { HANDSHAKE_MS_MAX } from "../../src/server/limits.ts";
import { AUTHORIZED, type Edges, failureOf, startEdges } from "./edges.ts";

const dir = mkdtempSync(join(tmpdir(), "drawdown-tls-"));
const path = (name: string) => join(dir, name);
const openssl = (...words: string[]) => execFileSync("openssl", words, { cwd: dir, stdio: "pipe" });

/** Makes `name`.pem and `name`.key, for 127.0.0.1, signed by the authority. */
function issue(name: string): void {
  writeFileSync(path(`${name}.ext`), "subjectAltName=IP:127.0.0.1");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
  const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1"];
  openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    ...by,
    "-extfile",
    `${name}.ext`,
    "-out",
    `${name}.pem`,
  );
}

function use(name: string): void {
  copyFileSync(path(`${name}.key`), path("used.key"));
  copyFileSync(path(`${name}.pem`), path("used.pem"));
}

const FILES = { certFile: path("used.pem"), keyFile: path("used.key"), clientCaFile: undefined };

let edges: Edges | undefined;

beforeAll(() => {
  const ca = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(...ca, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority", "-days", "1");
  for (const name of ["first", "second", "client"]) issue(name);
});
afterEach(() => edges?.server.drain(500));
afterAll(() => rmSync(dir, { recursive: true }));

function start(clientCaFile?: string): Promise<Edges> {
  const listCurrencies = async () => ({ currencies: [{ code: "USD" }] });
  const tls = { ...FILES, clientCaFile };
  return startEdges({ listCurrencies }, async () => true, {}, tls);
}

interface Client {
  readonly cert?: string;
  readonly key?: string;
}

/** Each protocol family over TLS, with both HTTP versions and both ports. */
function transports({ server }: Edges, client: Client = {}): readonly Transport[] {
  const nodeOptions = { ca: readFileSync(path("ca.pem"), "utf8"), ...client };
  const http = `https://127.0.0.1:${server.httpPort}`;
  const grpc = `https://127.0.0.1:${server.grpcPort}`;
  return [
    createConnectTransport({ baseUrl: http, httpVersion: "1.1", nodeOptions }),
    createConnectTransport({ baseUrl: http, httpVersion: "2", nodeOptions }),
    createGrpcTransport({ baseUrl: http, nodeOptions }),
    createGrpcTransport({ baseUrl: grpc, nodeOptions }),
  ];
}

const list = (transport: Transport) =>
  createClient(CurrencyService, transport).listCurrencies({}, AUTHORIZED);

/** The name in the certificate that a port shows. */
function nameAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const ca = readFileSync(path("ca.pem"));
    const socket = connect({ port, host: "127.0.0.1", ca, ALPNProtocols: ["h2"] }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

describe("TLS", () => {
  test("is on both ports, for every protocol and both HTTP versions, and no cleartext is", async () => {
    use("first");
    edges = await start();

    for (const transport of transports(edges)) {
      expect((await list(transport)).currencies[0]?.code).toBe("USD");
    }
    await expect(fetch(`http://127.0.0.1:${edges.server.httpPort}/healthz`)).rejects.toThrow();
    const cleartext = createGrpcTransport({ baseUrl: edges.grpc });
    expect((await failureOf(list(cleartext))).code).not.toBe(0);
  });

  test("takes a renewed certificate for new connections, and keeps the old ones open", async () => {
    use("first");
    edges = await start();
    const { httpPort, grpcPort } = edges.server;
    const open = transports(edges);
    for (const transport of open) await list(transport);
    expect([await nameAt(httpPort), await nameAt(grpcPort)]).toEqual(["first", "first"]);

    // What cannot be used is said and changes nothing.
    writeFileSync(path("used.pem"), "half a file");
    await until(() => edges?.log.some(({ level }) => level === 50) === true);
    expect([await nameAt(httpPort), await nameAt(grpcPort)]).toEqual(["first", "first"]);
    use("second");
    await until(async () => (await nameAt(grpcPort)) === "second");

    expect([await nameAt(httpPort), await nameAt(grpcPort)]).toEqual(["second", "second"]);
    for (const transport of open) await list(transport);
  });

  test("asks clients for a certificate where their authority is named", async () => {
    use("first");
    edges = await start(path("ca.pem"));
    const client = {
      cert: readFileSync(path("client.pem"), "utf8"),
      key: readFileSync(path("client.key"), "utf8"),
    };

    for (const transport of transports(edges, client)) {
      expect((await list(transport)).currencies[0]?.code).toBe("USD");
    }
    for (const transport of transports(edges)) {
      expect((await failureOf(list(transport))).code).not.toBe(0);
    }
  });

  test("keeps nobody waiting for whoever connects and says nothing when the service ends", async () => {
    use("first");
    edges = await start();
    const { httpPort, grpcPort } = edges.server;
    const silent = [httpPort, grpcPort].map((port) => connectTcp(port, "127.0.0.1"));
    onTestFinished(() => {
      for (const socket of silent) socket.destroy();
    });
    await Promise.all(silent.map((socket) => once(socket, "connect")));

    const beganAtMs = performance.now();
    await edges.server.drain(100);
    expect(performance.now() - beganAtMs).toBeLessThan(HANDSHAKE_MS_MAX / 2);
  });

  test.each([
    ["no such file", () => ({ ...FILES, certFile: path("none.pem") }), /none\.pem cannot be read/],
    ["another's key", () => ({ ...FILES, keyFile: path("second.key") }), /no certificate and its/],
  ])("does not start with %s", async (_what, files, message) => {
    use("first");
    await expect(Certificates.load(files())).rejects.toThrow(message);
  });
});

/** Files are read again every two seconds. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it never happened");
}
