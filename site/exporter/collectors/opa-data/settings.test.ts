import assert from "node:assert/strict"
import { test } from "node:test"
import { UsageError } from "#core/errors.ts"
import { createLogger } from "#core/log/logger.ts"
import { command } from "./main.ts"
import { checkOpaData } from "./settings.ts"
import { valuesOf } from "./testing.ts"

const NEEDED = { APP_CLUSTER_NAME: "c", APP_OPA_SERVICE: "opa-service", APP_OPA_CLUSTER_DATA: "kubernetes/namespaces" }

function faultsOf(argv: readonly string[], env: Readonly<Record<string, string>> = NEEDED): string {
  try {
    checkOpaData(valuesOf(argv, env))
    return ""
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return error.message
  }
}

test("the environment of the original's deployment is enough, and means the same", () => {
  const values = valuesOf([], {
    TZ: "Europe/Amsterdam",
    APP_OPA_NAMESPACE: "opa",
    APP_OPA_SERVICE: "opa-service",
    APP_INTERVAL: "30",
    APP_PROMETHEUS_PORT: "9998",
    APP_OPA_CLUSTER_DATA: "kubernetes/namespaces",
    APP_OPA_NAMESPACED_DATA: "kubernetes/services,kubernetes/ingresses",
    APP_CLUSTER_NAME: "cluster-name",
  })
  assert.equal(checkOpaData(values).clusterName, "cluster-name")
  assert.equal(values.port, 9998)
  assert.deepEqual(
    [values.opaNamespace, values.opaService.flat(), values.interval, values.timeout],
    ["opa", ["opa-service"], 30, 30],
  )
  assert.deepEqual(
    [values.opaClusterData.flat(), values.opaNamespacedData.flat()].map((paths) => paths.map(({ name }) => name)),
    [["kubernetes/namespaces"], ["kubernetes/services", "kubernetes/ingresses"]],
  )
})

test("all flags of the original are accepted", () => {
  const argv =
    "-d -t 5 --prometheus-port 1234 --opa-namespace n --opa-service s --ssl-verify --interval 7 --opa-cluster-data a,b --opa-namespaced-data c --cluster-name x --context y --single"
  const values = valuesOf(argv.split(" "))
  assert.deepEqual(
    [values.debug, values.timeout, values.port, values.opaNamespace, values.sslVerify, values.interval],
    [true, 5, 1234, "n", true, 7],
  )
  assert.deepEqual([values.clusterName, values.context, values.single], ["x", "y", true])
  assert.equal(faultsOf(argv.split(" "), {}), "")
})

test("lists may be repeated flags as well as separated by commas", () => {
  const values = valuesOf([
    "--opa-service",
    "a, b",
    "--opa-service",
    "c",
    "--opa-cluster-data",
    "x,,y",
    "--opa-cluster-data",
    "z",
  ])
  assert.deepEqual(values.opaService.flat(), ["a", "b", "c"])
  assert.deepEqual(
    values.opaClusterData.flat().map(({ name }) => name),
    ["x", "y", "z"],
  )
})

test("without any flag everything that is required is named", () => {
  assert.equal(
    faultsOf([], {}),
    `--cluster-name: is required (or APP_CLUSTER_NAME)
--opa-cluster-data: is required, or --opa-namespaced-data: the paths whose keys are counted
--opa-service: is required (or APP_OPA_SERVICE), or --opa-selector, or --opa-url for an OPA outside of Kubernetes`,
  )
})

for (const flags of [
  ["--opa-namespaced-data", "a"],
  ["--opa-cluster-data", "a"],
]) {
  test(`${flags[0]} alone is enough`, () => {
    assert.equal(faultsOf([...flags, "--opa-url", "http://[::1]:8181", "--cluster-name", "c"], {}), "")
  })
}

const wrong: readonly (readonly [argv: readonly string[], env: Readonly<Record<string, string>>, message: RegExp])[] = [
  [[], { APP_SSL_VERIFY: "false" }, /^--ssl-verify: cannot be turned off: give the certificate of/],
  [["--opa-cert-file", "x"], {}, /^--opa-cert-file: must be given together with --opa-key-file$/],
  [["--opa-cluster-data", "a//b"], {}, /^--opa-cluster-data: must not have two slashes side by side \(is "a\/\/b"\)$/],
  [
    ["--opa-url", "http://user:s3cret@host"],
    {},
    /^--opa-url: must not hold a user name or password \(is "http:\/\/<secret>@host"\)$/,
  ],
  [["--digest-budget", "0"], {}, /^--digest-budget: must be a share of time above 0 and up to 1/],
  [["--digest", "sha"], {}, /^--digest: must be one of resourceVersion, content, off/],
  [["--interval", "0"], {}, /^--interval: must be at least 1s/],
]
for (const [argv, env, message] of wrong) {
  test(`${argv.join(" ")} ${JSON.stringify(env)} is refused`, () => {
    assert.match(faultsOf(argv, { ...NEEDED, ...env }), message)
  })
}

test("what is for pods only is refused beside --opa-url", () => {
  const flags = ["--opa-selector", "app=opa", "--opa-port", "8181", "--opa-scheme", "https", "--context", "x"]
  const message = "is for pods, and --opa-url names OPAs outside of Kubernetes: leave out one of the two"
  assert.equal(
    faultsOf([...flags, "--opa-url", "http://h:1"], NEEDED),
    `--opa-selector: ${message}
--opa-port: ${message}
--opa-scheme: ${message}
--context: ${message}`,
  )
  assert.equal(faultsOf(["--opa-service", "labels", "--opa-namespace", "n", "--opa-url", "http://h:1"], NEEDED), "")
})

test("a package for no paths is refused", async () => {
  const context = {
    log: createLogger({ level: "error", format: "logfmt" }, "test", () => undefined),
    signal: new AbortController().signal,
    env: {},
    now: () => new Date(),
  }
  const printed: string[] = []
  const print = (text: string): void => void printed.push(text)
  await assert.rejects(async () => command.run(valuesOf(["--print-package"]), { ...context, print }, ""), {
    message: "--opa-cluster-data: is required, or --opa-namespaced-data: the paths whose keys are counted",
  })
  await command.run(valuesOf(["--print-package", "--opa-namespaced-data", "a"]), { ...context, print }, "")
  assert.match(printed.join(""), /^package fedstack\.opa_data$/m)
})
