# One image for every component; its first argument is the subcommand: docker run IMAGE proxy --help
FROM node:24-bookworm-slim AS packages
WORKDIR /opt/fedstack
COPY package.json package-lock.json .npmrc ./
# not `npm ci`: it fails where the registry in use lacks a package for a foreign platform. The image brings its own
# Node, so the optional packages, which are Node itself, stay out.
RUN npm install --omit=dev --omit=optional --no-save --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/fedstack
COPY --from=packages /opt/fedstack/node_modules node_modules
COPY LICENSE* package.json cli.ts ./
COPY bin bin
COPY core core
COPY portal portal
COPY site site
# what a new named volume mounted here takes over: written by fedstack, read by Prometheus' group
RUN mkdir --mode=2750 /var/lib/fedstack && chown 1000:65534 /var/lib/fedstack \
  && mkdir -p node_modules/.cache && chown node:node node_modules/.cache
USER node
# compiles what each command loads, so that a start in a read-only container takes half the time
RUN bin/fedstack --help | sed -n '/^Commands:/,/^$/s/^  \([a-z -]*[a-z]\)  .*/\1/p' \
  | while read -r command; do bin/fedstack $command --help >/dev/null </dev/null || exit 1; done \
  && KUBECONFIG=none bin/fedstack exporter opa-data --single --cluster-name=- --opa-service=opa --opa-cluster-data=- 2>&1 \
  | grep -q 'No Kubernetes is known here' \
  && bin/fedstack exporter opa-data --web.config.file=none --opa-url=http://127.0.0.1:9 --cluster-name=- --opa-cluster-data=- 2>&1 \
  | grep -q "none: can't be read"
ENTRYPOINT ["/opt/fedstack/bin/fedstack"]
