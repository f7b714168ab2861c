import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { createServer, get, type IncomingMessage } from "node:http"
import { test, type TestContext } from "node:test"
import type { Child } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { listen } from "../../dev/testing/listen.ts"
import { findPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { startFederatedPortal } from "../federation/testing.ts"
import { sample } from "./sites.testing.ts"

const MEBIBYTE = 2 ** 20
const GIGABYTE = 1e9
const METRICS = { "content-type": "text/plain; version=0.0.4" } as const

/** `/huge` serves 1 GB of valid metrics, `/drips` a byte a second, all else one series. */
async function startSites(t: TestContext): Promise<string> {
  let number = 0
  const chunk = (): string =>
    Array.from({ length: 2_000 }, () => `huge{n="${(number += 1)}",padding="${"x".repeat(400)}"} 1\n`).join("")
  const server = createServer((request, response) => {
    response.writeHead(200, METRICS)
    if (request.url?.startsWith("/drips") === true) {
      const drip = setInterval(() => response.write("x"), 1000)
      response.once("close", () => clearInterval(drip))
      return
    }
    if (request.url?.startsWith("/huge") !== true) {
      response.end(sample())
      return
    }
    let left = GIGABYTE
    const more = (): void => {
      while (left > 0 && !response.destroyed) {
        const text = chunk()
        left -= text.length
        if (!response.write(text)) return void response.once("drain", more)
      }
      response.end()
    }
    more()
  })
  return `http://127.0.0.1:${await listen(t, server)}`
}

/** The most memory that a process ever had, in bytes. */
async function peak({ process: { pid } }: Child): Promise<number> {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? []
  return Number(kibibytes) * 1024
}

for (const version of VERSIONS) {
  test(`a site that serves 1 GB and one that drips cost bounded memory, with Prometheus ${version}`, async (t) => {
    const prometheus = need(t, findPrometheus(version))
    if (prometheus === undefined) return
    const url = await startSites(t)
    const site = (name: string): string =>
      `  - {name: ${name}, url: "${url}/${name}", interval: 3s, labels: {location: ${name}}, token: {file: token}}\n`
    const portal = await startFederatedPortal(t, prometheus, {
      token: "s3cret-token",
      "sites.yaml": `sites:\n${["a", "drips", "huge"].map(site).join("")}limits: {response_bytes: 16MiB}\n`,
    })
    const expected = "a ok null, drips down no_answer, huge down too_many_bytes"
    await until(
      "the states",
      async () => {
        const { sites } = (await (await fetch(`${portal.url}/api/v1/sites?sort=name`)).json()) as {
          sites: { name: string; state: string; cause: string | null }[]
        }
        return sites.map(({ name, state, cause }) => `${name} ${state} ${cause}`).join(", ") === expected || undefined
      },
      60,
    )
    assert.ok((await peak(portal.child)) < 250 * MEBIBYTE, "the portal")
    assert.ok((await peak(portal.prometheus.child)) < 350 * MEBIBYTE, "Prometheus")
  })
}

test("of 300 streams of a real portal 256 are open, pages are still served, and SIGTERM ends all", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const url = await startSites(t)
  const portal = await startFederatedPortal(t, prometheus, {
    token: "s3cret-token",
    "sites.yaml": `sites: [{name: a, url: "${url}/a", interval: 1s, token: {file: token}}]\n`,
  })
  const open = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      get(`${portal.url}/api/v1/events`, { agent: false }, resolve).on("error", reject)
    })
  const streams = await Promise.all(Array.from({ length: 300 }, open))
  const ended = streams
    .filter(({ statusCode }) => statusCode === 200)
    .map((stream) => new Promise((resolve) => void stream.resume().once("close", resolve)))
  assert.deepEqual([ended.length, streams.filter(({ statusCode }) => statusCode === 204).length], [256, 44])
  assert.equal((await fetch(portal.url)).status, 200)
  assert.ok((await peak(portal.child)) < 250 * MEBIBYTE)
  assert.equal(await portal.child.stop(), 0)
  await Promise.all(ended)
})
