import assert from "node:assert/strict"
import { createServer } from "node:https"
import { test } from "node:test"
import type { TLSSocket } from "node:tls"
import { listen } from "../../../../dev/testing/listen.ts"
import { makeAuthority } from "../../../../dev/testing/certificates.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import type { ForwardConfig } from "./settings.ts"
import { accept, respondWith, SENDER, shownOutcome, sliceOf, startForward, startUpstream } from "./testing.ts"

const NONE = {
  token: undefined,
  basicAuth: undefined,
  ca: undefined,
  cert: undefined,
  key: undefined,
  serverName: undefined,
}

test("sends the token of a file, the new one after a reload, and hides it where an upstream repeats it", async (t) => {
  const { write } = temporaryFolder(t)
  const token = await write("token", "first-secret-token\n")
  const upstream = await startUpstream(t, ({ socket, headers }) =>
    respondWith(socket, 400, {}, `received authorization: ${headers["authorization"]}`),
  )
  const forwarding = await startForward(t, [upstream.url], {}, { credentials: { ...NONE, token } })
  const send = async () => shownOutcome(await forwarding.forward(sliceOf("t", ["a"]), SENDER))
  assert.equal(await send(), "400 0 received authorization: Bearer …")
  await write("token", "second-secret-token\n")
  await forwarding.reload()
  assert.equal(await send(), "400 0 received authorization: Bearer …")
  assert.deepEqual(
    upstream.received.map(({ headers }) => headers["authorization"]),
    ["Bearer first-secret-token", "Bearer second-secret-token"],
  )
  assert.doesNotMatch(forwarding.log(), /secret-token/)
})

test("signs in as a user whose password stands in a file", async (t) => {
  const { write } = temporaryFolder(t)
  const basicAuth = { username: "proxy", passwordFile: await write("password", "p:w ü\n") }
  const upstream = await startUpstream(t, accept)
  const { forward } = await startForward(t, [upstream.url], {}, { credentials: { ...NONE, basicAuth } })
  await forward(sliceOf("t", ["a"]), SENDER)
  const [, encoded = ""] = upstream.received[0]?.headers["authorization"]?.split(" ") ?? []
  assert.equal(Buffer.from(encoded, "base64").toString(), "proxy:p:w ü")
})

test("trusts the authority of a file alone, expects the name of the settings, and presents its certificate", async (t) => {
  const { write } = temporaryFolder(t)
  const [own, foreign] = [makeAuthority("Own CA"), makeAuthority("Foreign CA")]
  const clients: (string | undefined)[] = []
  const server = (authority: typeof own) =>
    createServer(
      {
        ...authority.issue({ name: "cortex", sans: ["DNS:cortex.internal"] }),
        ca: own.cert,
        requestCert: true,
        rejectUnauthorized: true,
      },
      (request, response) => {
        clients.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN))
        request.resume().once("end", () => response.writeHead(200).end())
      },
    )
  const ports = [await listen(t, server(own)), await listen(t, server(foreign))]
  const pair = own.issue({ name: "tenancy-proxy", usage: "client" })
  const files = {
    ca: await write("ca.crt", own.cert),
    cert: await write("proxy.crt", pair.cert),
    key: await write("proxy.key", pair.key),
  }
  const send = async (port: number | undefined, changes: Partial<ForwardConfig["credentials"]>) => {
    const credentials = { ...NONE, ...files, serverName: "cortex.internal", ...changes }
    const { forward } = await startForward(t, [new URL(`https://127.0.0.1:${port}/push`)], {}, { credentials })
    return shownOutcome(await forward(sliceOf("t", ["a"]), SENDER))
  }
  assert.equal(await send(ports[0], {}), "accepted 1")
  assert.equal(await send(ports[1], {}), "0 0 the certificate is of an unknown authority")
  assert.equal(await send(ports[0], { serverName: undefined }), "0 0 the certificate is for another name")
  assert.match(
    await send(ports[0], { cert: undefined, key: undefined }),
    /^0 0 (?:a client certificate is required|the connection was)/,
  )
  assert.deepEqual(clients, ["tenancy-proxy"])
})
