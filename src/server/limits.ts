/** Owns the bounds that both ports share, so that a call fits through both or neither. */

export const REQUEST_BYTES_MAX = 4 * 1024 * 1024;

/** Calls in flight on one connection. */
export const CONCURRENT_STREAMS_MAX = 1_000;

/** What one connection may hold in buffers: above it Node refuses its further streams. */
export const SESSION_MEMORY_MB_MAX = 64;

/** How long a connection may be silent before its peer is asked whether it is still there. */
export const KEEP_ALIVE_MS = 60_000;
