import type { Sending } from "#core/http/client-credentials.ts"
import { FORM, type Passed } from "./passed.ts"
import { decideGrafana } from "./grafana-paths.ts"
import { decidePrometheus } from "./prometheus-paths.ts"

const PROMETHEUS = "/prometheus"
const GRAFANA = "/grafana"

interface Server {
  readonly url: URL
  /** As users reach it. */
  readonly externalUrl: URL | undefined
  readonly sending: () => Sending
}

/** Undefined where the server has another path: what it sends would lead elsewhere. */
export function passedPrometheus({ url, externalUrl, sending }: Server): Passed | undefined {
  if (!hasPath(url, PROMETHEUS)) return undefined
  return {
    name: "Prometheus",
    prefix: PROMETHEUS,
    url,
    also: externalUrl === undefined ? [] : [externalUrl],
    sending,
    decide: decidePrometheus,
    pages: { inline: "head" },
    bodies: { type: FORM, limit: 1_048_576 },
  }
}

/** The same of Grafana. */
export function passedGrafana({ url, externalUrl, sending }: Server): Passed | undefined {
  if (!hasPath(url, GRAFANA)) return undefined
  return {
    name: "Grafana",
    prefix: GRAFANA,
    url,
    also: externalUrl === undefined ? [] : [externalUrl],
    sending,
    decide: decideGrafana,
    // what it starts with stands in the body, made of its users' settings and of nothing that a site sends
    pages: { inline: "all", script: "'unsafe-eval'", image: "blob:", worker: "blob:" },
    bodies: { type: "*", limit: 8 * 1_048_576 },
    headers: [
      "x-dashboard-uid",
      "x-datasource-uid",
      "x-grafana-device-id",
      "x-grafana-org-id",
      "x-panel-id",
      "x-plugin-id",
    ],
    userHeader: "x-webauth-user",
  }
}

const hasPath = ({ pathname }: URL, path: string): boolean => pathname === path || pathname === `${path}/`
