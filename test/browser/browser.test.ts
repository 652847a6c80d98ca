/**
 * A real page in a headless Chromium calls the service by connect-web, from another origin and with
 * the API key of one customer: unary, the history as a stream, a live balance, hanging up. Without
 * Chromium it is skipped, but in CI.
 */
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeKey } from "../access/keys.ts";
import { TENANT } from "../pipeline/ledger.ts";
import { callerOver } from "../wire/caller.ts";
import { type Running, startService, TWO_WAYS } from "../wire/running.ts";
import { Story, step } from "../wire/story.ts";
import type { Portal } from "./page.ts";

const { CI, DRAWDOWN_TEST_CHROMIUM = "/usr/bin/chromium" } = process.env;
const isMissing = !existsSync(DRAWDOWN_TEST_CHROMIUM);
if (isMissing && !CI) {
  console.warn(`The browser tests are skipped: there is no ${DRAWDOWN_TEST_CHROMIUM}.`);
}

const GIFT = { currency: "USD", fundingMethod: "FUNDING_METHOD_PROMOTIONAL", amount: "10" };
const CHARGE = { currency: "USD", settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY", amount: "4" };

/** The functions that the page has. */
interface PageWindow {
  readonly changesSeen: number;
  readBalance(portal: Portal): Promise<string>;
  readHistory(portal: Portal): Promise<readonly string[]>;
  watchBalance(portal: Portal, changes: number): Promise<readonly string[]>;
  readRefusal(portal: Portal): Promise<string>;
}

describe.skipIf(isMissing && !CI)("a page in a browser", () => {
  let running: Running;
  let story: Story;
  let neighbor: Story;
  /** What the portal of the story's customer holds: it opens the books of nobody else. */
  let portalKey: string;
  let browser: Browser;
  let site: Server;
  let page: Page;

  beforeAll(async () => {
    const script = await bundle();
    site = createServer((request, response) => {
      const isScript = request.url === "/page.js";
      response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
      response.end(isScript ? script : '<title>portal</title><script src="/page.js"></script>');
    });
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    running = await startService({ corsOrigins: [originOf(site)] });
    const [, open] = TWO_WAYS[1] ?? expect.fail();
    const operator = callerOver(open(running));
    story = await Story.begin(operator, "portal");
    neighbor = await Story.begin(operator, "neighbor");
    const holder = { tenantId: TENANT, role: "READER", customerId: story.customer } as const;
    portalKey = (await makeKey(operator, holder)).secret;
    await story.tell([
      step("gift", "CreateCreditGrant", GIFT),
      step("charge", "CreateCharge", CHARGE),
    ]);
    browser = await chromium.launch({
      executablePath: DRAWDOWN_TEST_CHROMIUM,
      args: ["--no-sandbox"],
    });
    page = await browser.newPage();
    await page.goto(originOf(site));
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    site?.close();
    await running?.close();
  });

  const portal = (isGrpcWeb: boolean, more: Partial<Portal> = {}): Portal => ({
    url: running.http,
    key: portalKey,
    customerId: story.customer,
    isGrpcWeb,
    ...more,
  });
  /** Runs a function of the page in the page. */
  function inPage<Name extends Exclude<keyof PageWindow, "changesSeen">>(
    name: Name,
    ...words: Parameters<PageWindow[Name]>
  ): Promise<Awaited<ReturnType<PageWindow[Name]>>> {
    return page.evaluate(
      ([called, given]) => {
        const own = globalThis as unknown as Record<string, (...all: unknown[]) => never>;
        return own[called]?.(...given);
      },
      [name, words] as const,
    ) as never;
  }

  test.each([
    ["Connect", false],
    ["gRPC-Web", true],
  ])("reads a balance and streams the history over %s", async (_name, isGrpcWeb) => {
    expect(await inPage("readBalance", portal(isGrpcWeb))).toBe("6 USD");
    expect(await inPage("readHistory", portal(isGrpcWeb))).toEqual(["10", "-4"]);
  });

  test.each([
    ["Connect", false],
    ["gRPC-Web", true],
  ])("sees the balance change, and hangs up, over %s", async (name, isGrpcWeb) => {
    const before = (await inPage("readBalance", portal(isGrpcWeb))).split(" ")[0];
    await page.evaluate(() => Object.assign(globalThis, { changesSeen: 0 }));
    const seen = inPage("watchBalance", portal(isGrpcWeb), 2);
    await page.waitForFunction(() => (globalThis as unknown as PageWindow).changesSeen === 1);
    await story.call("CreateCharge", { ...CHARGE, amount: "1" }, `live ${name}`);

    expect(await seen).toEqual([before, String(Number(before) - 1), "Canceled"]);
    const metrics = async () => (await fetch(`${running.http}/metrics`)).text();
    await expect.poll(metrics).toContain("drawdown_rpcs_in_flight 0");
  });

  test("is told why it is refused", async () => {
    expect(await inPage("readRefusal", portal(false, { key: "dda_wrong" }))).toBe(
      "Unauthenticated UNAUTHENTICATED",
    );
  });

  test("sees nothing of another customer", async () => {
    const other = portal(false, { customerId: neighbor.customer });
    expect(await inPage("readRefusal", other)).toBe("NotFound CUSTOMER_NOT_FOUND");
  });

  test("from an origin that is not listed reads nothing", async () => {
    const stranger = await browser.newPage();
    await stranger.goto(originOf(site).replace("127.0.0.1", "localhost"));
    const refused = stranger.evaluate(
      (given) => (globalThis as unknown as PageWindow).readRefusal(given),
      portal(false),
    );

    expect(await refused).toBe("Unknown undefined");
    await stranger.close();
  });
});

function originOf(site: Server): string {
  return `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
}

/** The page's script in one piece. */
async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "warn",
    root: fileURLToPath(new URL(".", import.meta.url)),
    build: {
      write: false,
      lib: {
        entry: fileURLToPath(new URL("page.ts", import.meta.url)),
        formats: ["iife"],
        name: "page",
      },
    },
  });
  const [output] = Array.isArray(built) ? built : [built];
  if (output === undefined || !("output" in output)) throw new Error("vite built nothing");
  return output.output[0].code;
}
