/** Owns what a planted fault is: one small change of a source, and who must notice it. */

export interface Fault {
  /** What is wrong then, in a few words. */
  readonly name: string;
  /** The source that it is planted in. */
  readonly file: string;
  /** What stands there, exactly once, and what is put in its place. */
  readonly find: string;
  readonly put: string;
  /** The test file that must go red, and the beginning of the name of a test of it that does. */
  readonly caughtBy: string;
  readonly test: string;
  /** Whether the small size plants it. */
  readonly small?: true;
}

/** Plants the fault in a source. Throws when the code has moved, so that no fault is lost. */
export function plant(source: string, { name, file, find, put }: Fault): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    const times = parts.length - 1;
    throw new Error(`"${name}" looks ${times} times like its place in ${file}: mend its text`);
  }
  return parts.join(put);
}
