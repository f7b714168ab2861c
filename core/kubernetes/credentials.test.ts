import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { test } from "node:test"
import { UsageError } from "#core/errors.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { openKubernetes } from "./api.ts"
import { serveApi } from "./testing.ts"

const SECRET = "s3cret"
const base64 = (text: string): string => Buffer.from(text).toString("base64")

interface Parts {
  readonly cluster?: object
  /** undefined: the context has none. */
  readonly user?: object | undefined
}

function kubeconfig({ cluster = {}, ...given }: Parts): string {
  const user = "user" in given ? given.user : { token: SECRET }
  return JSON.stringify({
    "current-context": "a",
    contexts: [{ name: "a", context: { cluster: "c", ...(user && { user: "u" }) } }],
    clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:9", ...cluster } }],
    users: user === undefined ? [] : [{ name: "u", user }],
  })
}

const sh = (script: string) => ({ user: { exec: { command: "/bin/sh", args: ["-c", script] } } })
const ADDRESS = "must be a URL that begins with https:// or http://"
const RUN = "run it in a shell to see why, and sign in again"

/** `FOLDER` stands for the one of the kubeconfig. */
const wrong: readonly (readonly [what: string, parts: Parts, message: string])[] = [
  ["a server without a scheme", { cluster: { server: `user:${SECRET}@h:6443` } }, `cluster c: server: ${ADDRESS}`],
  ["a server of another scheme", { cluster: { server: `ftp://u:${SECRET}@h` } }, `cluster c: server: ${ADDRESS}`],
  [
    "credentials for a server without TLS",
    { cluster: { server: "http://192.0.2.1" } },
    "cluster c: server: begins with http://, and credentials must not be sent unencrypted: use https://",
  ],
  [
    "a SOCKS proxy",
    { cluster: { "proxy-url": `socks5://u:${SECRET}@h` } },
    "cluster c: proxy-url: must be a URL that begins with http:// or https://; SOCKS is not supported",
  ],
  [
    "a missing CA file",
    { cluster: { "certificate-authority": "ca.crt" } },
    "cluster c: certificate-authority: the file FOLDER/ca.crt cannot be read: ENOENT: no such file or directory",
  ],
  [
    "a CA that is none",
    { cluster: { "certificate-authority-data": base64(SECRET) } },
    "cluster c: certificate-authority: holds no certificate in PEM format",
  ],
  [
    "a missing client certificate and key",
    { user: { "client-certificate": "c.crt", "client-key": "c.key" } },
    `user u: client-certificate: the file FOLDER/c.crt cannot be read: ENOENT: no such file or directory
--kubeconfig: user u: client-key: the file FOLDER/c.key cannot be read: ENOENT: no such file or directory`,
  ],
  [
    "a client certificate that is none",
    { user: { "client-certificate-data": base64(SECRET), "client-key-data": base64(SECRET) } },
    `user u: client-certificate: holds no certificate in PEM format
--kubeconfig: user u: client-key: holds no private key in PEM format without a passphrase`,
  ],
  [
    "a missing token file",
    { user: { tokenFile: "token" } },
    "user u: tokenFile: the file FOLDER/token cannot be read: ENOENT: no such file or directory",
  ],
  [
    "an exec plugin that is not installed",
    { user: { exec: { command: "not-there", installHint: "see example.org\n" } } },
    "user u: the exec plugin not-there is not installed: put its folder in PATH. Its kubeconfig says: see example.org",
  ],
  [
    "an exec plugin beside the kubeconfig that is not there",
    { user: { exec: { command: "./not-there" } } },
    "user u: the exec plugin FOLDER/not-there is not installed: put its folder in PATH",
  ],
  ["an exec plugin without a command", { user: { exec: {} } }, "user u: the exec plugin  has no command"],
  [
    "an exec plugin that fails",
    sh(`echo ${SECRET} >&2; exit 3`),
    `user u: the exec plugin /bin/sh ended with exit code 3: ${RUN}`,
  ],
  [
    "an exec plugin that prints no JSON",
    sh(`echo ${SECRET}`),
    "user u: the exec plugin /bin/sh did not print an ExecCredential with a status",
  ],
  [
    "an exec plugin that prints no credentials",
    sh(`echo '{"status": {"other": "${SECRET}"}}'`),
    "user u: the exec plugin /bin/sh printed neither a token nor a certificate with its key",
  ],
  [
    "an exec plugin that always asks for something",
    { user: { exec: { command: "/bin/sh", interactiveMode: "Always" } } },
    "user u: the exec plugin /bin/sh asks for something (interactiveMode: Always), and there is no terminal: use another way to sign in",
  ],
  [
    "an exec plugin that would ask for something",
    sh("read -r password || exit 4"),
    `user u: the exec plugin /bin/sh ended with exit code 4: ${RUN}`,
  ],
  [
    "an auth-provider of former times",
    { user: { "auth-provider": { name: "gcp", config: { "id-token": SECRET } } } },
    "user u: the auth-provider gcp gave no credentials: sign in again, or use an exec plugin, as kubectl does since 1.26",
  ],
]

for (const [what, parts, message] of wrong) {
  test(`${what} ends the start with one message, which repeats no secret`, async (t) => {
    const { path, write } = temporaryFolder(t)
    const opening = openKubernetes({ kubeconfig: await write("config", kubeconfig(parts)), env: {} })
    await assert.rejects(opening, (error) => {
      assert.ok(error instanceof UsageError)
      assert.equal(error.message, `--kubeconfig: ${message.replaceAll("FOLDER", path)}`)
      assert.doesNotMatch(error.message, new RegExp(SECRET))
      return true
    })
  })
}

const NEVER = new AbortController().signal
const request = { verb: "list", path: "/", description: "list", rule: "" } as const

test("a server without TLS on this machine is read, as of kubectl proxy, with and without a user", async (t) => {
  const received: (string | undefined)[] = []
  const server = createServer((message, response) => {
    received.push(message.headers.authorization)
    response.end("{}")
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  t.after(() => server.close())
  const cluster = { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  for (const parts of [{ cluster }, { cluster, user: undefined }]) {
    const file = await temporaryFolder(t).write("config", kubeconfig(parts))
    const api = await openKubernetes({ kubeconfig: file, env: {} })
    await api.send(request, NEVER)
    await api.close()
  }
  assert.deepEqual(received, [`Bearer ${SECRET}`, undefined])
})

test("an exec plugin gets how it is run as KUBERNETES_EXEC_INFO, and gives the token", async (t) => {
  const script = `test "$MORE" = more && printf '{"status": {"token": "%s"}}' "$(echo "$KUBERNETES_EXEC_INFO" | tr -dc 'A-Za-z0-9./')"`
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "/bin/sh", args: ["-c", script] }
  const received: (string | undefined)[] = []
  const api = await serveApi(
    t,
    (message, response) => {
      received.push(message.headers.authorization)
      response.end("{}")
    },
    { exec: { ...exec, env: [{ name: "MORE", value: "more" }] } },
  )
  await api.send(request, NEVER)
  assert.deepEqual(received, ["Bearer apiVersionclient.authentication.k8s.io/v1kindExecCredentialspecinteractivefalse"])
})
