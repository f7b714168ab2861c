import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { cp, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { promisify } from "node:util"
import { need } from "../testing/component.ts"
import { temporaryFolder } from "../testing/folder.ts"
import { KEPT } from "./kept.ts"

const ROOT = join(import.meta.dirname, "..", "..")
const execute = promisify(execFile)

test("the README's preparations make private files with a token, and a second time change none", async (t) => {
  const { path } = temporaryFolder(t)
  for (const file of ["usage-openrc.example", ".env.example", "portal/sites.example.yaml"])
    await cp(join(ROOT, file), join(path, file))
  const readme = await readFile(join(ROOT, "README.md"), "utf8")
  const blocks = [...readme.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block = ""]) => block)
  const preparations = blocks.filter((block) => block.startsWith("cp ")).join("")
  assert.doesNotMatch(preparations, /docker/)

  const prepare = () => execute("sh", ["-euc", preparations], { cwd: path })
  const files = () =>
    Promise.all(["usage-openrc", ".env", "portal/sites.yaml"].map((file) => readFile(join(path, file), "utf8")))
  await prepare()
  const first = await files()
  assert.match(first[1] ?? "", /^PORTAL_AUTH_TOKEN=[\da-f]{64}$/m)
  for (const file of ["usage-openrc", ".env"]) assert.equal((await stat(join(path, file))).mode & 0o777, 0o600, file)
  await prepare()
  assert.deepEqual(await files(), first)
})

test("git ignores what operators keep beside the code, and nothing that it tracks", async (t) => {
  const inside = await execute("git", ["rev-parse", "HEAD"], { cwd: ROOT }).then(
    () => ({ value: true }),
    () => ({ missing: "this is no git checkout" }),
  )
  if (need(t, inside) === undefined) return
  const ignored = async (files: readonly string[]) => {
    const { stdout } = await execute("git", ["check-ignore", "--no-index", ...files], { cwd: ROOT }).catch(
      (error: { code: number; stdout: string }) =>
        error.code === 1 ? error : Promise.reject(new Error("git check-ignore fails", { cause: error })),
    )
    return stdout.split("\n").filter(Boolean)
  }
  assert.deepEqual(await ignored(KEPT), KEPT)
  const { stdout } = await execute("git", ["ls-files"], { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 })
  assert.deepEqual(await ignored(stdout.split("\n").filter((file) => file !== "" && !file.startsWith('"'))), [])
})
