import { Faults } from "#core/config/faults.ts"
import {
  httpUrl,
  inGroup,
  type Parse,
  setting,
  settings as several,
  text,
  type Values,
  Wrong,
} from "#core/config/settings.ts"
import { UsageError } from "#core/errors.ts"
import { DEFAULT_FOLDER, DEFAULT_URL, shard } from "./shards.ts"
import { parseVersion, type PrometheusVersion } from "./version.ts"

const version: Parse<PrometheusVersion> = (value) => parseVersion(value) ?? new Wrong("must be a version such as 2.53")

export const federationSettings = {
  ...inGroup("Sites", {
    sitesFile: setting(
      text,
      { flag: "--sites.file <file>", help: "Read the sites and how to reach them from this file" },
      "portal/sites.yaml",
    ),
  }),
  ...inGroup("Prometheus", {
    prometheusUrl: setting(
      httpUrl,
      { flag: "--prometheus.url <url>", help: "Reload this Prometheus, which runs with --web.enable-lifecycle" },
      DEFAULT_URL,
    ),
    configDir: setting(
      text,
      {
        flag: "--prometheus.config-dir <folder>",
        help: "Write prometheus.yml, tokens and rules for Prometheus to this folder, which holds nothing else",
      },
      DEFAULT_FOLDER,
    ),
    prometheusShards: several(
      shard,
      {
        flag: "--prometheus.shard <name=url,folder>",
        help: "Spread the sites over several Prometheus, each with its folder, in place of --prometheus.url and --prometheus.config-dir; may be repeated",
        separator: "\n",
      },
      [],
    ),
    baseConfig: setting(text, {
      flag: "--prometheus.base-config <file>",
      help: "Add the sites to this Prometheus configuration: global, rule_files, own jobs, remote_write",
    }),
    prometheusTokenFile: setting(text, {
      flag: "--prometheus.token-file <file>",
      help: "Send Prometheus the bearer token in this file, which is read again when it changes",
    }),
    prometheusUsername: setting(text, {
      flag: "--prometheus.username <name>",
      help: "Sign in to Prometheus as this user, of its web configuration, with --prometheus.password-file",
    }),
    prometheusPasswordFile: setting(text, {
      flag: "--prometheus.password-file <file>",
      help: "Read that user's password from this file; read again when it changes",
    }),
    prometheusCaFile: setting(text, {
      flag: "--prometheus.ca-file <file>",
      help: "Trust these certificates for --prometheus.url, in place of the public ones",
    }),
    prometheusServerName: setting(text, {
      flag: "--prometheus.server-name <name>",
      help: "Expect this name in Prometheus' certificate, in place of the host of --prometheus.url",
    }),
    prometheusCertFile: setting(text, {
      flag: "--prometheus.cert-file <file>",
      help: "Present this client certificate to Prometheus, with --prometheus.key-file",
    }),
    prometheusKeyFile: setting(text, {
      flag: "--prometheus.key-file <file>",
      help: "Read the private key of that certificate from this file",
    }),
    prometheusVersion: setting(version, {
      flag: "--prometheus.version <x.y>",
      help: "Write what this version of Prometheus understands, in place of the running one",
    }),
  }),
}

export type FederationSettings = Values<typeof federationSettings>

/** With what Prometheus is reloaded, as core/http/client-credentials.ts takes it. Throws UsageError. */
export function prometheusCredentials(settings: FederationSettings) {
  const { prometheusTokenFile: token, prometheusUsername: username, prometheusPasswordFile: passwordFile } = settings
  const { prometheusCaFile: ca, prometheusCertFile: cert, prometheusKeyFile: key } = settings
  const faults = new Faults()
  if ((username === undefined) !== (passwordFile === undefined))
    faults.add("--prometheus.username", "must be given together with --prometheus.password-file")
  if (username?.includes(":") === true) faults.add("--prometheus.username", "must hold no colon")
  if (token !== undefined && username !== undefined)
    faults.add("--prometheus.token-file", "cannot be given together with --prometheus.username")
  if ((cert === undefined) !== (key === undefined))
    faults.add("--prometheus.cert-file", "must be given together with --prometheus.key-file")
  faults.orThrow(UsageError)
  const basicAuth = username === undefined || passwordFile === undefined ? undefined : { username, passwordFile }
  return { token, basicAuth, ca, cert, key, serverName: settings.prometheusServerName }
}
