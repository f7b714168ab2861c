import assert from "node:assert/strict"
import { copyFile, mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { start } from "../testing/child.ts"
import { temporaryFolder } from "../testing/folder.ts"
import { readArguments } from "./arguments.ts"

const ROOT = join(import.meta.dirname, "..", "..")
const read = (...argv: string[]) => readArguments(argv)

test("starts two sites and stays by default", () => {
  assert.deepEqual(read(), {
    kind: "values",
    values: { sites: 2, breaks: [], check: false, force: false },
    argument: "",
    more: [],
  })
})

test("reads the number of sites and --check", () => {
  assert.deepEqual(read("--check", "--sites", "3"), {
    kind: "values",
    values: { sites: 3, breaks: [], check: true, force: false },
    argument: "",
    more: [],
  })
})

test("takes several causes at once, and repeated", () => {
  const reading = read("--break", "tls_expired,forbidden", "--break", "refused")
  assert.deepEqual(reading.kind === "values" && reading.values.breaks, [["tls_expired", "forbidden"], ["refused"]])
})

for (const argv of [["--help"], ["-h"], ["--sites", "3", "--help"]]) {
  test(`dev/up ${argv.join(" ")} shows its help and installs nothing`, async (t) => {
    const help = read("--help")
    assert.ok(help.kind === "help")
    const { path } = temporaryFolder(t)
    await mkdir(join(path, "dev/stack"), { recursive: true })
    for (const file of ["dev/up", "dev/stack/help.txt"]) await copyFile(join(ROOT, file), join(path, file))
    await writeFile(join(path, "dev/install"), "#!/bin/sh\necho installs\n", { mode: 0o755 })
    const child = start(join(path, "dev/up"), argv)
    assert.deepEqual([await child.ended, child.output()], [0, help.text])
  })
}

for (const [argv, message] of [
  [["--sites", "0"], '--sites: must be a whole number from 1 to 1000 (is "0")'],
  [["--sites", "many"], '--sites: must be a whole number from 1 to 1000 (is "many")'],
  [["--break", "tls"], '--break: must be a cause that --break list shows (is "tls")'],
  [["--nothing"], "dev/up: unknown option '--nothing'. Its --help lists what it takes"],
  [["3"], "dev/up: too many arguments. Expected 0 arguments but got 1: 3. Its --help lists what it takes"],
] as const) {
  test(`refuses ${argv.join(" ")}`, () => {
    assert.throws(() => read(...argv), { name: "UsageError", exitCode: 2, message })
  })
}
