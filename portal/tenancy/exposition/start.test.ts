import assert from "node:assert/strict"
import { createServer } from "node:http"
import { test } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { listen } from "../../../dev/testing/listen.ts"
import { clientsFile } from "./clients/load.ts"
import { startExposition } from "./start.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { fileOf, startTestExposition, TOKEN } from "./testing.ts"

const address = (port: number) => ({ host: "127.0.0.1", port })

test("names the flag of the address that is not available", async (t) => {
  const port = await listen(t, createServer())
  await assert.rejects(startOn(t, 0, port), {
    message: `Cannot listen on 127.0.0.1:${port}: another process uses it. Free the port or choose another with --admin.listen-address.`,
  })
  await assert.rejects(startOn(t, port, 0), { message: /choose another with --web\.listen-address\.$/ })
})

test("refuses one port for clients and for administration", async (t) => {
  await assert.rejects(startOn(t, 19_094, 19_094), {
    message: "--admin.listen-address: has port 19094, as --web.listen-address has; give it one of its own",
  })
})

test("says which paths there are", async (t) => {
  const { get } = await startTestExposition(t, fileOf(["http://127.0.0.1:1"]))
  assert.deepEqual(await get("/api/v1/query").then(({ status, body }) => [status, body]), [
    404,
    "Only /federate and /metrics are served here.\n",
  ])
})

async function startOn(t: Parameters<typeof temporaryFolder>[0], web: number, admin: number) {
  const file = await temporaryFolder(t).write("tenants.yaml", fileOf(["http://127.0.0.1:1"]))
  const log = createLogger({ level: "error", format: "json" }, "exposition", () => undefined)
  const options = { log, now: () => new Date(), env: { TEAM_TOKEN: TOKEN } }
  const policy = clientsFile(file, { ...options, noCertificates: () => Promise.resolve("the test has no TLS") })
  const config = { policy, addresses: [address(web)], adminAddress: address(admin), webConfigFile: undefined }
  return startExposition(config, log)
}
