/** Owns waiting for what may never come. */

/** Waits for a promise, or for the time given, whichever ends first; says whether it came. */
export async function noLongerThan(promise: Promise<unknown>, timeMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeMs);
  });
  try {
    return await Promise.race([promise.then(() => true), patience]);
  } finally {
    clearTimeout(timer);
  }
}
