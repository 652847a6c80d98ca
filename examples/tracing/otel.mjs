/** Switches traces on: `node --import ./otel.mjs …`. The OTEL_… variables say where they go. */
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK({ serviceName: "drawdown" });
sdk.start();
// The spans that have not been sent yet go out when the service has drained.
process.once("beforeExit", () => sdk.shutdown());
