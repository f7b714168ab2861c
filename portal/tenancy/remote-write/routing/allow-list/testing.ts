import type { RequestListener, ServerResponse } from "node:http"

interface Rule {
  readonly tenants: unknown
  readonly version: number
}

/** OpenMetricsRule resources of an API that checks nothing, as that of the original's CRD; watches follow changes. */
export class FakeRules {
  /** By namespace/name. */
  readonly #rules = new Map<string, Rule>()
  /** All that ever happened: a watch begins after the version that it names. */
  readonly #history: { readonly key: string; readonly version: number; readonly line: string }[] = []
  readonly #watches = new Set<{ readonly namespace: string | undefined; readonly response: ServerResponse }>()
  /** A status that all requests get in place of a response. */
  failing: number | undefined
  /** Lists are not responded to. */
  silent = false
  #version = 1

  readonly listener: RequestListener = (request, response) => {
    if (this.silent) return
    if (this.failing !== undefined) {
      response.writeHead(this.failing).end(JSON.stringify({ kind: "Status", message: "not now" }))
      return
    }
    const url = new URL(request.url ?? "", "http://api")
    const [, namespace] = /\/namespaces\/([^/]+)\/openmetricsrules$/.exec(url.pathname) ?? []
    if (url.searchParams.has("watch")) {
      const watch = { namespace, response }
      this.#watches.add(watch)
      response.on("close", () => this.#watches.delete(watch))
      response.flushHeaders()
      const since = Number(url.searchParams.get("resourceVersion"))
      const missed = this.#history.filter(({ key, version }) => version > since && isIn(key, namespace))
      response.write(missed.map(({ line }) => line).join(""))
      return
    }
    const items = [...this.#rules].filter(([key]) => isIn(key, namespace)).map(([key, rule]) => objectOf(key, rule))
    response.end(JSON.stringify({ metadata: { resourceVersion: String(this.#version) }, items }))
  }

  put(key: string, tenants: unknown): void {
    const type = this.#rules.has(key) ? "MODIFIED" : "ADDED"
    const rule = { tenants, version: ++this.#version }
    this.#rules.set(key, rule)
    this.#send(key, type, rule)
  }

  delete(key: string): void {
    this.#rules.delete(key)
    this.#send(key, "DELETED", { tenants: [], version: ++this.#version })
  }

  /** Ends all watches. */
  tear(): void {
    for (const { response } of this.#watches) response.destroy()
  }

  #send(key: string, type: string, rule: Rule): void {
    const line = `${JSON.stringify({ type, object: objectOf(key, rule) })}\n`
    this.#history.push({ key, version: rule.version, line })
    for (const { namespace, response } of this.#watches) if (isIn(key, namespace)) response.write(line)
  }
}

const isIn = (key: string, namespace: string | undefined): boolean =>
  namespace === undefined || key.startsWith(`${namespace}/`)

function objectOf(key: string, { tenants, version }: Rule): object {
  const [namespace, name] = key.split("/")
  return { metadata: { namespace, name, resourceVersion: String(version) }, spec: { tenants } }
}

/** The least that the proxy needs in a namespace, for an account `namespace/name`. */
export function rightsIn(namespace: string, account: string): readonly object[] {
  const [ofAccount = "", name = ""] = account.split("/")
  const metadata = { namespace, name: "openmetricsrules" }
  const api = "rbac.authorization.k8s.io"
  const rules = [{ apiGroups: ["open-metrics.vgs.io"], resources: ["openmetricsrules"], verbs: ["list", "watch"] }]
  const roleRef = { apiGroup: api, kind: "Role", name: metadata.name }
  const subjects = [{ kind: "ServiceAccount", namespace: ofAccount, name }]
  return [
    { apiVersion: `${api}/v1`, kind: "Role", metadata, rules },
    { apiVersion: `${api}/v1`, kind: "RoleBinding", metadata, roleRef, subjects },
  ]
}
