/** Owns the bounds of both ports that nobody needs to configure; config.ts has the others. */

/** What one connection may hold in buffers: above it Node refuses its further streams. */
export const SESSION_MEMORY_MB_MAX = 64;

/** How long a connection may take to agree on its encryption. */
export const HANDSHAKE_MS_MAX = 10_000;

/** How long a connection may be silent before its peer is asked whether it is still there. */
export const KEEP_ALIVE_MS = 60_000;
