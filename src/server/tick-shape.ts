/**
 * Owns one object that node would drop, because V8 cannot do without its shape. Node makes an
 * object for each callback that it defers, a dozen for a call, and V8 writes its fields fast for as
 * long as it remembers their shape. A full collection while none is waiting forgets the shape, and
 * then every later one is written slowly, for as long as the process lives.
 */
import { createHook } from "node:async_hooks";

const kept: object[] = [];

/** Keeps one such object for ever; early in the process, before anything is collected. */
export function keepTickShape(): void {
  const hook = createHook({
    init(_asyncId, type, _triggerAsyncId, resource) {
      if (type === "TickObject") kept.push(resource);
    },
  });
  hook.enable();
  process.nextTick(() => undefined);
  hook.disable();
}
