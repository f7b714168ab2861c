# One image for every component; its first argument is the subcommand: docker run IMAGE proxy --help
FROM node:24-bookworm-slim AS packages
WORKDIR /opt/fedstack
COPY package.json package-lock.json .npmrc ./
# not `npm ci`: it fails where the registry in use lacks a package for a foreign platform. The image brings its own
# Node, so the optional packages, which are Node itself, stay out; but for snappy's code for this platform.
RUN npm install --omit=dev --omit=optional --no-save --ignore-scripts \
  && npm install --omit=dev --omit=optional --no-save --ignore-scripts \
    "@napi-rs/snappy-linux-$(node -p process.arch)-gnu@$(node -p 'require("snappy/package.json").version')" \
  && node -e 'require("snappy").compressSync("a")'

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/fedstack
COPY --from=packages /opt/fedstack/node_modules node_modules
COPY LICENSE* package.json cli.ts commands.ts ./
COPY bin bin
COPY core core
COPY portal portal
COPY site site
# what a new named volume mounted here takes over: written by fedstack, read by Prometheus' group
RUN mkdir --mode=2750 /var/lib/fedstack && chown 1000:65534 /var/lib/fedstack \
  && mkdir --mode=0700 /var/lib/fedstack-keys && chown 1000:65534 /var/lib/fedstack-keys \
  && mkdir -p node_modules/.cache && chown node:node node_modules/.cache
USER node
# compiles all that a command may load, so that a start in a read-only container takes half the time; once for each set of
# flags in bin/fedstack for which V8 keeps compiled code apart. What browsers load does not run here.
RUN for flags in "" --optimize-for-size; do \
  NODE_COMPILE_CACHE=node_modules/.cache/node-compile node $flags --input-type=module -e ' \
    import { globSync } from "node:fs"; \
    for (const file of globSync("{core,portal,site}/**/*.ts", { exclude: ["portal/web/client/**"] })) await import(`./${file}`); \
    await (await import("./core/kubernetes/client-node.ts")).loadKubeConfig()' || exit 1; \
  done
ENTRYPOINT ["/opt/fedstack/bin/fedstack"]
