import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { parseAllDocuments } from "yaml"
import { temporaryFolder } from "./folder.ts"
import { listen } from "./listen.ts"

interface Document {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

/** Two of everything that alerts and dashboards are about, in order and out of order. */
const FILE = join(import.meta.dirname, "../fixtures/gateway-api.yaml")

/** What the account may not list. */
const FORBIDDEN = "xmeshes"

/**
 * An API by hand with objects of every kind: CRDs of a dozen groups and versions cannot be had for a dashboard's test alone.
 * Watches are open and silent. The path of its kubeconfig.
 */
export async function serveGatewayObjects(t: TestContext): Promise<string> {
  const documents = parseAllDocuments(await readFile(FILE, "utf8")).map((each) => each.toJS() as Document)
  const groups = Map.groupBy(documents, ({ apiVersion }) => apiVersion.split("/")[0] ?? "")
  const resources = (group: string, version: string) =>
    Map.groupBy(
      (groups.get(group) ?? []).filter(({ apiVersion }) => apiVersion === `${group}/${version}`),
      ({ kind }) => pluralOf(kind),
    )
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://api")
    const [, , group = "", version, plural] = pathname.split("/")
    const send = (status: number, body: object): void =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
    const versions = [...new Set((groups.get(group) ?? []).map(({ apiVersion }) => apiVersion.split("/")[1]))]
    if (versions.length === 0) return send(404, { kind: "Status", message: "not found" })
    if (version === undefined) return send(200, { versions: versions.map((each) => ({ version: each })) })
    const served = resources(group, version)
    if (plural === undefined)
      return send(200, {
        resources: [...served].map(([name, [first]]) => ({
          name,
          kind: first?.kind,
          namespaced: first?.metadata.namespace !== undefined,
        })),
      })
    if (plural === FORBIDDEN) return send(403, { kind: "Status", message: "forbidden", reason: "Forbidden" })
    if (searchParams.has("watch")) return response.flushHeaders()
    const items = (served.get(plural) ?? []).map((each) => ({
      ...each,
      metadata: { creationTimestamp: "2026-01-01T00:00:00Z", resourceVersion: "1", ...each.metadata },
    }))
    return send(200, { metadata: { resourceVersion: "1" }, items })
  })
  const cluster = { server: `http://127.0.0.1:${await listen(t, server)}`, "insecure-skip-tls-verify": true }
  const config = {
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [{ name: "test", cluster }],
    users: [{ name: "test", user: { token: "token" } }],
  }
  return temporaryFolder(t).write("kubeconfig", JSON.stringify(config))
}

function pluralOf(kind: string): string {
  const name = kind.toLowerCase()
  return /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}${/(?:s|h)$/.test(name) ? "es" : "s"}`
}
