import assert from "node:assert/strict"
import { cp } from "node:fs/promises"
import { join } from "node:path"
import test, { type TestContext } from "node:test"
import { start } from "../testing/child.ts"
import { temporaryFolder } from "../testing/folder.ts"
import { checks } from "./checks.ts"

const main = join(import.meta.dirname, "main.ts")

/** Runs dev/test's program in a folder that holds some of the files of testdata/ as tests. */
async function runIn(
  context: TestContext,
  files: Readonly<Record<string, string>>,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | string; output: string }> {
  const folder = temporaryFolder(context).path
  for (const [name, source] of Object.entries(files)) {
    await cp(join(import.meta.dirname, "testdata", source), join(folder, name))
  }
  // node:test refuses to run inside a test, so the child must not know that it does
  const child = start("env", ["-u", "NODE_TEST_CONTEXT", "-C", folder, process.execPath, main, ...args], {
    FEDSTACK_TEST_ALL: "",
    FEDSTACK_PROMETHEUS_DIR: "none is needed here",
    ...env,
  })
  const code = await child.ended
  const output = child
    .output()
    .replaceAll(/ +[\d.]+ s$/gm, "")
    .replaceAll(/^ +at .*\n/gm, "")
  return { code, output }
}

test("runs unit tests first, then those with real components, and ends with the sum", async (context) => {
  const files = { "a/b.e2e.test.ts": "passing.ts", "z.test.ts": "passing.ts" }
  assert.deepEqual(await runIn(context, files, [".test.ts"]), {
    code: 0,
    output: `
Unit and property tests
  ok      z.test.ts (2 tests)

Tests with real components
  ok      a/b.e2e.test.ts (2 tests)

4 passed, 0 failed, 0 skipped
`,
  })
})

test("FEDSTACK_TEST_SEED repeats what properties draw that set no seed", async (context) => {
  const draw = async (seed: string) => {
    const env = { FEDSTACK_TEST_SEED: seed, FAST_CHECK: import.meta.resolve("fast-check") }
    return /draws: (?:Error: )?(\d+ \d+ \d+)$/m.exec(
      (await runIn(context, { "d.test.ts": "drawing.ts" }, ["d.test"], env)).output,
    )?.[1]
  }
  const [first, again, other] = [await draw("1"), await draw("1"), await draw("2")]
  assert.ok(first !== undefined && other !== undefined)
  assert.deepEqual([again === first, other === first], [true, false])
})

test("shows a failed test with its file, line, name and reason, and ends with 1", async (context) => {
  assert.deepEqual(await runIn(context, { "f.test.ts": "failing.ts" }, ["f.test"]), {
    code: 1,
    output: `
Unit and property tests
  FAILED  f.test.ts (1 test, 1 failed)
          a suite › around › fails: AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:

Failed:
  f.test.ts:5  a suite › around › fails
    AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:

    1 !== 2

    last output of the file:
      what the test wrote

0 passed, 1 failed, 0 skipped
`,
  })
})

test("shows a skipped test with its reason", async (context) => {
  assert.deepEqual(await runIn(context, { "s.test.ts": "skipping.ts" }, ["s.test"]), {
    code: 0,
    output: `
Unit and property tests
  ok      s.test.ts (1 test, 1 skipped)

Skipped:
  s.test.ts:3  needs more
    no such component here

0 passed, 0 failed, 1 skipped
`,
  })
})

test("counts a skip as a failure where everything must run", async (context) => {
  const { code, output } = await runIn(context, { "s.test.ts": "skipping.ts" }, ["s.test"], { FEDSTACK_TEST_ALL: "1" })
  assert.equal(code, 1)
  assert.equal(
    output.slice(output.indexOf("Failed:")),
    `Failed:
  s.test.ts:3  needs more
    skipped, although FEDSTACK_TEST_ALL=1: no such component here

0 passed, 1 failed, 0 skipped
`,
  )
})

test("counts a file that cannot be loaded, and one without a test, as failures", async (context) => {
  const { code, output } = await runIn(context, { "b.test.ts": "broken.ts", "e.test.ts": "empty.ts" }, [".test"])
  assert.equal(code, 1)
  assert.match(output, /^ {2}b\.test\.ts:1 {2}the file as a whole\n[^]*Error: broken from the start\n/m)
  assert.match(output, /^ {2}e\.test\.ts:1 {2}the file as a whole\n {4}it holds no test\n/m)
  assert.match(output, /\n0 passed, 2 failed, 0 skipped\n$/)
})

test("counts a test that another file declares for the file that calls it", async (context) => {
  const { code, output } = await runIn(context, { "a.test.ts": "elsewhere.ts", "declared.ts": "declared.ts" }, [
    "a.test",
  ])
  assert.equal(code, 1)
  assert.match(output, /^ {2}declared\.ts:4 {2}is declared by another file\n {4}Error: fails there\n/m)
  assert.match(output, /\n1 passed, 1 failed, 0 skipped\n$/)
})

test("counts a file whose process ends before its last test, and reports how it ended", async (context) => {
  const files = { "e.test.ts": "ending.ts", "k.test.ts": "killed.ts", "l.test.ts": "late.ts" }
  const { code, output } = await runIn(context, files, [".test"])
  assert.equal(code, 1)
  assert.match(
    output,
    /^ {2}e\.test\.ts:1 {2}the file as a whole\n {4}its process ended before its last test was done\n/m,
  )
  assert.match(output, /^ {2}k\.test\.ts:1 {2}the file as a whole\n {4}its process was ended by SIGKILL\n/m)
  assert.match(output, /^ {2}l\.test\.ts:1 {2}the file as a whole\n {4}its process ended with 1\n[^]*thrown too late/m)
  assert.match(output, /\n2 passed, 3 failed, 0 skipped\n$/)
})

test("shows a skipped suite with its reason", async (context) => {
  const { output } = await runIn(context, { "s.test.ts": "skipping-suite.ts" }, ["s.test"])
  assert.match(
    output,
    /\nSkipped:\n {2}s\.test\.ts:4 {2}a suite\n {4}no such component here\n\n1 passed, 0 failed, 1 skipped\n$/,
  )
})

test("counts a check that cannot run as a failed one, and goes on to the sum", async (context) => {
  const { code, output } = await runIn(context, {}, ["licences"])
  assert.equal(code, 1)
  assert.match(output, /\nFailed:\n {2}licences\n[^]*package-lock\.json[^]*\n0 passed, 1 failed, 0 skipped\n$/)
})

test("refuses a pattern that nothing matches", async (context) => {
  assert.deepEqual(await runIn(context, { "z.test.ts": "passing.ts" }, ["nonsense"]), {
    code: 2,
    output: "dev/test: no check and no test file matches nonsense\n",
  })
})

for (const args of [["--help"], ["lint", "-h"]]) {
  test(`dev/test ${args.join(" ")} shows its help, which names every check, and installs nothing`, async (context) => {
    const { path } = temporaryFolder(context)
    for (const file of ["dev/test", "dev/checks/help.txt"]) await cp(join(main, "../../..", file), join(path, file))
    const child = start(join(path, "dev/test"), args)
    assert.equal(await child.ended, 0)
    const help = child.output()
    assert.deepEqual(await runIn(context, {}, ["--help"]), { code: 0, output: help })
    const [, named = ""] = /^Checks: ([^.]*)\.$/m.exec(help.replaceAll(/,\n/g, ", ")) ?? []
    assert.deepEqual(
      named.replaceAll("\n", " ").split(", "),
      checks.map(({ name }) => name),
    )
    assert.deepEqual(
      help.split("\n").filter((line) => line.length > 80),
      [],
    )
  })
}
