import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { readSettings } from "#core/config/read-settings.ts"
import { FaultsError } from "#core/errors.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { checkSenders } from "./check.ts"
import { checkSenders as command } from "./main.ts"

const root = join(import.meta.dirname, "../../../")
const SENDERS = "portal/tenancy/remote-write/senders/testdata"
const COMPLETE = `${SENDERS}/good/complete.yaml`
const SITES = `${SENDERS}/good/sites.yaml`
const SECRETS = { GOOD: "zJ4kq0Xw7sPl2Vn8Tb5y", CENTRAL_TOKEN: "pJ4kq0Xw7sPl2Vn8Tb5y" }
const NOW = new Date("2026-11-30T12:00:00Z")

const absolute = (word: string): string => (word.startsWith(SENDERS) ? join(root, word) : word)

/** The command in this process: what it prints, or its faults. */
async function check(args: readonly string[], env: Readonly<Record<string, string>> = SECRETS) {
  const usage = { ...command, command: "fedstack check senders", summary: "" }
  try {
    const reading = readSettings(usage, args.map(absolute), {})
    assert.ok(reading.kind === "values")
    let printed = ""
    const context = { print: (text: string) => void (printed += text), env, now: () => NOW }
    await checkSenders(reading.argument, reading.values, context)
    return { exit: 0, text: printed.replaceAll(root, "") }
  } catch (error) {
    assert.ok(error instanceof FaultsError)
    return { exit: error.exitCode, text: `${error.message.replaceAll(root, "")}\n` }
  }
}

const golden = async (name: string, found: string): Promise<string> => {
  const file = join(import.meta.dirname, "testdata", name)
  if (process.env["UPDATE"] === "1") await writeFile(file, found)
  return readFile(file, "utf8")
}

for (const [name, args] of [
  ["check-senders.txt", [COMPLETE]],
  ["check-sites.txt", ["--sites", SITES]],
] as const) {
  test(`summarises how each sender is known, and what becomes of what it writes: ${name}`, async () => {
    const found = await check(args)
    assert.deepEqual(found, { exit: 0, text: await golden(name, found.text) })
    for (const secret of Object.values(SECRETS)) assert.equal(found.text.includes(secret), false)
  })
}

test("the command names every fault with file, line and key, and ends with 1", async () => {
  const file = "testdata/bad/shape.yaml"
  const cwd = join(import.meta.dirname, "senders")
  const args = ["check", "senders", file]
  const { status, stdout, stderr } = spawnSync(join(root, "bin/fedstack"), args, { cwd, encoding: "utf8" })
  const faults = await readFile(join(cwd, file.replace("yaml", "txt")), "utf8")
  assert.deepEqual([status, stdout, stderr], [1, "", faults.replaceAll("shape.yaml", file)])
})

test("names what stands in both files", async () => {
  assert.deepEqual(await check([COMPLETE, "--sites", SITES]), {
    exit: 1,
    text: `${SITES}:17:22 sites[3].push.token.env[0]: is the same token as that of central at ${COMPLETE}:14:11 senders[1].token.secrets[0]; each sender has its own\n`,
  })
})

const explained: Readonly<Record<string, readonly string[]>> = {
  'site-a up{job="project_usages",location="x",zone="z"}': [
    'site-a writes {__name__="up",job="project_usages",location="x",zone="z"}',
    '  for site-a  {__name__="up",exported_location="x",floor="3",job="project_usages",location="city-a",site="site-a",zone="z"}',
  ],
  'site-a up{job="node"}': [
    `${COMPLETE}:2:5 senders[0]: site-a may not write {__name__="up",job="node"}: none of the selectors of site-a selects it; keep such series back with write_relabel_configs`,
  ],
  'site-a up{job="project_usages",zone="a",zone="b"}': [
    `${COMPLETE}:2:5 senders[0]: site-a may not write {__name__="up",job="project_usages",zone="a",zone="b"}: it has the label zone more than once`,
  ],
  'central up{tenant_id="team-a"}': [
    'central writes {__name__="up",tenant_id="team-a"}',
    '  for team-a  {__name__="up",tenant_id="team-a"}',
    '  for 0  {__name__="up",tenant_id="team-a"}',
  ],
  'central up{tenant_id="team-c"}': [
    `${COMPLETE}:11:5 senders[1]: central may not write {__name__="up",tenant_id="team-c"}: central may not write for the tenant "team-c"`,
  ],
  'central up{team="team-b"} --tenant-label-list=tenant_id,team --disable-full-replication --strip-tenant-label': [
    'central writes {__name__="up",team="team-b"}',
    '  for team-b  {__name__="up"}',
  ],
  "partner up": [
    'partner writes {__name__="up"}',
    "  no label names an accepted tenant (tenant_id): for default tenants alone",
    '  for 0  {__name__="up"}',
  ],
  'partner up{tenant_id="team-c"} --allow-listed-tenants=team-a': [
    'partner writes {__name__="up",tenant_id="team-c"}',
    '  the tenant "team-c" in the label tenant_id is not in the allow list: for default tenants alone',
    '  for 0  {__name__="up",tenant_id="team-c"}',
  ],
  'partner {__name__="up","é.ü"="x",tenant_id="a|b"} --unknown-tenants=refuse --allow-listed-tenants=a': [
    `${COMPLETE}:19:5 senders[2]: partner may not write {__name__="up",tenant_id="a|b","é.ü"="x"}: the tenant "a|b" in the label tenant_id must consist of letters, digits and !-_.*'() (has "|")`,
  ],
  ['site-b up{job="node",site="x"}']: [
    'site-b writes {__name__="up",job="node",site="x"}',
    '  for site-b  {__name__="up",exported_site="x",job="node",location="city-b",site="site-b"}',
  ],
  [`site-c project_vcpu_usage{job="project_usages"}`]: [
    `${SITES}:16:5 sites[3]: site-c may not write {__name__="project_vcpu_usage",job="project_usages"}: site-c is paused since 2026-11-30T14:00Z by ada (moves house): nothing that it writes is accepted until it is resumed.`,
  ],
}

for (const [line, lines] of Object.entries(explained)) {
  test(`explains what becomes of a series: ${line}`, async () => {
    const [sender = "", series = "", ...flags] = line.split(" ")
    const files = /^site-[bc]/.test(sender) ? ["--sites", SITES] : [COMPLETE]
    const text = `${lines.join("\n")}\n`
    assert.deepEqual(await check([...files, "--as", sender, "--series", series, ...flags]), {
      exit: text.includes(" may not write ") ? 1 : 0,
      text,
    })
  })
}

for (const [args, text] of [
  [[], "the file: is missing; give it, or --sites"],
  [[COMPLETE, "--as", "central"], "--as: needs --series SERIES too"],
  [[COMPLETE, "--series", "up"], "--series: needs --as SENDER too"],
  [
    [COMPLETE, "--as", "site-x", "--series", "up"],
    '--as: there is no sender "site-x"; there are site-a, central, partner',
  ],
  [
    [COMPLETE, "--as", "central", "--series", 'up{job=~"a"}'],
    '--series: must be one series, such as up{job="node"}: a label has one value, after =',
  ],
  [
    [COMPLETE, "--as", "central", "--series", "up{"],
    '--series: up{ is not a PromQL vector selector: the end at character 4, where a matcher such as job="node", a comma or } is expected.',
  ],
  [
    [COMPLETE, "--as", "central", "--series", "up", "--unknown-tenants=refuse"],
    "--unknown-tenants: has no effect without an allow list: every valid tenant is accepted",
  ],
] as const) {
  test(`needs other flags: ${text}`, async () => {
    assert.deepEqual(await check(args), { exit: 2, text: `${text}\n` })
  })
}

test("accepts the tenants of a file as well as those of flags", async (t) => {
  const list = await temporaryFolder(t).write("allowed.yaml", "tenants: [team-b]\n")
  const flags = ["--unknown-tenants=refuse", "--default-tenant-list=", "--allow-list-file", list]
  const explain = async (tenant: string) => {
    const args = [COMPLETE, "--as", "partner", "--series", `up{tenant_id="${tenant}"}`, ...flags]
    return (await check([...args, "--allow-listed-tenants=team-a"])).exit
  }
  assert.deepEqual([await explain("team-a"), await explain("team-b"), await explain("team-c")], [0, 0, 1])
})

test("docs/tenancy.md shows what its examples print", async (t) => {
  const page = await readFile(join(root, "docs/tenancy.md"), "utf8")
  const folder = temporaryFolder(t)
  const [, file = ""] = /```yaml\n(# senders\.yaml\n[^]*?)```/.exec(page) ?? []
  await folder.write("senders.yaml", file)
  const [, examples = ""] = /```console\n(\$ fedstack check senders [^]*?)```/.exec(page) ?? []
  const shown = examples.matchAll(/^\$ fedstack check senders senders\.yaml --as (\S+) --series '(.*)'\n([^$]+)/gm)
  const found: string[] = []
  for (const [, sender = "", series = "", expected] of shown) {
    const { text } = await check([join(folder.path, "senders.yaml"), "--as", sender, "--series", series])
    assert.equal(text.replaceAll(`${folder.path}/`, ""), expected)
    found.push(sender)
  }
  assert.deepEqual(found, ["gateway", "team-a"])
})
