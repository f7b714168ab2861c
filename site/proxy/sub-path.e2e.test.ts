import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { start } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { freePort } from "../../dev/testing/free-port.ts"
import { findHaproxy } from "../../dev/testing/haproxy.ts"
import { until } from "../../dev/testing/until.ts"
import { BEARER, QUERY, startTestProxy, startUpstream } from "./testing.ts"

const ROOT = join(import.meta.dirname, "../..")

test("behind the documented backend of a reverse proxy a path below /site-b reaches the proxy, and no other does", async (t) => {
  const haproxy = need(t, findHaproxy())
  if (haproxy === undefined) return
  const proxy = await startTestProxy(t, (await startUpstream(t)).url)
  const page = await readFile(join(ROOT, "docs/proxy.md"), "utf8")
  const [, backend = ""] = /```haproxy\n(backend site-b\n.*?)```/s.exec(page) ?? []
  assert.match(backend, /replace-path/)
  const port = await freePort()
  const config = await temporaryFolder(t).write(
    "haproxy.cfg",
    `defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
frontend all
  bind 127.0.0.1:${port}
  default_backend site-b
${backend.replace(/\S+:8000/, `127.0.0.1:${proxy.port}`)}`,
  )
  const child = start(haproxy, ["-db", "-f", config])
  t.after(() => child.stop())
  const statusOf = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`, { headers: BEARER })).status
  await until("HAProxy", () => statusOf(`/site-b/federate?${QUERY}`).catch(() => undefined))
  const paths = [`/site-b/federate?${QUERY}`, "/site-b/metrics", `/site-bfederate?${QUERY}`, `/other/federate?${QUERY}`]
  assert.deepEqual(await Promise.all(paths.map(statusOf)), [200, 404, 404, 404])
})
