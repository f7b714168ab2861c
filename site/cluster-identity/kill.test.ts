import assert from "node:assert/strict"
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { AWS, INFRASTRUCTURE, object, runIdentity, serveCluster } from "./testing.ts"

const FILES = ["secrets/aws/credentials.ini", "secrets/aws/config.ini", "config/env/CLUSTERID"]
const AT_ONCE = 6
const MOVED = object({
  status: { infrastructureName: "new", platformStatus: { type: "AWS", aws: { region: "new-1" } } },
})

test("a kill at any step of the command leaves the old set or the new one, and the next start writes the new one", async (t) => {
  const round = async (change: number): Promise<string> => {
    const { path, write, args, kubeconfig } = await serveCluster(t, { [INFRASTRUCTURE]: [AWS, MOVED] })
    const read = () => FILES.map((name) => (existsSync(join(path, name)) ? readFileSync(join(path, name), "utf8") : ""))
    await write("rawsecrets/aws_access_key_id", "AKIA-OLD")
    await write("rawsecrets/aws_secret_access_key", "old")
    const env = { KUBECONFIG: kubeconfig }
    assert.equal((await runIdentity(args, env)).code, 0)
    const old = read()
    await write("rawsecrets/aws_access_key_id", "AKIA-NEW")
    await write("rawsecrets/aws_secret_access_key", "new")
    const preload = `--import=${join(import.meta.dirname, "../../dev/testing/kill-at.ts")}`
    const killing = { ...env, NODE_OPTIONS: preload, KILL_AT: String(change), KILL_BELOW: path }
    await runIdentity(args, killing)
    const after = read()
    assert.equal((await runIdentity(args, env)).code, 0)
    const fresh = read()
    assert.deepEqual(fresh, [
      "[default]\naws_access_key_id = AKIA-NEW\naws_secret_access_key = new\n",
      "[default]\nregion = new-1\n",
      'CLUSTERID="new"\n',
    ])
    const left = ["secrets/aws", "config/env"].flatMap((folder) => readdirSync(join(path, folder)))
    assert.deepEqual(left, ["config.ini", "credentials.ini", "CLUSTERID"])
    assert.ok(FILES.every((name) => lstatSync(join(path, name)).isFile()))
    const seen = [old, fresh].findIndex((set) => set.join() === after.join())
    assert.notEqual(seen, -1, `change ${change}: ${after.join()}`)
    return seen === 0 ? "old" : "new"
  }
  // every change is tried in core/files/write-set.test.ts; here every fourth
  const seen: string[] = []
  for (let first = 1; first < 96; first += 4 * AT_ONCE)
    seen.push(...(await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => round(first + 4 * index)))))
  assert.deepEqual([...new Set(seen)], ["old", "new"])
})
