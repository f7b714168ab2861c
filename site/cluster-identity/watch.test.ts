import assert from "node:assert/strict"
import { globSync, mkdirSync, readFileSync, renameSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { start } from "../../dev/testing/child.ts"
import { until } from "../../dev/testing/until.ts"
import { AWS, FEDSTACK, INFRASTRUCTURE, serveCluster } from "./testing.ts"

const SECRETS = ["AKIA-FIRST", "first+secret", "AKIA-SECOND", "second+secret"]

test("writes again when Kubernetes replaces the volume, keeps the old file while a key is unfit, and shows no secret", async (t) => {
  const { path, write, args, kubeconfig } = await serveCluster(t, { [INFRASTRUCTURE]: AWS })
  let version = 0
  /** As the kubelet does it: another folder, then one link is replaced. */
  const rotate = async (id: string, key: string): Promise<void> => {
    version += 1
    await write(`rawsecrets/..${version}/aws_access_key_id`, id)
    await write(`rawsecrets/..${version}/aws_secret_access_key`, key)
    symlinkSync(`..${version}`, join(path, "rawsecrets/..next"))
    renameSync(join(path, "rawsecrets/..next"), join(path, "rawsecrets/..data"))
  }
  mkdirSync(join(path, "rawsecrets"))
  for (const name of ["aws_access_key_id", "aws_secret_access_key"])
    symlinkSync(`..data/${name}`, join(path, "rawsecrets", name))
  await rotate("AKIA-FIRST\n", "first+secret\n")
  const child = start(FEDSTACK, ["cluster-identity", ...args, "--watch"], { KUBECONFIG: kubeconfig })
  t.after(() => child.stop())
  const file = join(path, "secrets/aws/credentials.ini")
  const content = (id: string, key: string): string =>
    `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${key}\n`
  const become = (wanted: string) => until(wanted, () => (readFileSync(file, "utf8") === wanted ? true : undefined))
  await become(content("AKIA-FIRST", "first+secret"))
  const commands = globSync("/proc/[0-9]*/cmdline").map((name) => {
    try {
      return readFileSync(name, "utf8")
    } catch {
      return "" // it has ended
    }
  })
  await until("the line", () => child.output().includes("wrote") || undefined)

  await rotate("AKIA-SECOND", "second+secret\nx = y")
  const failure = "credentials reload failed, keeping the previous one"
  await until(failure, () => child.output().includes(failure) || undefined)
  assert.equal(readFileSync(file, "utf8"), content("AKIA-FIRST", "first+secret"))

  await rotate("AKIA-SECOND", "second+secret")
  await become(content("AKIA-SECOND", "second+secret"))
  await until("the line", () => child.output().includes("; unchanged: ") || undefined)
  assert.equal(await child.stop(), 0)
  for (const secret of SECRETS) assert.ok(![child.output(), ...commands].some((shown) => shown.includes(secret)))
})

test("ends with the exit code of the cause where the first set cannot be written", async (t) => {
  const { args, kubeconfig } = await serveCluster(t, { [INFRASTRUCTURE]: AWS })
  const child = start(FEDSTACK, ["cluster-identity", ...args, "--watch"], { KUBECONFIG: kubeconfig })
  t.after(() => child.stop())
  assert.equal(await child.ended, 3)
})
