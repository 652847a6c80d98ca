/** Owns waiting for the next message of a stream, of which its reader may have had enough. */

/** Waits for the next message, but no longer than until the call is aborted. */
export function nextUnlessAborted<T>(
  messages: AsyncIterator<T>,
  signal: AbortSignal,
): Promise<IteratorResult<T>> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const settle = () => signal.removeEventListener("abort", onAbort);
    messages.next().then(resolve, reject).then(settle, settle);
  });
}
