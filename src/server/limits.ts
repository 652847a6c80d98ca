/** Owns the bounds of both ports that nobody needs to configure; config.ts has the others. */

/** What one connection may hold in buffers: above it Node refuses its further streams. */
export const SESSION_MEMORY_MB_MAX = 64;

/** How long a connection may take to agree on its encryption. */
export const HANDSHAKE_MS_MAX = 10_000;

/** How long a connection may be silent before its peer is asked whether it is still there. */
export const KEEP_ALIVE_MS = 60_000;

/**
 * How long a connection over HTTP/1.1 may wait for its next request. A peer that sends one just as
 * the service gives up loses it: those who keep connections, for 60 s as load balancers do, must be
 * the first to give up.
 */
export const IDLE_HTTP1_MS_MAX = 75_000;
