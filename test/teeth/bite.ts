/**
 * Owns planting faults in a scratch copy of the project, one at a time, and running the tests that
 * must notice. Before that they must be green: a test that fails anyway has caught nothing.
 */
import { spawn } from "node:child_process";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Fault, plant } from "./fault.ts";

/** What a fault came to: the tests that failed, or why it proves nothing. */
export interface Bite {
  readonly fault: Fault;
  /** The name of the test that noticed; undefined when none did. */
  readonly caught: string | undefined;
  readonly why: string;
}

const NOT_COPIED = new Set(["node_modules", ".git", ".drawdown", "dist", "docs", "reports"]);

/** Copies the project's sources; what is installed is shared. */
export function copyProject(root: string, dir: string): void {
  cpSync(root, dir, {
    recursive: true,
    filter: (path) => path === root || !NOT_COPIED.has(basename(path)),
  });
  symlinkSync(join(root, "node_modules"), join(dir, "node_modules"));
}

interface TestResult {
  readonly fullName: string;
  readonly status: string;
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message?: string;
    readonly assertionResults: readonly TestResult[];
  }[];
}

/** Runs test files; answers the results of all their tests. */
async function runTests(dir: string, files: readonly string[]): Promise<readonly TestResult[]> {
  const reportFile = join(dir, "report.json");
  writeFileSync(reportFile, '{"testResults":[]}');
  const args = ["run", ...files, "--reporter=json", `--outputFile=${reportFile}`];
  const child = spawn(join(dir, "node_modules", ".bin", "vitest"), args, {
    cwd: dir,
    stdio: ["ignore", "ignore", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
  const { testResults }: Report = JSON.parse(readFileSync(reportFile, "utf8"));
  return testResults.flatMap(({ assertionResults }) => assertionResults);
}

const isFailed = ({ status }: TestResult) => status === "failed";

/**
 * Plants each fault in turn and tells of it, until there is no more time. The copy is as it was
 * afterwards.
 */
export async function bite(
  dir: string,
  faults: readonly Fault[],
  way: { readonly tell: (bite: Bite) => void; readonly isLate: () => boolean },
): Promise<void> {
  const files = [...new Set(faults.map(({ caughtBy }) => caughtBy))];
  const before = await runTests(dir, files);
  const broken = before.filter(isFailed);
  if (before.length === 0 || broken.length > 0) {
    const names = broken.map(({ fullName }) => fullName).join("\n");
    throw new Error(`before any fault these tests fail, or none runs:\n${names}`);
  }
  for (const fault of faults) {
    if (way.isLate()) return;
    const path = join(dir, fault.file);
    const source = readFileSync(path, "utf8");
    writeFileSync(path, plant(source, fault));
    try {
      way.tell(judge(fault, await runTests(dir, [fault.caughtBy])));
    } finally {
      writeFileSync(path, source);
    }
  }
}

function judge(fault: Fault, results: readonly TestResult[]): Bite {
  const failed = results.filter(isFailed).map(({ fullName }) => fullName);
  const caught = failed.find((name) => name.startsWith(fault.test));
  if (caught !== undefined) return { fault, caught, why: `${failed.length} tests went red` };
  const others = failed.length === 0 ? "none went red" : `only others did: ${failed[0]}`;
  return { fault, caught, why: results.length === 0 ? "no test ran" : others };
}
