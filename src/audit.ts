/** Owns the command `audit`. */
import type { Config } from "./config.ts";

export async function audit(_config: Config, _words: readonly string[]): Promise<number> {
  return 0;
}
