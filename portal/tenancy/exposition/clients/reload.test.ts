import assert from "node:assert/strict"
import { once } from "node:events"
import { connect } from "node:net"
import { test } from "node:test"
import { seriesOfAll, startFakeStore } from "../store.testing.ts"
import { startTestExposition, TOKEN } from "../testing.ts"

test("refuses a client that is removed on the connection that it has, and lets the other go on", async (t) => {
  const now = Date.now()
  const store = await startFakeStore(
    t,
    seriesOfAll(() => [{ labels: { __name__: "up" }, samples: [[now, 1]] }]),
  )
  const other = "  - {name: other, env: OTHER_TOKEN, tenants: [b], match: [up]}"
  const start = `upstreams: ["${store.url}"]\nreuse: 60\ntokens:\n${other}\n`
  const exposition = await startTestExposition(
    t,
    `${start}  - {name: team, env: TEAM_TOKEN, tenants: [a], match: [up]}\n`,
  )
  const socket = connect(exposition.port, "127.0.0.1")
  t.after(() => socket.destroy())
  const statusOf = async (token: string): Promise<string> => {
    socket.write(`GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    for (;;) {
      const [chunk] = (await once(socket, "data")) as [Buffer]
      const text = chunk.toString("latin1")
      // what comes before is the rest of the last response
      if (text.startsWith("HTTP/1.1 ")) return text.slice(9, 12)
    }
  }
  assert.equal(await statusOf(`other-${TOKEN}`), "200")
  assert.equal(await statusOf(TOKEN), "200")
  await exposition.change(start)
  assert.equal((await exposition.get("/metrics", { authorization: `Bearer other-${TOKEN}` })).status, 200)
  assert.equal(await statusOf(TOKEN), "401")
})
