import assert from "node:assert/strict"
import { rename, rm } from "node:fs/promises"
import { test } from "node:test"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { until } from "../../../dev/testing/until.ts"
import { QUERY, startTestProxy, startUpstream } from "../testing.ts"

test("follows the token file through a rotation, and never takes a removed token again", async (t) => {
  const folder = temporaryFolder(t)
  const tokenFile = await folder.write("tokens", "old\n")
  const upstream = await startUpstream(t)
  const proxy = await startTestProxy(t, upstream.url, { tokenFile, token: undefined })
  const statuses = () =>
    Promise.all(
      ["old", "new"].map(async (token) => {
        const answer = await fetch(`${proxy.url}/federate?${QUERY}`, { headers: { authorization: `Bearer ${token}` } })
        await answer.text()
        return answer.status
      }),
    )
  const become = (wanted: string) =>
    until(`the statuses ${wanted}`, async () => (String(await statuses()) === wanted ? true : undefined), 10)
  const successful = async () =>
    /^fedstack_config_last_reload_successful (\d)$/m.exec(await (await fetch(`${proxy.adminUrl}/metrics`)).text())?.[1]

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
