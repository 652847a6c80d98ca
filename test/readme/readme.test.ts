/**
 * Owns the promise that README.md can be pasted: its commands are run in their order by a shell in
 * a folder like the project's, and each answer must be the one that stands behind the command. With
 * DRAWDOWN_README=write the answers on the page are replaced by those of the run.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KEY } from "../server/edges.ts";
import { type Running, startService } from "../wire/running.ts";
import { print, readAnswers, withNames } from "./answers.ts";
import { commandsOf, readBlocks, withAnswers } from "./blocks.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = join(ROOT, "README.md");
const page = readFileSync(PAGE, "utf8");
const commands = commandsOf(page);
const END = "--- the answer ends here ---";

let running: Running;
let folder: string;
/** What was printed behind each command, and at the end. */
let printed: readonly string[];

beforeAll(async () => {
  running = await startService();
  folder = mkdtempSync(join(tmpdir(), "drawdown-readme-"));
  mkdirSync(join(folder, ".drawdown"));
  writeFileSync(join(folder, ".drawdown", "admin.key"), KEY);
  for (const name of ["gen", "node_modules", "package.json"]) {
    symlinkSync(join(ROOT, name), join(folder, name));
  }
  const [program] = readBlocks(page).filter(({ language }) => language === "ts");
  const saved = onPorts(program?.text ?? "").replace("./gen/", `${ROOT}gen/`);
  writeFileSync(join(folder, "balance.ts"), saved);
  const { output } = await runShell([
    // The programs are installed: npx would only take its time to find that out.
    'npx() { "$@"; }',
    ...commands.flatMap((command) => [onPorts(command.text), `echo '${END}'`]),
    "npx node balance.ts $customer $(cat .drawdown/admin.key)",
  ]);
  printed = output.split(`${END}\n`);
}, 120_000);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await running.close();
});

/** The page names the ports of a service that was started without any configuration. */
function onPorts(words: string): string {
  const { httpPort, grpcPort } = running.server;
  return words
    .replaceAll("127.0.0.1:8080", `127.0.0.1:${httpPort}`)
    .replaceAll("127.0.0.1:50051", `127.0.0.1:${grpcPort}`);
}

async function runShell(lines: readonly string[]): Promise<{ readonly output: string }> {
  const shell = spawn("bash", ["-c", `exec 2>&1\n${lines.join("\n")}`], {
    cwd: folder,
    env: { ...process.env, PATH: `${join(ROOT, "node_modules", ".bin")}:${process.env["PATH"]}` },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { output: await text(shell.stdout) };
}

test("the six flows and the rest of the page are answered as it says", () => {
  const answered = commands.flatMap(({ answer }, at) =>
    answer === null ? [] : [{ answer, found: printed[at] ?? "" }],
  );
  expect(answered.length).toBeGreaterThan(20);

  const found = answered.map((each) => readAnswers(each.found));
  if (process.env["DRAWDOWN_README"] === "write") {
    const answers = found.map((values) => values.map((value) => print(value)).join("\n"));
    writeFileSync(PAGE, withAnswers(page, answers));
    return;
  }
  const told = answered.map((each) => readAnswers(each.answer));
  expect(withNames(found)).toEqual(withNames(told));
});

test("commands without an answer on the page print nothing", () => {
  const silent = commands.flatMap(({ answer }, at) => (answer === null ? [printed[at]] : []));
  expect(silent.filter((output) => output !== "")).toEqual([]);
});

test("the example in TypeScript prints what the page says", () => {
  expect(printed.at(-1)).toBe("1000 CREDITS\n");
  expect(page).toContain("prints `1000 CREDITS`");
});
