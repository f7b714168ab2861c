import assert from "node:assert/strict"
import { test } from "node:test"
import { type FederationSettings, prometheusCredentials } from "./settings.ts"

const settings: FederationSettings = {
  sitesFile: "sites.yaml",
  prometheusUrl: new URL("http://127.0.0.1:1"),
  configDir: "out",
  prometheusShards: [],
  baseConfig: undefined,
  prometheusVersion: { major: 3, minor: 5 },
  prometheusTokenFile: undefined,
  prometheusUsername: undefined,
  prometheusPasswordFile: undefined,
  prometheusCaFile: undefined,
  prometheusServerName: undefined,
  prometheusCertFile: undefined,
  prometheusKeyFile: undefined,
}

for (const [given, message] of [
  [{ prometheusUsername: "u" }, "--prometheus.username: must be given together with --prometheus.password-file"],
  [{ prometheusPasswordFile: "p" }, "--prometheus.username: must be given together with --prometheus.password-file"],
  [{ prometheusUsername: "a:b", prometheusPasswordFile: "p" }, "--prometheus.username: must hold no colon"],
  [{ prometheusKeyFile: "k" }, "--prometheus.cert-file: must be given together with --prometheus.key-file"],
  [
    { prometheusUsername: "u", prometheusPasswordFile: "p", prometheusTokenFile: "t" },
    "--prometheus.token-file: cannot be given together with --prometheus.username",
  ],
] as const) {
  test(`refuses ${Object.keys(given).join(" and ")} for Prometheus`, () => {
    assert.throws(() => prometheusCredentials({ ...settings, ...given }), { name: "UsageError", message })
  })
}
