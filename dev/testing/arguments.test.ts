import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { test } from "node:test"

const ROOT = join(import.meta.dirname, "../..")
const TOOLS = [
  "dev/fuzz/requests",
  "dev/fuzz/containment",
  "dev/bench/authorize",
  "dev/bench/proxy",
  "dev/bench/proxy-flood",
  "dev/bench/exporter",
] as const

function run(tool: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(join(ROOT, tool), args, { encoding: "utf8", timeout: 20_000 })
  return { status, stdout, stderr }
}

for (const tool of TOOLS) {
  test(`${tool} --help shows what it does and its flags`, () => {
    const { status, stdout, stderr } = run(tool, "--help")
    assert.deepEqual([status, stderr], [0, ""])
    assert.match(stdout, new RegExp(`^${tool}: [a-z].*\\.\\n(?:  --[a-z]+(?: N)? +\\S.*\\n)*  --help +this text\\n$`))
  })

  test(`${tool} refuses an unknown option and an argument in one line`, () => {
    assert.deepEqual(run(tool, "--nope"), {
      status: 2,
      stdout: "",
      stderr: `${tool}: Unknown option '--nope'. '${tool} --help' lists the options.\n`,
    })
    const { status, stderr } = run(tool, "5")
    assert.deepEqual([status, stderr.split("\n").length], [2, 2])
    assert.match(stderr, /Unexpected argument '5'/)
  })
}

test("a flag without its number, or with another text, is refused in one line", () => {
  const tool = "dev/fuzz/requests"
  const end = `'${tool} --help' lists the options.\n`
  const must = `${tool}: --requests must be a whole number, 100 at least. ${end}`
  for (const text of ["99", "1e3", "-5", "many", ""]) {
    assert.deepEqual(run(tool, `--requests=${text}`), { status: 2, stdout: "", stderr: must })
  }
  assert.deepEqual(run(tool, "--seed"), {
    status: 2,
    stdout: "",
    stderr: `${tool}: Option '--seed <value>' argument missing. ${end}`,
  })
})
