/**
 * Owns the admin key of those who configure none: made at the first start and kept in the data
 * folder, in a file that only the service's user can read.
 */
import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const KEY_BYTES = 32;
const KEY = /^[\x21-\x7e]{16,256}$/;

/** Reads the admin key of a data folder, after making it if there is none. */
export async function obtainAdminKey(dataDir: string): Promise<string> {
  const file = join(dataDir, "admin.key");
  const key = (await findKey(file)) ?? (await makeKey(dataDir, file));
  if (!KEY.test(key)) {
    throw new Error(
      `${file} does not hold an admin key (16 to 256 visible ASCII characters). Remove it to ` +
        "have a new one made.",
    );
  }
  // A key that was put there by hand may be readable by others.
  await chmod(file, 0o600);
  return key;
}

async function findKey(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The file appears whole, and of two services that start at once, one makes the key for both. */
async function makeKey(dataDir: string, file: string): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const key = `dda_${randomBytes(KEY_BYTES).toString("base64url")}`;
  const making = `${file}.${randomBytes(8).toString("hex")}`;
  try {
    await writeFile(making, `${key}\n`, { mode: 0o600, flag: "wx", flush: true });
    await link(making, file);
    return key;
  } catch (error) {
    const first = await findKey(file);
    if (first === undefined) throw error;
    return first;
  } finally {
    await rm(making, { force: true });
  }
}
