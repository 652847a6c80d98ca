/**
 * Owns what a run leaves on the machine while it lasts: one folder, and what must be ended before
 * the folder goes. Everything is taken down in the reverse of the order in which it came, also when
 * the run is interrupted.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Scratch {
  readonly dir: string;
  readonly #endings: (() => Promise<void>)[] = [];
  #closing: Promise<void> | undefined;

  constructor(name: string) {
    this.dir = makePassableDir(join(tmpdir(), `drawdown-${name}-`));
  }

  /** Makes a folder in it that no other part of the run has. */
  makeDir(name: string): string {
    return makePassableDir(join(this.dir, `${name}-`));
  }

  /** What is to be done when the run ends, however it ends. */
  defer(ending: () => Promise<void>): void {
    this.#endings.push(ending);
  }

  /** Ends everything that came after this moment. */
  async endSince(mark: number): Promise<void> {
    for (const ending of this.#endings.splice(mark).reverse()) {
      await ending().catch((error: unknown) => console.error("taking down failed:", error));
    }
  }

  /** A moment to which `endSince` goes back. */
  get mark(): number {
    return this.#endings.length;
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.endSince(0);
      rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    })();
    return this.#closing;
  }
}

/** As root the database server runs as somebody else, who must be able to pass through. */
function makePassableDir(prefix: string): string {
  const dir = mkdtempSync(prefix);
  chmodSync(dir, 0o711);
  return dir;
}
