import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { hashSync } from "bcryptjs"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { start } from "../../dev/testing/child.ts"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { freePort } from "../../dev/testing/free-port.ts"
import { findPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { ready, scratch, startPortal } from "./testing.ts"

const authority = makeAuthority("authority")
const ofPrometheus = authority.issue({ name: "prometheus", sans: ["DNS:prometheus.example.org"] })
const ofPortal = authority.issue({ name: "portal" })

test("reloads a Prometheus that has TLS, users and client certificates, and names what it lacks", async (t) => {
  const prometheus = need(t, findPrometheus())
  if (prometheus === undefined) return
  const folder = temporaryFolder(t)
  const secrets = {
    "ca.pem": authority.cert,
    "server.pem": ofPrometheus.cert,
    "server.key": ofPrometheus.key,
    "own.pem": ofPortal.cert,
    "own.key": ofPortal.key,
    password: "right-s3cret\n",
  }
  for (const [name, content] of Object.entries(secrets)) await folder.write(name, content)
  const web = await folder.write(
    "web.yml",
    `tls_server_config:
  cert_file: server.pem
  key_file: server.key
  client_ca_file: ca.pem
  client_auth_type: RequireAndVerifyClientCert
basic_auth_users: {portal: "${hashSync("right-s3cret", 4)}"}
`,
  )
  const port = await freePort()
  const output = await scratch(t)
  const site = (name: string): string => `sites: [{name: ${name}, url: "http://127.0.0.1:1", token: {file: token}}]\n`
  const files = { token: "t0ken", "sites.yaml": site("a") }
  const flags = [
    "--prometheus.username=portal",
    `--prometheus.password-file=${join(folder.path, "password")}`,
    `--prometheus.ca-file=${join(folder.path, "ca.pem")}`,
    "--prometheus.server-name=prometheus.example.org",
    `--prometheus.cert-file=${join(folder.path, "own.pem")}`,
    `--prometheus.key-file=${join(folder.path, "own.key")}`,
  ]
  const portal = await startPortal(t, files, `https://127.0.0.1:${port}`, output, flags)
  await ready(portal)
  const running = start(join(prometheus, "prometheus"), [
    `--config.file=${join(output, "prometheus.yml")}`,
    `--storage.tsdb.path=${await scratch(t)}`,
    `--web.listen-address=127.0.0.1:${port}`,
    `--web.config.file=${web}`,
    "--web.enable-lifecycle",
  ])
  t.after(() => running.stop())
  const reloaded = (expected: number) =>
    until(`a reload with the result ${expected}`, async () =>
      (await portal.metric("fedstack_portal_prometheus_last_reload_successful")) === expected ? true : undefined,
    )
  await reloaded(1)

  await folder.write("password", "wrong-s3cret")
  await until("the other password to be read", () => /credentials reloaded/.test(portal.child.output()) || undefined)
  await portal.write("sites.yaml", site("b"))
  await reloaded(0)
  await until("the reason", () =>
    portal.child.output().includes("requires credentials, or refuses those that it was sent (401)") ? true : undefined,
  )
  await folder.write("password", "right-s3cret")
  await reloaded(1)

  await portal.child.stop()
  await folder.write("password", "")
  const again = await startPortal(t, files, `https://127.0.0.1:${port}`, output, flags)
  await until("the fault", () => (/credentials load failed, sending/.test(again.child.output()) ? true : undefined))
  await ready(again)
  assert.equal(await again.metric('fedstack_config_last_reload_successful{config="credentials"}'), 0)
  await folder.write("password", "right-s3cret")
  await until("a reload after it", async () =>
    (await again.metric("fedstack_portal_prometheus_last_reload_successful")) === 1 ? true : undefined,
  )
  assert.doesNotMatch(portal.child.output(), /s3cret/)
})
