import { httpUrl, inGroup, type Parse, setting, text, type Values, Wrong } from "#core/config/settings.ts"
import type { PrometheusVersion } from "./prometheus-config.ts"

const version: Parse<PrometheusVersion> = (value) => {
  const [, major, minor] = /^v?(\d{1,3})\.(\d{1,3})(?:\.\d+)?$/.exec(value) ?? []
  return major === undefined || minor === undefined
    ? new Wrong("must be a version such as 2.53")
    : { major: Number(major), minor: Number(minor) }
}

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
      "http://prometheus:9090",
    ),
    configDir: setting(
      text,
      {
        flag: "--prometheus.config-dir <folder>",
        help: "Write prometheus.yml, tokens and rules for Prometheus to this folder, which holds nothing else",
      },
      "portal/prometheus/generated",
    ),
    baseConfig: setting(text, {
      flag: "--prometheus.base-config <file>",
      help: "Add the sites to this Prometheus configuration: global, rule_files, own jobs, remote_write",
    }),
    prometheusVersion: setting(
      version,
      { flag: "--prometheus.version <x.y>", help: "Write what this version of Prometheus understands, and later ones" },
      "3.5",
    ),
  }),
}

export type FederationSettings = Values<typeof federationSettings>
