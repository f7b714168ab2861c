import assert from "node:assert/strict"
import { rm } from "node:fs/promises"
import { test } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { KubernetesError } from "./errors.ts"
import { serveApi } from "./testing.ts"

test("credentials that cannot be read again fail a request as the API's own failures do", async (t) => {
  const folder = temporaryFolder(t)
  const token = await folder.write("token", "one")
  const api = await serveApi(t, (request) => request.socket.destroy(), { tokenFile: token })
  const request = { verb: "get", path: "/version", description: "read the version", rule: "" } as const
  const send = () => api.send(request, AbortSignal.timeout(5000))
  await assert.rejects(send(), KubernetesError)
  await rm(token)
  await assert.rejects(send(), (error) => {
    assert.ok(error instanceof KubernetesError)
    assert.equal(
      error.message,
      `read the version: --kubeconfig: user test: tokenFile: the file ${token} cannot be read: ENOENT: no such file or directory`,
    )
    return true
  })
})

test("requests at the same time read old credentials again once, and none is lost", async (t) => {
  const seen: (string | undefined)[] = []
  const folder = temporaryFolder(t)
  const tokenFile = await folder.write("token", "one")
  const api = await serveApi(
    t,
    ({ headers }, response) => {
      seen.push(headers.authorization)
      const refused = headers.authorization === "Bearer one" && seen.length > 1
      response.writeHead(refused ? 401 : 200, { "content-type": "application/json" }).end("{}")
    },
    { tokenFile },
  )
  const request = { verb: "get", path: "/version", description: "read the version", rule: "" } as const
  const send = () => api.send(request, AbortSignal.timeout(5000))
  const sendMany = () => Promise.all(Array.from({ length: 20 }, send))
  await send()
  await folder.write("token", "two")
  await sendMany() // each is refused first
  const clock = t.mock.method(performance, "now", () => 1e9)
  await sendMany()
  clock.mock.restore()
  assert.deepEqual(new Set(seen.slice(-20)), new Set(["Bearer two"]))
})
