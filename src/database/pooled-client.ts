/** Owns the client that pools are made of: what it hears after a pool dropped it harms nobody. */
import pg from "pg";

/**
 * A pool stops listening to a client that it drops. What the server still says to that one, such as
 * why it ends the session, must not end the process: whoever used the client has been told already.
 */
export class PooledClient extends pg.Client {
  constructor(config: pg.ClientConfig) {
    super(config);
    this.on("error", () => undefined);
  }
}
