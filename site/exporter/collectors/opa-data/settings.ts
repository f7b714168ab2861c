import { Faults } from "#core/config/faults.ts"
import {
  duration,
  httpUrl,
  inGroup,
  on,
  oneOf,
  type Parse,
  parseAll,
  partsOf,
  setting,
  settings,
  size,
  text,
  tracked,
  trimmed,
  type Values,
  variableOf,
  Wrong,
} from "#core/config/settings.ts"
import { UsageError } from "#core/errors.ts"
import { kubernetesSettings } from "#core/kubernetes/settings.ts"
import { type Counted, countedPaths, type DataPath, dataPath } from "./paths.ts"
import { READ_METHODS } from "./reading.ts"

/** Seconds: Prometheus gives a scrape 10, and the response has to be on its way by then. */
export const SCRAPE_TIMEOUT = 8

const share: Parse<number> = (value) => {
  const number = /^(?:\d+\.?\d*|\.\d+)$/.test(value) ? Number(value) : Number.NaN
  return number > 0 && number <= 1 ? number : new Wrong("must be a share of time above 0 and up to 1, such as 0.01")
}
/** Lists are separated by commas in flags too. */
const names: Parse<readonly string[]> = (value) => partsOf(value)
const pathList: Parse<readonly DataPath[]> = (value) => parseAll(partsOf(value), dataPath)
const packagePath: Parse<readonly string[]> = (value) => {
  const path = dataPath(value)
  if (path instanceof Wrong) return path
  return /^[a-z_]\w*$/i.test(path.segments[0] ?? "") ? path.segments : new Wrong("must begin with a name of Rego")
}

/** A flag and the original's name for its variable: APP_ and the flag's name. */
const app = (flag: string, help: string) => ({ flag, env: [variableOf("APP", flag)], help })

/** What users set first comes first. */
export const opaDataSettings = {
  ...inGroup("What is counted", {
    clusterName: setting(text, app("--cluster-name <name>", "Set the label cluster_name of all metrics; required")),
    opaClusterData: settings(
      pathList,
      app(
        "--opa-cluster-data <paths>",
        "Count the keys at these paths of data, such as kubernetes/namespaces,kubernetes/nodes",
      ),
      [],
    ),
    opaNamespacedData: settings(
      pathList,
      app(
        "--opa-namespaced-data <paths>",
        "Count the keys of each namespace at these paths of data, such as kubernetes/services,kubernetes/ingresses",
      ),
      [],
    ),
  }),
  ...inGroup("Which OPAs are read", {
    opaService: settings(
      names,
      app("--opa-service <name>", "Read the pods of this service, and compare them with one another; may be repeated"),
      [],
    ),
    opaSelector: setting(
      trimmed,
      app("--opa-selector <selector>", "Read the pods of services with these labels, beside those of --opa-service"),
    ),
    opaNamespace: setting(
      trimmed,
      app("--opa-namespace <name>", "Look for OPA's pods in this Kubernetes namespace"),
      "opa",
    ),
    opaPort: setting(trimmed, {
      ...app("--opa-port <port>", "Read pods at this port, by its name or number"),
      defaultText: "the first one of the service",
    }),
    opaScheme: tracked(
      setting(oneOf(["https", "http"]), app("--opa-scheme <scheme>", "Read pods over https or http"), "https"),
    ),
    opaUrl: settings(
      httpUrl,
      app("--opa-url <url>", "Read this OPA, and none in Kubernetes; may be repeated. An address without /v1"),
      [],
    ),
    ...kubernetesSettings,
    context: { ...kubernetesSettings.context, env: ["APP_CONTEXT"] },
  }),
  ...inGroup("Credentials and certificates", {
    opaTokenFile: setting(
      text,
      app("--opa-token-file <file>", "Send the bearer token in this file, which is read again when it changes"),
    ),
    opaCaFile: setting(
      text,
      app(
        "--opa-ca-file <file>",
        "Trust these certificates, in place of the public ones; read again when the file changes",
      ),
    ),
    opaServerName: setting(trimmed, {
      ...app("--opa-server-name <name>", "Expect this name in OPA's certificate: pods are read by their IP address"),
      defaultText: "the address of the request",
    }),
    opaCertFile: setting(
      text,
      app("--opa-cert-file <file>", "Present this client certificate to OPA; read again when the file changes"),
    ),
    opaKeyFile: setting(text, app("--opa-key-file <file>", "Read the private key of that certificate from this file")),
    sslVerify: setting(on, app("--ssl-verify", "Verify certificates; cannot be turned off: see --opa-ca-file"), "true"),
  }),
  ...inGroup("Collections", {
    interval: setting(duration(1), app("--interval <duration>", "Collect at this interval"), "30s"),
    timeout: setting(
      duration(0.001),
      app("-t, --timeout <duration>", "End the requests of a collection after this time; at most 0.9 of --interval"),
      "30s",
    ),
    collect: setting(
      oneOf(["interval", "scrape"]),
      app(
        "--collect <when>",
        `Collect at the interval, or at every scrape with a deadline of at most ${SCRAPE_TIMEOUT}s: interval or scrape`,
      ),
      "interval",
    ),
    single: setting(on, app("--single", "Print one collection and end; exit code 1 if an OPA was not read"), "false"),
    readMethod: setting(
      oneOf(["auto", ...READ_METHODS]),
      app(
        "--opa-read-method <method>",
        "Read OPA by query (ad-hoc), package (rules that it has loaded) or documents (whole); auto: the first that it allows",
      ),
      "auto",
    ),
    opaPackage: setting(
      packagePath,
      app("--opa-package <path>", "Read by the rules of this package, a path of data"),
      "fedstack/opa_data",
    ),
    printPackage: setting(
      on,
      app("--print-package", "Print the package of --opa-package that counts these paths, in Rego, and end"),
      "false",
    ),
    documentLimit: setting(
      size,
      app("--opa-document-limit <size>", "Refuse a document with more bytes than this, uncompressed"),
      "1GiB",
    ),
  }),
  ...inGroup("Comparing replicas", {
    digest: setting(
      oneOf(["resourceVersion", "content", "off"]),
      app(
        "--digest <kind>",
        "Compare replicas, beside their counts, by resourceVersion, and by content what has none; or all by content, which costs more; or off: by counts alone",
      ),
      "resourceVersion",
    ),
    digestInterval: setting(
      duration(0),
      app(
        "--digest-interval <duration>",
        "Take digests at most this often while they are the same; 0: in every collection",
      ),
      "0",
    ),
    digestBudget: setting(
      share,
      app(
        "--digest-budget <share>",
        "Let an OPA spend at most this share of its time on digests; one that needs longer makes them less often",
      ),
      "0.01",
    ),
  }),
  ...inGroup("Log", {
    debug: setting(on, { ...app("-d, --debug", "Log at the level debug"), shorthand: true }, "false"),
  }),
}

export type OpaDataValues = Values<typeof opaDataSettings>

/** What no single setting can know. Throws UsageError with every fault. */
export function checkOpaData(values: OpaDataValues) {
  const { clusterName = "" } = values
  const faults = new Faults()
  if (clusterName === "") faults.add("--cluster-name", "is required (or APP_CLUSTER_NAME)")
  const paths = pathsOf(values, faults)
  if (values.opaService.flat().length === 0 && values.opaSelector === undefined && values.opaUrl.length === 0)
    faults.add(
      "--opa-service",
      "is required (or APP_OPA_SERVICE), or --opa-selector, or --opa-url for an OPA outside of Kubernetes",
    )
  if (!values.sslVerify)
    faults.add("--ssl-verify", "cannot be turned off: give the certificate of OPA's authority as --opa-ca-file")
  if ((values.opaCertFile === undefined) !== (values.opaKeyFile === undefined))
    faults.add("--opa-cert-file", "must be given together with --opa-key-file")
  if (values.opaUrl.length > 0) {
    const ofPods = [
      ["--opa-selector", values.opaSelector !== undefined],
      ["--opa-port", values.opaPort !== undefined],
      ["--opa-scheme", !values.opaScheme.isDefault],
      ["--context", values.context !== undefined],
    ] as const
    for (const [flag, isGiven] of ofPods)
      if (isGiven)
        faults.add(flag, "is for pods, and --opa-url names OPAs outside of Kubernetes: leave out one of the two")
  }
  faults.orThrow(UsageError)
  return { clusterName, paths }
}

/** What is to be counted. */
export function pathsOf({ opaClusterData, opaNamespacedData }: OpaDataValues, faults: Faults): readonly Counted[] {
  const counted = countedPaths(opaClusterData.flat(), opaNamespacedData.flat())
  if (counted.length === 0)
    faults.add("--opa-cluster-data", "is required, or --opa-namespaced-data: the paths whose keys are counted")
  return counted
}
