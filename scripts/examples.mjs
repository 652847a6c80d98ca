/**
 * Takes the tour of examples/ in every language for which the machine has the tools, against a
 * service of its own, and follows a trace; says which it left out. Where CI is set none may be.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What every tour prints. */
const STORY = `granted 25 USD
held 10: settled 25, pending 15
settled 7.5: settled 17.5, pending 17.5
FUNDED 25, balance 25
CONSUMED -7.5, balance 17.5
refused INSUFFICIENT_CREDITS: required 100, available 17.5
`;
/** What is printed of a trace: the call, below it the batch, and below that its statements. */
const TRACE = /^\S+CreateCreditGrant\n {2}batch of customers\n( {4}SQL .+\n)+ {4}SQL commit\n$/m;

const isStory = (said) => said === STORY;
const isTrace = (said) => TRACE.test(said);

const TOURS = [
  {
    name: "TypeScript, grpc-js",
    needs: [],
    run: ["node", "examples/typescript/grpc-js.ts"],
    isRight: isStory,
  },
  {
    name: "TypeScript, connect-web",
    needs: [],
    run: ["node", "examples/typescript/connect-web.ts"],
    isRight: isStory,
  },
  { name: "Go", needs: [["go", "version"]], run: ["examples/go/run"], isRight: isStory },
  {
    name: "Python",
    needs: [["python3", "-m", "venv", "--help"]],
    run: ["examples/python/run"],
    isRight: isStory,
  },
  {
    name: "Java",
    needs: [
      ["javac", "-version"],
      ["mvn", "-v"],
    ],
    run: ["examples/java/run"],
    isRight: isStory,
  },
  { name: "OpenTelemetry", needs: [], run: ["examples/tracing/run"], isRight: isTrace },
];

const KEY = "dda_the-key-of-the-examples";
const START_MS_MAX = 60_000;

const has = ([program, ...words]) => spawnSync(program, words, { stdio: "ignore" }).status === 0;

/** Starts the service on free ports; resolves when it is ready. */
function startService(dataDir) {
  const environment = {
    ...process.env,
    DRAWDOWN_DATA_DIR: dataDir,
    DRAWDOWN_HTTP_PORT: "0",
    DRAWDOWN_GRPC_PORT: "0",
    DRAWDOWN_ADMIN_KEY: KEY,
    DRAWDOWN_LOG_LEVEL: "warn",
  };
  const service = spawn("node", ["dist/src/main.js", "serve"], {
    cwd: root,
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let said = "";
    const timer = setTimeout(() => reject(new Error("the service does not start")), START_MS_MAX);
    service.once("exit", (code) => reject(new Error(`the service ended with ${code}`)));
    service.stdout.on("data", (chunk) => {
      said += chunk;
      const ready = /ready http=(\S+) grpc=(\S+)/.exec(said);
      if (ready === null) return;
      clearTimeout(timer);
      resolve({ service, url: `http://${ready[1]}`, address: ready[2] });
    });
  });
}

function takeTour({ run: [program, ...words], isRight }, { url, address }) {
  const { status, stdout } = spawnSync(program, words, {
    cwd: root,
    env: { ...process.env, DRAWDOWN_URL: url, DRAWDOWN_ADDRESS: address, DRAWDOWN_KEY: KEY },
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  // Maven resets the colors of a terminal even where there is none.
  if (status === 0 && isRight(stripVTControlCharacters(stdout))) return "passed";
  process.stdout.write(stdout ?? "");
  return "FAILED";
}

const dataDir = mkdtempSync(join(tmpdir(), "drawdown-examples-"));
const site = await startService(dataDir);
let isWell = true;
try {
  for (const tour of TOURS) {
    const missing = tour.needs.filter((tool) => !has(tool)).map(([program]) => program);
    const result = missing.length > 0 ? "skipped" : takeTour(tour, site);
    if (result === "FAILED" || (result === "skipped" && process.env.CI)) isWell = false;
    const why = missing.length > 0 ? `: there is no ${missing.join(" and no ")}` : "";
    console.log(`${result}  ${tour.name}${why}`);
  }
} finally {
  site.service.removeAllListeners("exit");
  site.service.kill("SIGTERM");
  await new Promise((resolve) => site.service.once("exit", resolve));
  rmSync(dataDir, { recursive: true, force: true });
}
process.exit(isWell ? 0 : 1);
