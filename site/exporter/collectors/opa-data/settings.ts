import {
  duration,
  httpUrl,
  on,
  oneOf,
  type Parse,
  setting,
  settings,
  size,
  text,
  type Values,
  Wrong,
} from "#core/config/settings.ts"
import { kubernetesSettings } from "#core/kubernetes/settings.ts"
import { type DataPath, dataPath } from "./paths.ts"
import { WAYS } from "./reading.ts"

/** Seconds: Prometheus gives a scrape 10, and the answer has to be on its way by then. */
export const SCRAPE_TIMEOUT = 8

const trimmed: Parse<string> = (value) => value.trim()
const share: Parse<number> = (value) => {
  const number = /^(?:\d+\.?\d*|\.\d+)$/.test(value) ? Number(value) : Number.NaN
  return number > 0 && number <= 1 ? number : new Wrong("must be a share of time above 0 and up to 1, such as 0.01")
}
/** Lists are separated by commas in flags too. */
const paths: Parse<readonly DataPath[]> = (value) => {
  const list: DataPath[] = []
  for (const part of value.split(",")) {
    if (part.trim() === "") continue
    const path = dataPath(part)
    if (path instanceof Wrong) return path
    list.push(path)
  }
  return list
}
const packagePath: Parse<readonly string[]> = (value) => {
  const path = dataPath(value)
  if (path instanceof Wrong) return path
  return /^[a-z_]\w*$/i.test(path.segments[0] ?? "") ? path.segments : new Wrong("must begin with a name of Rego")
}
const names: Parse<readonly string[]> = (value) =>
  value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")

/** The flags and variables of the original come first; ours follow. */
export const opaDataSettings = {
  debug: setting(on, { flag: "-d, --debug", env: ["APP_DEBUG"], help: "the same as --log.level debug" }, "false"),
  timeout: setting(
    duration(0.001),
    {
      flag: "-t, --timeout <duration>",
      env: ["APP_TIMEOUT"],
      help: "deadline for the OPAs of a collection; at most 0.9 of --interval",
    },
    "30s",
  ),
  opaNamespace: setting(
    trimmed,
    { flag: "--opa-namespace <name>", env: ["APP_OPA_NAMESPACE"], help: "Kubernetes namespace of the OPA pods" },
    "opa",
  ),
  opaService: settings(
    names,
    {
      flag: "--opa-service <name>",
      env: ["APP_OPA_SERVICE"],
      help: "service whose pods are read; may be repeated. Replicas are compared within a service",
    },
    [],
  ),
  sslVerify: setting(
    on,
    {
      flag: "--ssl-verify",
      env: ["APP_SSL_VERIFY"],
      help: "kept for those who set it: certificates are always verified, by --opa-ca-file where they are private",
    },
    "true",
  ),
  interval: setting(
    duration(1),
    { flag: "--interval <duration>", env: ["APP_INTERVAL"], help: "time between two collections" },
    "30s",
  ),
  opaClusterData: settings(
    paths,
    {
      flag: "--opa-cluster-data <paths>",
      env: ["APP_OPA_CLUSTER_DATA"],
      help: "paths of data whose keys are counted, separated by commas, such as kubernetes/namespaces",
    },
    [],
  ),
  opaNamespacedData: settings(
    paths,
    {
      flag: "--opa-namespaced-data <paths>",
      env: ["APP_OPA_NAMESPACED_DATA"],
      help: "paths of data whose keys are namespaces, and whose items are the keys of those, such as kubernetes/ingresses",
    },
    [],
  ),
  clusterName: setting(text, {
    flag: "--cluster-name <name>",
    env: ["APP_CLUSTER_NAME"],
    help: "the label cluster_name of all metrics; needed",
  }),
  ...kubernetesSettings,
  context: { ...kubernetesSettings.context, env: ["APP_CONTEXT"] },
  single: setting(
    on,
    { flag: "--single", env: ["APP_SINGLE"], help: "print one collection and end; exit code 1 if an OPA was not read" },
    "false",
  ),
  opaSelector: setting(trimmed, {
    flag: "--opa-selector <selector>",
    env: ["APP_OPA_SELECTOR"],
    help: "label selector of services whose pods are read, beside those of --opa-service",
  }),
  opaPort: setting(trimmed, {
    flag: "--opa-port <port>",
    env: ["APP_OPA_PORT"],
    help: "name or number of the pods' port",
    defaultText: "the first one of the service",
  }),
  opaScheme: setting(
    oneOf(["https", "http"]),
    { flag: "--opa-scheme <scheme>", env: ["APP_OPA_SCHEME"], help: "how pods are asked: https or http" },
    "https",
  ),
  opaUrl: settings(
    httpUrl,
    {
      flag: "--opa-url <url>",
      env: ["APP_OPA_URL"],
      help: "an OPA outside of Kubernetes, which is then not asked; may be repeated",
    },
    [],
  ),
  opaTokenFile: setting(text, {
    flag: "--opa-token-file <file>",
    env: ["APP_OPA_TOKEN_FILE"],
    help: "file with the bearer token for OPA, read again when it changes",
  }),
  opaCaFile: setting(text, {
    flag: "--opa-ca-file <file>",
    env: ["APP_OPA_CA_FILE"],
    help: "certificates that vouch for OPA's, in place of the public ones; read again when it changes",
  }),
  opaServerName: setting(trimmed, {
    flag: "--opa-server-name <name>",
    env: ["APP_OPA_SERVER_NAME"],
    defaultText: "the address that is asked",
    help: "name that OPA's certificate must have, for pods are asked by IP address",
  }),
  opaCertFile: setting(text, {
    flag: "--opa-cert-file <file>",
    env: ["APP_OPA_CERT_FILE"],
    help: "client certificate for OPA, read again when it changes",
  }),
  opaKeyFile: setting(text, {
    flag: "--opa-key-file <file>",
    env: ["APP_OPA_KEY_FILE"],
    help: "its private key",
  }),
  collect: setting(
    oneOf(["interval", "scrape"]),
    {
      flag: "--collect <when>",
      env: ["APP_COLLECT"],
      help: `interval, or scrape: at every scrape, with a deadline of at most ${SCRAPE_TIMEOUT}s for an OPA`,
    },
    "interval",
  ),
  way: setting(
    oneOf(["auto", ...WAYS]),
    {
      flag: "--opa-way <way>",
      env: ["APP_OPA_WAY"],
      help: "how OPA is read: by an ad-hoc query, by the rules of an installed package, by whole documents, or auto: the first that it allows",
    },
    "auto",
  ),
  opaPackage: setting(
    packagePath,
    { flag: "--opa-package <path>", env: ["APP_OPA_PACKAGE"], help: "that package, as a path of data" },
    "fedstack/opa_data",
  ),
  printPackage: setting(
    on,
    {
      flag: "--print-package",
      env: ["APP_PRINT_PACKAGE"],
      help: "print that package for these paths, in Rego, and end",
    },
    "false",
  ),
  digest: setting(
    oneOf(["resourceVersion", "content", "off"]),
    {
      flag: "--digest <kind>",
      env: ["APP_DIGEST"],
      help: "what replicas are compared by beside counts: names and resourceVersion, content (dearer), or off",
    },
    "resourceVersion",
  ),
  digestInterval: setting(
    duration(0),
    {
      flag: "--digest-interval <duration>",
      env: ["APP_DIGEST_INTERVAL"],
      help: "time between two collections with digests, at least, while they are the same; 0: with every one",
    },
    "0",
  ),
  digestBudget: setting(
    share,
    {
      flag: "--digest-budget <share>",
      env: ["APP_DIGEST_BUDGET"],
      help: "greatest share of its time that an OPA spends on digests; one that they take longer makes them more rarely",
    },
    "0.01",
  ),
  documentLimit: setting(
    size,
    {
      flag: "--opa-document-limit <size>",
      env: ["APP_OPA_DOCUMENT_LIMIT"],
      help: "bytes that one document may have, uncompressed",
    },
    "1GiB",
  ),
}

export type OpaDataValues = Values<typeof opaDataSettings>
