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
