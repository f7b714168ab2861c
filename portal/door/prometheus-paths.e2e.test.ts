import assert from "node:assert/strict"
import { test } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { findPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"
import { sendRaw } from "../../dev/testing/send-raw.ts"
import { openDoor } from "./testing.ts"

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]

const READ = ["GET", "HEAD"]
const QUERY = ["GET", "HEAD", "POST"]

/** Every path of both versions, with the methods that pass; those that a version does not have are passed all the same. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  "/": READ,
  "/-/healthy": READ,
  "/-/quit": [],
  "/-/ready": READ,
  "/-/reload": [],
  "/agent": READ,
  "/alertmanager-discovery": READ,
  "/alerts": READ,
  "/api/v1/admin/tsdb/clean_tombstones": [],
  "/api/v1/admin/tsdb/delete_series?match[]=up": [],
  "/api/v1/admin/tsdb/snapshot": [],
  "/api/v1/alertmanagers": READ,
  "/api/v1/alerts": READ,
  "/api/v1/format_query?query=up": QUERY,
  "/api/v1/label/__name__/values": READ,
  "/api/v1/labels": QUERY,
  "/api/v1/metadata": READ,
  "/api/v1/notifications": READ,
  "/api/v1/notifications/live": READ,
  "/api/v1/otlp/v1/metrics": [],
  "/api/v1/parse_query?query=up": QUERY,
  "/api/v1/query?query=up": QUERY,
  "/api/v1/query_exemplars?query=up&start=0&end=1": QUERY,
  "/api/v1/query_range?query=up&start=0&end=1&step=1": QUERY,
  "/api/v1/read": [],
  "/api/v1/rules": READ,
  "/api/v1/scrape_pools": READ,
  "/api/v1/series?match[]=up": QUERY,
  "/api/v1/status/buildinfo": READ,
  "/api/v1/status/config": [],
  "/api/v1/status/flags": READ,
  "/api/v1/status/runtimeinfo": READ,
  "/api/v1/status/self_metrics": READ,
  "/api/v1/status/tsdb": READ,
  "/api/v1/status/walreplay": READ,
  "/api/v1/targets": READ,
  "/api/v1/targets/metadata": READ,
  "/api/v1/write": [],
  "/classic/graph": READ,
  "/config": READ,
  "/consoles/": [],
  "/consoles/index.html.example": [],
  "/debug/pprof/": [],
  "/debug/pprof/cmdline": [],
  "/debug/pprof/heap": [],
  "/federate?match[]=up": [],
  "/flags": READ,
  "/graph": READ,
  "/metrics": [],
  "/query": READ,
  "/rules": READ,
  "/service-discovery": READ,
  "/starting": READ,
  "/status": READ,
  "/targets": READ,
  "/tsdb-status": READ,
  "/user/": [],
  "/user/a.html": [],
  "/version": [],
}

/** Of /-/quit, /api/v1/admin/tsdb/snapshot and /metrics, as other servers, proxies and people write them. */
const SPELLINGS = [
  "/-/%71uit",
  "/-/%2571uit",
  "/-%2Fquit",
  "/%2D/quit",
  "/-/quit/",
  "/-/quit;a=b",
  "/-/quit?a?b",
  "/-/QUIT",
  "//-/quit",
  "/./-/quit",
  "/-/./quit",
  "/graph/../-/quit",
  "/assets/../-/quit",
  "/assets/%2e%2e/-/quit",
  "/assets/..%2f-/quit",
  "/assets/..%5c-/quit",
  "/assets/..\\-/quit",
  "/assets/%252e%252e/-/quit",
  "/api/v1/%61dmin/tsdb/snapshot",
  "/api/v1//admin/tsdb/snapshot",
  "/api/v1/admin%2ftsdb/snapshot",
  "/api/v1/query/../admin/tsdb/snapshot",
  "/api/v1/label/x/../../admin/tsdb/snapshot",
  "/api/v1/label/..%2fadmin/values",
  "/api/v1/label/a%2fb/values",
  "/api/V1/admin/tsdb/snapshot",
  "/%6detrics",
  "/metrics/",
  "/metrics%20",
  "/metrics%00",
  "/metrics#",
  "/graph/metrics",
]

for (const version of ["2.53", "3.5"] as const) {
  test(`of every path and method of Prometheus ${version}, those of the list pass`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const config = await temporaryFolder(t).write("prometheus.yml", "{}")
    const prometheus = await startPrometheus(folder, config, [
      "--web.external-url=http://portal.example.org/prometheus/",
      "--web.enable-admin-api",
      "--web.enable-remote-write-receiver",
    ])
    t.after(() => prometheus.stop())
    const door = await openDoor(t, new URL(prometheus.url).origin, {
      externalUrl: "http://portal.example.org/prometheus/",
    })
    const passes = async (method: string, path: string): Promise<boolean | string> => {
      const response = await sendRaw(
        door.port,
        `${method} /prometheus${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      )
      const [, status = ""] = /^HTTP\/1.1 (\d+)/.exec(response) ?? []
      if (/the portal does not pass this through|nothing here|^Only GET/im.test(response)) return false
      return ["400", "404", "405"].includes(status) && !response.includes("Prometheus refuses") ? status : true
    }
    const found = Object.fromEntries(
      await Promise.all(
        Object.keys(PATHS).map(async (path) => {
          const methods: string[] = []
          for (const method of METHODS) {
            const passed = await passes(method, path)
            // of a response to HEAD there is no text to see whose it is
            if (method === "HEAD" ? passed === true || PATHS[path]?.includes("HEAD") : passed !== false)
              methods.push(method)
          }
          return [path, methods] as const
        }),
      ),
    )
    assert.deepEqual(found, PATHS)
    for (const path of SPELLINGS) {
      for (const method of ["GET", "POST", "PUT"]) {
        const passed = await passes(method, path)
        assert.ok(passed === false || passed === "400", `${method} ${path}: ${passed}`)
      }
    }
    assert.equal((await fetch(`${prometheus.url}/-/ready`)).status, 200)
  })
}
