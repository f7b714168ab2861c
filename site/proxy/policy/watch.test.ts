import assert from "node:assert/strict"
import { mkdir, rename, rm, symlink } from "node:fs/promises"
import { type TestContext, test } from "node:test"
import { pino } from "pino"
import { Registry } from "prom-client"
import { UsageError } from "#core/errors.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { until } from "../../../dev/testing/until.ts"
import { QUERY, SHARED, startTestProxy, startUpstream } from "../testing.ts"
import { environmentPolicy } from "./environment.ts"
import { sha256 } from "#core/auth/secrets.ts"
import { startProxy } from "../start.ts"
import { openPolicy, type PolicyLoader } from "#core/federation/open-policy.ts"
import type { Policy } from "./types.ts"

test("follows the token file through a rotation, and never takes a removed token again", async (t) => {
  const folder = temporaryFolder(t)
  const tokenFile = await folder.write("tokens", "old\n")
  const upstream = await startUpstream(t)
  const proxy = await startTestProxy(t, upstream.url, { tokenFile, token: undefined })
  const statuses = () =>
    Promise.all(
      ["old", "new"].map(async (token) => {
        const response = await fetch(`${proxy.url}/federate?${QUERY}`, {
          headers: { authorization: `Bearer ${token}` },
        })
        await response.text()
        return response.status
      }),
    )
  const become = (wanted: string) =>
    until(`the statuses ${wanted}`, async () => (String(await statuses()) === wanted ? true : undefined))
  const successful = async () =>
    /^fedstack_config_last_reload_successful\{config="policy"\} (\d)$/m.exec(
      await (await fetch(`${proxy.adminUrl}/metrics`)).text(),
    )?.[1]

  assert.deepEqual(await statuses(), [200, 401])
  await folder.write("tokens", "new\nold\n")
  await become("200,200")
  await rename(await folder.write("next", "new\n"), tokenFile)
  await become("401,200")
  await folder.write("tokens", "not a token\n")
  await until("the failed reload", async () => ((await successful()) === "0" ? true : undefined))
  assert.deepEqual(await statuses(), [401, 200])
  await rm(tokenFile)
  await proxy.running.reload()
  assert.deepEqual(await statuses(), [401, 200])
  await folder.write("tokens", "new\nnewer\n")
  await until("the good reload", async () => ((await successful()) === "1" ? true : undefined))
  assert.deepEqual(await statuses(), [401, 200])
  assert.doesNotMatch(proxy.log(), /not a token|newer/)
})

for (const [fate, happen, code] of [
  ["vanishes", () => Promise.resolve(), "ENOENT"],
  ["becomes a folder", mkdir, "it is an empty folder"],
  ["cannot be read", (file: string) => symlink(file, file), "ELOOP"],
] as const) {
  test(`keeps the last tokens while their file ${fate}, and logs it`, async (t) => {
    const folder = temporaryFolder(t)
    const tokenFile = await folder.write("tokens", "old-4f1c9a7b2e\n")
    const upstream = await startUpstream(t)
    const proxy = await startTestProxy(t, upstream.url, { tokenFile, token: undefined })
    const statusOf = async (token: string) =>
      (await fetch(`${proxy.url}/federate?${QUERY}`, { headers: { authorization: `Bearer ${token}` } })).status
    const successful = async (wanted: number) =>
      until(`fedstack_config_last_reload_successful ${wanted}`, async () => {
        const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text()
        return metrics.includes(`fedstack_config_last_reload_successful{config="policy"} ${wanted}\n`)
          ? true
          : undefined
      })
    await rm(tokenFile)
    await happen(tokenFile)
    const reported = new RegExp(
      `"level":"error".*"policy reload failed, keeping the previous one"\\}\n\\{"level":"error".*/tokens: cannot be read: ${code}`,
    )
    await until("the reason in the log", () => reported.exec(proxy.log()) ?? undefined)
    await successful(0)
    assert.equal(await statusOf("old-4f1c9a7b2e"), 200)
    await rm(tokenFile, { recursive: true, force: true })
    await folder.write("tokens", "new-8d2e6c1f5a\n")
    await successful(1)
    assert.deepEqual([await statusOf("old-4f1c9a7b2e"), await statusOf("new-8d2e6c1f5a")], [401, 200])
  })
}

test("closes the loader of a policy with which the proxy does not start", async () => {
  let closed = 0
  const policy: PolicyLoader<Policy> = {
    load: () => Promise.reject(new Error("a fault")),
    applied: () => Promise.resolve(),
    close: () => Promise.resolve(void (closed += 1)),
  }
  const address = { host: "127.0.0.1", port: 0 }
  const config = { policy, addresses: [address], adminAddress: address, webConfigFile: undefined }
  await assert.rejects(startProxy(config, pino({ enabled: false })), /a fault/)
  assert.equal(closed, 1)
})

test("a policy stays in force where what only the one before it needed cannot be closed", async (t) => {
  const { inForce } = await openChanging(t, ["second-token"], () => Promise.reject(new Error("cannot be closed")))
  assert.equal(inForce(), hashOf("second-token"))
})

/** A policy with the token of a file, which is replaced by the words of `changes` right after it was read, one at each reading. */
async function openChanging(t: TestContext, changes: string[], applied = (): Promise<void> => Promise.resolve()) {
  const folder = temporaryFolder(t)
  const tokenFile = await folder.write("token", "first-token\n")
  const log = pino({ enabled: false })
  const environment = { allow: [SHARED], token: undefined, upstreamTimeout: 5, responseBytes: 1_000_000 }
  const loader = environmentPolicy({ ...environment, tokenFile, upstream: new URL("http://prometheus") })
  let changed = 0
  const source = await openPolicy(
    {
      ...loader,
      applied,
      async load(read) {
        const loaded = await loader.load(read)
        const next = changes.shift()
        if (next !== undefined) await folder.write("token", `${next}\n`)
        return loaded
      },
    },
    { log, registry: new Registry(), changed: () => void (changed += 1) },
  )
  t.after(() => source.close())
  return { inForce: () => source.current().tokens[0]?.sha256.toString("hex"), changed: () => changed }
}
const hashOf = (token: string): string => sha256(token).toString("hex")

test("finds a change between the first reading of a file and the beginning of its watch", async (t) => {
  const { inForce, changed } = await openChanging(t, ["second-token"])
  assert.deepEqual([inForce(), changed()], [hashOf("second-token"), 0])
})

test("finds a change while it looks for one", async (t) => {
  const { inForce } = await openChanging(t, ["second-token", "third-token"])
  await until("the third token", () => (inForce() === hashOf("third-token") ? true : undefined))
})

test("does not begin with a file that became faulty while it began", async (t) => {
  await assert.rejects(openChanging(t, ["not a token"]), UsageError)
})
