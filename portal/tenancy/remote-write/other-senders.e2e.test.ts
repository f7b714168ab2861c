import assert from "node:assert/strict"
import { test } from "node:test"
import { bodyOf } from "../../../dev/testing/remote-write/write.ts"
import { sendRaw } from "../../../dev/testing/send-raw.ts"
import { startChain } from "./chain.testing.ts"
import { STRIP } from "./scene.testing.ts"
import { everythingOf, tenantsOf } from "./read-back.testing.ts"

type Header = readonly [string, string]

/** How programs that are not Prometheus write: order and spelling of their header fields, as they come from their HTTP libraries. */
const SENDERS: Readonly<
  Record<
    string,
    { readonly path: string; readonly version: 1 | 2; readonly chunked?: true; readonly headers: readonly Header[] }
  >
> = {
  "Grafana Alloy": {
    path: "/api/v1/write",
    version: 1,
    headers: [
      ["User-Agent", "Alloy/v1.11.3 (linux; docker)"],
      ["Content-Encoding", "snappy"],
      ["Content-Type", "application/x-protobuf"],
      ["X-Prometheus-Remote-Write-Version", "0.1.0"],
    ],
  },
  "Grafana Alloy with remote write 2": {
    path: "/api/v1/push",
    version: 2,
    headers: [
      ["User-Agent", "Alloy/v1.11.3 (linux; docker)"],
      ["Content-Encoding", "snappy"],
      ["Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"],
      ["X-Prometheus-Remote-Write-Version", "2.0.0"],
    ],
  },
  "Grafana Agent, on its second attempt": {
    path: "/api/prom/push",
    version: 1,
    headers: [
      ["User-Agent", "GrafanaAgent/v0.44.2 (flow; linux; docker)"],
      ["Content-Encoding", "snappy"],
      ["Content-Type", "application/x-protobuf"],
      ["Retry-Attempt", "1"],
      ["X-Prometheus-Remote-Write-Version", "0.1.0"],
    ],
  },
  "Vector, whose tenant_id is another tenant's": {
    path: "/",
    version: 1,
    headers: [
      ["x-prometheus-remote-write-version", "0.1.0"],
      ["content-type", "application/x-protobuf"],
      ["content-encoding", "snappy"],
      ["x-scope-orgid", "blue"],
      ["accept-encoding", "identity"],
      ["user-agent", "Vector/0.51.0 (x86_64-unknown-linux-gnu)"],
    ],
  },
  "the OpenTelemetry collector": {
    path: "/api/v1/write",
    version: 1,
    headers: [
      ["User-Agent", "opentelemetry-collector-contrib/0.139.0"],
      ["Content-Encoding", "snappy"],
      ["Content-Type", "application/x-protobuf"],
      ["X-Prometheus-Remote-Write-Version", "0.1.0"],
      ["Accept-Encoding", "gzip"],
    ],
  },
  "the OpenTelemetry collector with remote write 2": {
    path: "/api/v1/write",
    version: 2,
    headers: [
      ["User-Agent", "opentelemetry-collector-contrib/0.139.0"],
      ["Content-Encoding", "snappy"],
      ["Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"],
      ["X-Prometheus-Remote-Write-Version", "2.0.0"],
      ["Accept-Encoding", "gzip"],
    ],
  },
  "a sender that does not know the length before": {
    path: "/api/v1/write",
    version: 1,
    chunked: true,
    headers: [
      ["content-type", "application/x-protobuf"],
      ["content-encoding", "snappy"],
    ],
  },
}

/** Two requests on one connection, the second of which is the last. */
function bytesOf(sender: (typeof SENDERS)[string], bodies: readonly Buffer[]): string {
  return bodies
    .map((body, index) => {
      const text = body.toString("latin1")
      const headers = [
        ...sender.headers,
        sender.chunked ? ["Transfer-Encoding", "chunked"] : ["Content-Length", String(body.length)],
        ...(index === bodies.length - 1 ? [["Connection", "close"]] : []),
      ]
      const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")
      const half = Math.floor(text.length / 2)
      const chunk = (part: string): string => `${part.length.toString(16)}\r\n${part}\r\n`
      const content = sender.chunked ? `${chunk(text.slice(0, half))}${chunk(text.slice(half))}0\r\n\r\n` : text
      return `POST ${sender.path} HTTP/1.1\r\nHost: proxy:19093\r\n${fields}\r\n${content}`
    })
    .join("")
}

test("programs that are not Prometheus write as they are", async (t) => {
  const chain = await startChain(t, { proxyFlags: STRIP })
  if (chain === undefined) return
  const begin = Date.now() - 60_000
  for (const [name, sender] of Object.entries(SENDERS)) {
    const labels = (tenant: string) => ({ __name__: "sent", by: name, ...(tenant !== "" && { tenant_id: tenant }) })
    const bodies = [0, 1].map((round) =>
      bodyOf(
        ["", "red"].map((tenant) => ({ labels: labels(tenant), value: round, timestamp: begin + round })),
        sender.version,
      ),
    )
    const response = await sendRaw(chain.proxy.port, bytesOf(sender, bodies))
    const statuses = [...response.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status)
    assert.deepEqual(statuses, ["204", "204"], `${name}: ${response}`)
    assert.equal(/remote-write-samples-written: 2/i.test(response), sender.version === 2, `${name}: ${response}`)
  }
  for (const tenant of ["0", "red"]) {
    const stored: unknown = (await everythingOf(chain.cortex, tenant)).map(({ labels, timestamp }) => [
      labels,
      timestamp - begin,
    ])
    const names = Object.keys(SENDERS).toSorted((a, b) => (a < b ? -1 : 1))
    assert.deepEqual(
      stored,
      names.flatMap((by) => [0, 1].map((round) => [{ __name__: "sent", by }, round])),
    )
  }
  assert.deepEqual(await tenantsOf(chain.cortex), ["0", "red"])
})

test("Vector's health check of the path it writes to succeeds", async (t) => {
  const chain = await startChain(t)
  if (chain === undefined) return
  const fields = SENDERS["Vector, whose tenant_id is another tenant's"]?.headers
    .map(([n, v]) => `${n}: ${v}\r\n`)
    .join("")
  const response = await sendRaw(
    chain.proxy.port,
    `GET /api/v1/write HTTP/1.1\r\nHost: proxy:19093\r\n${fields}Connection: close\r\n\r\n`,
  )
  assert.match(response, /^HTTP\/1\.1 200 /)
})
