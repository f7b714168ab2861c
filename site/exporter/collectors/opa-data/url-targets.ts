import type { Target, Targets } from "./target.ts"

/** OPAs that are named by their URLs. `service` and `namespace` are their labels. */
export function urlTargets(urls: readonly URL[], namespace: string, service: string): Targets {
  const targets = new Map(
    urls.map((url): [string, Target] => {
      const scheme = url.protocol === "http:" ? "http" : "https"
      const port = url.port === "" ? (scheme === "http" ? 80 : 443) : Number(url.port)
      const path = url.pathname.replace(/\/+$/, "")
      const pod = `${url.hostname}:${port}${path}`
      const address = url.hostname.replaceAll(/[[\]]/g, "")
      return [pod, { pod, node: "", namespace, service, address, port, scheme, path, ready: true }]
    }),
  )
  const list = [...targets.values()]
  return {
    current: () => list,
    problem: () => undefined,
    first: Promise.resolve(),
    close: () => Promise.resolve(),
  }
}
