import assert from "node:assert/strict"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { Agent, request } from "undici"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { type Child, start } from "../../dev/testing/child.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { until } from "../../dev/testing/until.ts"
import { QUERY, SHARED, startUpstream, TOKEN } from "./testing.ts"

const ROOT = join(import.meta.dirname, "../..")
const LOCAL = "--web.listen-address 127.0.0.1:0"

/** What bash makes of a command in which `<(cat FILE)` stands for a file. */
function run(t: TestContext, command: string): Child {
  const child = start("bash", ["-c", `exec ${join(ROOT, "bin/fedstack")} ${command}`], { PORTAL_AUTH_TOKEN: "" })
  t.after(() => child.stop("SIGKILL"))
  return child
}

/** The ports on which it listens, in their order. */
const ports = (child: Child, count: number) =>
  until("the ports", () => {
    const found = [...child.output().matchAll(/msg=listening addresses=127\.0\.0\.1:(\d+)/g)].map(([, port]) => port)
    if (child.process.exitCode !== null) throw new Error(child.output())
    return found.length >= count ? found : undefined
  })

test("a policy and a web configuration may come from <(command): what is needed twice is read once", async (t) => {
  const { path, write } = temporaryFolder(t)
  const authority = makeAuthority("CA")
  const server = authority.issue({ name: "site", sans: ["IP:127.0.0.1"] })
  await write("server.crt", server.cert)
  await write("server.key", server.key)
  await write("ca.crt", authority.cert)
  await write(
    "web.yml",
    `tls_server_config: {cert_file: ${path}/server.crt, key_file: ${path}/server.key, client_ca_file: ${path}/ca.crt, client_auth_type: VerifyClientCertIfGiven}\n`,
  )
  const upstream = await startUpstream(t)
  await write(
    "policy.yaml",
    `upstreams: ["${upstream.url}"]\ncertificates: [{name: a, common_name: a, match: ['${SHARED}']}]\n`,
  )
  const child = run(
    t,
    `proxy ${LOCAL} --admin.listen-address 127.0.0.1:0 --policy <(sleep 0.2; cat ${path}/policy.yaml) --web.config.file <(cat ${path}/web.yml)`,
  )
  const [, port] = await ports(child, 2)
  const scrape = async (certificate = {}) => {
    const agent = new Agent({ connect: { ca: authority.cert, ...certificate } })
    t.after(() => agent.destroy())
    return (await request(`https://127.0.0.1:${port}/federate?${QUERY}`, { dispatcher: agent })).statusCode
  }
  assert.equal(await scrape(), 401)
  assert.equal(await scrape(authority.issue({ name: "a" })), 200)
  child.process.kill("SIGHUP")
  await until("the reload", () => child.output().includes('"web configuration reloaded"') || undefined)
  assert.doesNotMatch(child.output(), /level=error/)
  assert.equal(await scrape(), 401)
  assert.equal(await child.stop(), 0)
})

test("a token may come from <(command)", async (t) => {
  const { path, write } = temporaryFolder(t)
  await write("token", `${TOKEN}\n`)
  const upstream = await startUpstream(t)
  const child = run(
    t,
    `proxy ${LOCAL} --admin.listen-address 127.0.0.1:0 --upstream ${upstream.url} --allow '${SHARED}' --token-file <(cat ${path}/token)`,
  )
  const [, port] = await ports(child, 2)
  const scrape = async (headers = {}) =>
    (await request(`http://127.0.0.1:${port}/federate?${QUERY}`, { headers })).statusCode
  assert.deepEqual([await scrape(), await scrape({ authorization: `Bearer ${TOKEN}` })], [401, 200])
})

test("users may come from <(command), and hold for an exporter as from a file", async (t) => {
  const { path, write } = temporaryFolder(t)
  await write("web.yml", "basic_auth_users: {alice: $2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG}\n")
  const child = run(
    t,
    `exporter opa-data --cluster-name a --opa-cluster-data a --opa-url http://127.0.0.1:1 ${LOCAL} --web.config.file <(cat ${path}/web.yml)`,
  )
  const [port] = await ports(child, 1)
  assert.equal((await request(`http://127.0.0.1:${port}/metrics`)).statusCode, 401)
})

test("a pipe that nobody writes to ends the start with what is wrong", async (t) => {
  const { path } = temporaryFolder(t)
  const child = run(t, `proxy --policy <(true)`)
  assert.equal(await child.ended, 1)
  assert.match(child.output(), /^\/dev\/fd\/\d+: /)
  const named = start("bash", ["-c", `mkfifo ${path}/f && exec ${join(ROOT, "bin/fedstack")} proxy --policy ${path}/f`])
  assert.equal(await named.ended, 1)
  assert.equal(named.output(), `${path}/f: cannot be read: it is a pipe, not a file\n`)
})
