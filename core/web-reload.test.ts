import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { pino } from "pino"
import { readWebConfig } from "#core/web-config.ts"
import { followWebConfig } from "#core/web-reload.ts"
import { makeAuthority } from "../dev/testing/certificates.ts"
import { temporaryFolder } from "../dev/testing/folder.ts"
import { until } from "../dev/testing/until.ts"

test("a slow reading never replaces one that began later", async (t) => {
  const folder = temporaryFolder(t)
  const authority = makeAuthority("authority")
  const [first, slow, last] = [
    authority.issue({ name: "a" }),
    authority.issue({ name: "b" }),
    authority.issue({ name: "c" }),
  ]
  const configOf = async (name: string, { cert, key }: typeof first): Promise<string> => {
    if (name !== "slow") await folder.write(`${name}.pem`, cert)
    await folder.write(`${name}.key`, key)
    return `tls_server_config: {cert_file: ${name}.pem, key_file: ${name}.key}\n`
  }
  const file = await folder.write("web.yaml", await configOf("first", first))
  const pipe = join(folder.path, "slow.pem")
  execFileSync("mkfifo", [pipe]) // reading it takes until somebody writes
  const applied: (string | undefined)[] = []
  const log = pino({ enabled: false })
  const following = await followWebConfig(file, await readWebConfig(file), { log, listener: "" }, ({ tls }) =>
    applied.push(String(tls?.context.cert)),
  )
  t.after(() => following.close())
  await writeFile(file, await configOf("slow", slow))
  const early = following.reload()
  await writeFile(file, await configOf("last", last))
  await Promise.all([early, following.reload(), writeFile(pipe, slow.cert)])
  assert.equal(applied.at(-1), last.cert)
})

test("finds a change between the first reading and the beginning of the watch", async (t) => {
  const folder = temporaryFolder(t)
  const file = await folder.write("web.yaml", "rate_limit: {interval: 1s, burst: 1}\n")
  const first = await readWebConfig(file)
  await folder.write("web.yaml", "rate_limit: {interval: 1s, burst: 2}\n")
  const applied: (number | undefined)[] = []
  const log = pino({ enabled: false })
  const following = await followWebConfig(file, first, { log, listener: "" }, ({ rateLimit }) =>
    applied.push(rateLimit?.burst),
  )
  await following.close()
  assert.deepEqual(applied, [2])
})

test("a certificate that a faulty file already names is watched too: it may come later", async (t) => {
  const folder = temporaryFolder(t)
  const authority = makeAuthority("authority")
  const [first, next] = [authority.issue({ name: "a" }), authority.issue({ name: "b" })]
  await folder.write("first.pem", first.cert)
  await folder.write("first.key", first.key)
  const file = await folder.write("web.yaml", "tls_server_config: {cert_file: first.pem, key_file: first.key}\n")
  const applied: string[] = []
  const faulty = Promise.withResolvers<void>()
  const log = pino({ level: "error" }, { write: () => faulty.resolve() })
  const following = await followWebConfig(file, await readWebConfig(file), { log, listener: "" }, ({ tls }) =>
    applied.push(String(tls?.context.cert)),
  )
  t.after(() => following.close())
  await folder.write("web.yaml", "tls_server_config: {cert_file: next.pem, key_file: next.key}\n")
  await faulty.promise
  await folder.write("next.key", next.key)
  await folder.write("next.pem", next.cert)
  await until("the certificate", () => (applied.at(-1) === next.cert ? true : undefined), 12)
})
