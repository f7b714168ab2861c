import assert from "node:assert/strict"
import { X509Certificate } from "node:crypto"
import { once } from "node:events"
import { Agent } from "node:https"
import { test } from "node:test"
import { pino } from "pino"
import { followWebConfig } from "./reload.ts"
import type { Certificate } from "../../../dev/testing/certificates.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { until } from "../../../dev/testing/until.ts"
import { authority, PLAIN_TLS, SANS, startWithWebConfig, VERIFYING_TLS } from "../testing.ts"

test("a certificate that a faulty file already names is watched too: it may come later", async (t) => {
  const folder = temporaryFolder(t)
  const [first, next] = [authority.issue({ name: "a" }), authority.issue({ name: "b" })]
  await folder.write("first.pem", first.cert)
  await folder.write("first.key", first.key)
  const file = await folder.write("web.yaml", "tls_server_config: {cert_file: first.pem, key_file: first.key}\n")
  const applied: string[] = []
  const faulty = Promise.withResolvers<void>()
  const log = pino({ level: "error" }, { write: () => faulty.resolve() })
  const following = await followWebConfig(file, { log, listener: "" }, ({ tls }) =>
    applied.push(String(tls?.context.cert)),
  )
  t.after(() => following.close())
  await folder.write("web.yaml", "tls_server_config: {cert_file: next.pem, key_file: next.key}\n")
  await faulty.promise
  await folder.write("next.key", next.key)
  await folder.write("next.pem", next.cert)
  await until("the certificate", () => (applied.at(-1) === next.cert ? true : undefined))
})

test("the times of the certificate that is shown are in the metrics, and follow its renewal", async (t) => {
  const { shown, write } = await startWithWebConfig(t, PLAIN_TLS)
  const expect = async ({ cert }: Certificate): Promise<void> => {
    const { validFromDate, validToDate } = new X509Certificate(cert)
    const linesOf = (name: string, date: Date): string =>
      `fedstack_web_certificate_${name}_timestamp_seconds{listener="127.0.0.1:0"} ${date.getTime() / 1000}`
    await until("the certificate in the metrics", async () => {
      assert.deepEqual(await shown(), [linesOf("not_before", validFromDate), linesOf("not_after", validToDate)])
      return true
    })
  }
  const next = authority.issue({ name: "server", sans: SANS, notAfter: new Date(Date.now() + 5 * 86_400_000) })
  await Promise.all([write("server.key", next.key), write("server.crt", next.cert)]) // at once
  await expect(next)
})

test("without TLS no certificate is in the metrics", async (t) => {
  assert.deepEqual(await (await startWithWebConfig(t, "{}")).shown(), [])
})

test("a renewed certificate serves new connections while an open one goes on", async (t) => {
  const { get, write, successful, log } = await startWithWebConfig(t, PLAIN_TLS)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const before = await get(undefined, {}, agent)
  const next = authority.issue({ name: "server", sans: SANS })
  await Promise.all([write("server.key", next.key), write("server.crt", next.cert)]) // at once
  const renewed = await until("the new certificate", async () => {
    const { serial } = await get()
    return serial === before.serial ? undefined : serial
  })
  assert.equal(renewed, new X509Certificate(next.cert).serialNumber)
  const again = await get(undefined, {}, agent)
  assert.equal(again.socket, before.socket)
  assert.equal(again.body, "hello\n")
  assert.equal(await successful(), "1", log())
})

test("a new certificate without its key keeps the old pair, and shows in the log and the metric until it is mended", async (t) => {
  const { get, write, successful, log } = await startWithWebConfig(t, PLAIN_TLS)
  const { serial } = await get()
  const next = authority.issue({ name: "server", sans: SANS })
  await write("server.crt", next.cert)
  await until("the fault to show", async () => ((await successful()) === "0" ? true : undefined))
  assert.equal((await get()).serial, serial)
  assert.match(log(), /level=error .*web\.yml:1:44 tls_server_config\.key_file: does not belong to the certificate/)
  await write("server.key", next.key)
  await until("the fault to be gone", async () => ((await successful()) === "1" ? true : undefined))
  assert.equal((await get()).serial, new X509Certificate(next.cert).serialNumber)
})

test("refuses what cannot change while running, and keeps what is in force", async (t) => {
  const { get, write, serving, log } = await startWithWebConfig(t, PLAIN_TLS)
  await write("web.yml", "{}")
  await serving.reload()
  assert.match(log(), /web\.yml tls_server_config: TLS is turned on or off only by a restart/)
  await write("web.yml", `${VERIFYING_TLS}  client_auth_type: RequireAndVerifyClientCert\n`)
  await serving.reload()
  assert.match(log(), /client_auth_type: changes only by a restart/)
  assert.equal((await get()).status, 200)
})

const USERS = "basic_auth_users: {alice: $2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG}\n"
const LIMIT = "rate_limit: {interval: 1s, burst: 1}\n"

for (const [what, before, after, fault] of [
  ["emptied", PLAIN_TLS + USERS, "", "web.yml: is empty; write {} into a file that is to set nothing"],
  [
    "emptied but for a line feed",
    PLAIN_TLS + USERS,
    "\n",
    "web.yml: is empty; write {} into a file that is to set nothing",
  ],
  [
    "cut short before its users",
    PLAIN_TLS + USERS,
    PLAIN_TLS,
    "web.yml basic_auth_users: the last user is removed only by a restart: without users every client is served",
  ],
] as const) {
  test(`a file that is ${what} drops no users: it is a fault`, async (t) => {
    const { get, write, serving, log, successful } = await startWithWebConfig(t, before)
    assert.equal((await get()).status, 401)
    await write("web.yml", after)
    await serving.reload()
    assert.ok(log().includes(`level=error component=test msg="${fault}"`), log())
    assert.equal(await successful(), "0")
    assert.equal((await get()).status, 401)
  })
}

test("an emptied file drops no rate limit", async (t) => {
  const { get, write, serving } = await startWithWebConfig(t, PLAIN_TLS + LIMIT)
  await write("web.yml", "")
  await serving.reload()
  const statuses = [await get(), await get()].map(({ status }) => status)
  assert.deepEqual(statuses, [200, 429])
})

test("a server does not start with an empty file: it may be what a full disk left of one with users", async (t) => {
  await assert.rejects(startWithWebConfig(t, ""), {
    message: /web\.yml: is empty; write \{\} into a file that is to set/,
  })
})

test("another certificate is shown when its clients trust it, and the one before until then", async (t) => {
  const [wanted, trusted] = [Promise.withResolvers<unknown>(), Promise.withResolvers<void>()]
  const { get, write, log } = await startWithWebConfig(t, PLAIN_TLS, {
    beforeCertificate({ context }) {
      wanted.resolve(context.cert)
      return trusted.promise
    },
  })
  const before = (await get()).serial
  const next = authority.issue({ name: "server", sans: SANS })
  await Promise.all([write("server.key", next.key), write("server.crt", next.cert)]) // at once
  assert.equal(await wanted.promise, next.cert)
  assert.equal((await get()).serial, before)
  trusted.resolve()
  await until("the certificate", async () => (await get()).serial === new X509Certificate(next.cert).serialNumber)
  assert.doesNotMatch(log(), /level=error/)
})

test("closing ends the wait for clients that do not trust another certificate", async (t) => {
  const waiting = Promise.withResolvers<void>()
  const { serving, write } = await startWithWebConfig(t, PLAIN_TLS, {
    async beforeCertificate(_, closing) {
      waiting.resolve()
      await once(closing, "abort")
    },
  })
  const next = authority.issue({ name: "server", sans: SANS })
  await Promise.all([write("server.key", next.key), write("server.crt", next.cert)]) // at once
  await waiting.promise
  await serving.close()
})
