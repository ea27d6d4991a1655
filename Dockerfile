# The image ships the JavaScript that tsc wrote and the packages that run, on a slim Node 24: no sources, no compiler, no test tools.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Optional packages too: the compiler's own build for this platform is one.
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM ${NODE_IMAGE} AS packages
WORKDIR /packages
COPY package.json package-lock.json .npmrc ./
# Optional here is only `node`, a Node for older machines; the base image has one. What remains needs no install script.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Passerelle" \
      org.opencontainers.image.description="An authenticating reverse-proxy gateway for libraries, universities and schools" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /packages/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json LICENSE ./

# A number, so that Kubernetes can see that it is not root. Nothing is written: the root file system may be read-only.
USER 65532:65532

# The main listener, and operations where the configuration binds it to more than loopback.
EXPOSE 8080 9090

# /livez says that the process answers, not that Redis or an identity provider does: those come back without a restart. With
# another port in `operations.address`, give `docker run` its own --health-cmd.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9090/livez').then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

# A changed configuration is read on `docker kill --signal HUP` (docs/guide/reload.md).
# The larger young generation is worth a tenth to a third of the throughput (docs/decision/0002).
ENTRYPOINT ["node", "--max-semi-space-size=16", "dist/main.js"]
CMD ["serve", "/etc/passerelle/passerelle.yaml"]
