import assert from "node:assert/strict"
import type { IncomingMessage, ServerResponse } from "node:http"
import { test, type TestContext } from "node:test"
import { startProxyProcess } from "../../../dev/fuzz/proxy-process.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { BEARER, METRICS, QUERY, SHARED, startUpstream, TOKEN } from "../testing.ts"
import { type SendRequest, connectTo } from "../../../dev/testing/send-request.ts"

const ASKED = QUERY.replaceAll("'", "%27")

/** As VictoriaMetrics in a cluster: one path per tenant, below which Prometheus' own stand; nothing else is served. */
function victoria(request: IncomingMessage, response: ServerResponse): void {
  const known = request.url?.startsWith("/select/7:0/prometheus/federate?match%5B%5D=") ?? false
  if (!known) return void response.writeHead(400, { "content-type": "text/plain" }).end("unsupported path requested\n")
  response.writeHead(200, { "content-type": METRICS, "x-server-hostname": "vmselect-0" })
  response.end('project_vcpu_usage{job="project_usages"} 1 1700000000000\n')
}

async function startWith(t: TestContext, policy: string): Promise<SendRequest> {
  const client = `tokens: [{name: portal, env: TOKEN_OF_THE_PORTAL, match: ['${SHARED}']}]\n`
  const file = await temporaryFolder(t).write("policy.yaml", policy + client)
  const proxy = await startProxyProcess(["--policy", file], { TOKEN_OF_THE_PORTAL: TOKEN })
  t.after(() => proxy.stop())
  return connectTo(t, `http://127.0.0.1:${proxy.port}`, BEARER)
}

test("requests the path of a VictoriaMetrics, and serves /federate alone", async (t) => {
  const upstream = await startUpstream(t, victoria)
  const send = await startWith(t, `upstreams: ["${upstream.url}"]\npath: /select/7:0/prometheus/federate\n`)
  const response = await send(`/federate?${QUERY}`)
  assert.deepEqual(
    [response.status, response.body.toString()],
    [200, 'project_vcpu_usage{job="project_usages"} 1 1700000000000\n'],
  )
  assert.equal(response.headers["x-server-hostname"], undefined)
  assert.equal((await send(`/select/7:0/prometheus/federate?${QUERY}`)).status, 404)
  assert.deepEqual(
    upstream.received.map(({ method, url }) => [method, url]),
    [["GET", `/select/7:0/prometheus/federate?${ASKED}`]],
  )
})

test("puts the path below the prefix of an upstream, and tries the next where one is down", async (t) => {
  const upstream = await startUpstream(t)
  const send = await startWith(t, `upstreams: ["http://127.0.0.1:1/a", "${upstream.url}/b/"]\npath: /federate\n`)
  const response = await send(`/federate?${QUERY}`)
  assert.deepEqual([response.status, response.body.toString()], [200, "project_vcpu_usage 1 1\n"])
  assert.deepEqual(
    upstream.received.map(({ url }) => url),
    [`/b/federate?${ASKED}`],
  )
})
