/**
 * A process of its own that starts the embedded PostgreSQL of the data folder in its argument,
 * says so, and holds it until SIGTERM: what the tests of the embedded server kill.
 */
import { startEmbeddedPostgres } from "../../src/database/embedded.ts";

const [dataDir = ""] = process.argv.slice(2);
const server = await startEmbeddedPostgres({ dataDir });
process.once("SIGTERM", async () => {
  await server.stop();
  process.exit(0);
});
process.send?.({ adopted: server.adopted, superuserUrl: server.superuserUrl });
