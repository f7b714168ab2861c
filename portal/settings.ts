import { webSettings } from "#core/http/server.ts"
import { httpUrl, type Parse, setting, text, Wrong } from "#core/config/settings.ts"
import type { PrometheusVersion } from "./federation/prometheus-config.ts"

const version: Parse<PrometheusVersion> = (value) => {
  const [, major, minor] = /^v?(\d{1,3})\.(\d{1,3})(?:\.\d+)?$/.exec(value) ?? []
  return major === undefined || minor === undefined
    ? new Wrong("must be a version such as 2.53")
    : { major: Number(major), minor: Number(minor) }
}

export const portalSettings = {
  sitesFile: setting(
    text,
    { flag: "--sites.file <file>", help: "the sites and how to reach them" },
    "portal/sites.yaml",
  ),
  baseConfig: setting(text, {
    flag: "--prometheus.base-config <file>",
    help: "Prometheus configuration that the sites are added to: global, rule_files, own jobs, remote_write",
  }),
  configDir: setting(
    text,
    {
      flag: "--prometheus.config-dir <folder>",
      help: "where prometheus.yml, tokens and rules are written for Prometheus; a folder of its own",
    },
    "portal/prometheus/generated",
  ),
  prometheusUrl: setting(
    httpUrl,
    { flag: "--prometheus.url <url>", help: "Prometheus that is told to reload; runs with --web.enable-lifecycle" },
    "http://prometheus:9090",
  ),
  prometheusVersion: setting(
    version,
    { flag: "--prometheus.version <x.y>", help: "oldest Prometheus that must understand the configuration" },
    "3.5",
  ),
  ...webSettings(":8090"),
}
