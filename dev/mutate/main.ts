import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { type Mutant, mutants } from "./mutants.ts"

/** Seconds that the tests of one mutant may take: one that hangs has been noticed, too. */
const DEADLINE = 120

const root = join(import.meta.dirname, "../..")
const [pattern = ""] = process.argv.slice(2)
const chosen = mutants.filter(({ file, breaks }) => `${file} ${breaks}`.includes(pattern))
/** Tests that pass while nothing is broken. */
const sound = new Set<string>()
const print = (line: string): void => void process.stdout.write(`${line}\n`)

const tree = mkdtempSync(join(tmpdir(), "fedstack-mutate-"))
try {
  copyTree(tree)
  let survivors = 0
  for (const mutant of chosen) {
    const begin = performance.now()
    const verdict = judge(tree, mutant)
    if (!verdict.startsWith("killed")) survivors += 1
    const seconds = ((performance.now() - begin) / 1000).toFixed(1)
    print(`${verdict.padEnd(24)} ${seconds.padStart(6)} s  ${mutant.file}: ${mutant.breaks}`)
  }
  print(`${chosen.length - survivors} of ${chosen.length} mutants killed`)
  process.exitCode = survivors === 0 && chosen.length > 0 ? 0 : 1
} finally {
  rmSync(tree, { recursive: true, force: true })
}

/** All files that git knows or would add, and the packages. */
function copyTree(to: string): void {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  for (const file of listed.split("\n").filter((name) => name !== "" && name !== "node_modules")) {
    cpSync(join(root, file), join(to, file), { recursive: true, force: true })
  }
  symlinkSync(join(root, "node_modules"), join(to, "node_modules"))
}

/** Breaks the file, and tests it. */
function judge(to: string, { file, find, replace, tests }: Mutant): string {
  const path = join(to, file)
  const text = readFileSync(path, "utf8")
  if (text.split(find).length !== 2) return "NOT FOUND ONCE"
  const files = tests ?? unitTestsIn(to, dirname(file))
  if (!sound.has(files.join(" "))) {
    if (runTests(to, files) !== 0) return "TESTS FAIL WITHOUT IT"
    sound.add(files.join(" "))
  }
  writeFileSync(
    path,
    text.replace(find, () => replace),
  )
  try {
    const status = runTests(to, files)
    return status === 0 ? "SURVIVED" : status === null ? "killed (hangs)" : "killed"
  } finally {
    writeFileSync(path, text)
  }
}

function unitTestsIn(to: string, folder: string): readonly string[] {
  return readdirSync(join(to, folder))
    .filter((name) => name.endsWith(".test.ts") && !name.endsWith(".e2e.test.ts"))
    .map((name) => join(folder, name))
}

/** The exit code; null where they take too long. */
function runTests(to: string, files: readonly string[]): number | null {
  const { status } = spawnSync(process.execPath, ["--test", "--test-timeout=60000", ...files], {
    cwd: to,
    stdio: "ignore",
    timeout: DEADLINE * 1000,
  })
  return status
}
