# The service in a container. Give it a PostgreSQL by DRAWDOWN_DATABASE_URL; without one it starts
# the embedded one in /var/lib/drawdown, which then must be a volume. It listens on all addresses, so
# it also needs DRAWDOWN_TLS_CERT_FILE and DRAWDOWN_TLS_KEY_FILE, or DRAWDOWN_ALLOW_CLEARTEXT=true.
# The image is its own Node, so the one that npm would bring (node-linux-*) stays out of it.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --include=optional && rm -rf node_modules/node-linux-* node_modules/.bin/node

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --include=dev
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY gen gen
COPY src src
RUN npm run --ignore-scripts build

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    DRAWDOWN_HOST=0.0.0.0 \
    DRAWDOWN_DATA_DIR=/var/lib/drawdown
WORKDIR /app
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/drawdown
COPY --from=build /app/package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
# By number, so that a cluster can tell that it is not root.
USER 1000:1000
EXPOSE 8080 50051
# Where clients must show a certificate this has none to show: set a health check of your own there.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["node", "-e", \
  "const tls = process.env.DRAWDOWN_TLS_CERT_FILE; process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; fetch(`http${tls ? 's' : ''}://127.0.0.1:${process.env.DRAWDOWN_HTTP_PORT || 8080}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js", "serve"]
