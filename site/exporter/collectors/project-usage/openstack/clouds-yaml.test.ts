import assert from "node:assert/strict"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { temporaryFolder } from "../../../../../dev/testing/folder.ts"
import { readClouds } from "./clouds-yaml.ts"
import { fakeCloud, openFor, PASSWORD, variablesFor } from "./testing.ts"

const CLOUDS = `
clouds:
  site:
    auth:
      auth_url: https://k.example.org
      username: ann
      user-domain-name: Default
      project_name: admin
      project_domain_id: default
      password: 12345
    regions:
      - north
      - name: south
        values: {interface: internal, auth: {project_name: southern}}
    identity_api_version: 3
    verify: false
    networks: [{name: ignored}]
  other:
    auth_type: v3applicationcredential
    auth: {auth_url: "https://o.example.org", application_credential_id: c1}
    region_name: one, two
`

async function clouds(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
) {
  const { path, write } = temporaryFolder(t)
  for (const [name, text] of Object.entries(files)) await write(name, text)
  const found = await readClouds({ HOME: path, ...env })
  if (found === undefined) throw new Error("no clouds.yaml")
  return found
}

test("reads a cloud, the regions of each and a region's own values", async (t) => {
  const found = await clouds(t, { ".config/openstack/clouds.yaml": CLOUDS })
  assert.deepEqual(found.names, ["site", "other"])
  assert.deepEqual(found.regionsOf("site"), ["north", "south"])
  assert.deepEqual(found.regionsOf("other"), ["one", "two"])
  assert.deepEqual(Object.fromEntries(found.settingsOf("site", "south").values), {
    auth_url: "https://k.example.org",
    username: "ann",
    user_domain_name: "Default",
    project_name: "southern",
    project_domain_id: "default",
    password: "12345",
    interface: "internal",
    identity_api_version: "3",
    verify: "false",
  })
  assert.equal(found.settingsOf("site", "north").values.get("project_name"), "admin")
})

const written: readonly (readonly [text: string, value: string | undefined])[] = [
  ["0123456", "0123456"],
  ["0x10", "0x10"],
  ["0o17", "0o17"],
  ["1e5", "1e5"],
  ["1.10", "1.10"],
  ["+1", "+1"],
  ["1_000", "1_000"],
  [".inf", ".inf"],
  ["yes", "yes"],
  ["True", "True"],
  ["2026-01-01", "2026-01-01"],
  ["12345678901234567890123456789012", "12345678901234567890123456789012"],
  ["'0x10'", "0x10"],
  ["'null'", "null"],
  ['" a "', " a "],
  ["null", undefined],
  ["~", undefined],
  ["", undefined],
  ["''", undefined],
]
for (const [text, value] of written) {
  test(`takes ${text === "" ? "nothing" : text} as it is written`, async (t) => {
    const yaml = `clouds:\n  0123:\n    auth:\n      password: ${text}\n    region_name: ${text}\n`
    const found = await clouds(t, { ".config/openstack/clouds.yaml": yaml })
    assert.deepEqual(found.names, ["0123"])
    assert.equal(found.settingsOf("0123", undefined).values.get("password"), value)
    assert.deepEqual(found.regionsOf("0123"), value === undefined ? [] : [value.trim()])
  })
}

test("merges what merge keys name, at every level and from lists of them", async (t) => {
  const yaml = `
x-base: &base
  auth: &auth {auth_url: https://k.example.org, username: ann, password: 0123}
  region_name: RegionOne
x-more: &more {interface: internal, region_name: other}
clouds:
  admin:
    <<: *base
    auth:
      <<: *auth
      project_name: admin
      username: bob
  listed:
    <<: [*base, *more]
`
  const found = await clouds(t, { ".config/openstack/clouds.yaml": yaml })
  assert.deepEqual(Object.fromEntries(found.settingsOf("admin", undefined).values), {
    auth_url: "https://k.example.org",
    username: "bob",
    password: "0123",
    project_name: "admin",
    region_name: "RegionOne",
  })
  assert.deepEqual(Object.fromEntries(found.settingsOf("listed", undefined).values), {
    auth_url: "https://k.example.org",
    username: "ann",
    password: "0123",
    region_name: "RegionOne",
    interface: "internal",
  })
})

test("faults name the place in the file that a value is from", async (t) => {
  const { path: HOME, write } = temporaryFolder(t)
  const yaml = `clouds:\n  site:\n    profile: vexxhost\n    auth: {username: a, user_domain_id: d, project_id: p}\n    interface: outside\n`
  const file = await write(".config/openstack/clouds.yaml", yaml)
  const secure = "clouds:\n  site:\n    auth:\n      password: x\n      system_scope: SECRET\n"
  const secureFile = await write(".config/openstack/secure.yaml", secure)
  await assert.rejects(openFor(t, { env: { HOME } }), {
    message: [
      `${file}: clouds.site.auth.auth_url is missing. profile: vexxhost is not looked up, write what it stands for`,
      `${file}:5:5 clouds.site.interface: must be public, internal or admin`,
      `${secureFile}:5:7 clouds.site.auth.system_scope: must be all`,
    ].join("\n"),
  })
})

test("adds the settings of secure.yaml", async (t) => {
  const found = await clouds(t, {
    ".config/openstack/clouds.yaml": CLOUDS,
    ".config/openstack/secure.yaml": "clouds: {other: {auth: {application_credential_secret: s}}}",
  })
  const { values } = found.settingsOf("other", "one")
  assert.deepEqual([values.get("application_credential_id"), values.get("application_credential_secret")], ["c1", "s"])
})

test("the file that OS_CLIENT_CONFIG_FILE names wins, and is missed when it is not there", async (t) => {
  const { path, write } = temporaryFolder(t)
  await write(".config/openstack/clouds.yaml", CLOUDS)
  const named = await write("mine.yaml", "clouds: {mine: {}}")
  const own = await readClouds({ HOME: path, OS_CLIENT_CONFIG_FILE: named })
  assert.deepEqual(own?.names, ["mine"])
  const missing = join(path, "missing.yaml")
  await assert.rejects(readClouds({ HOME: path, OS_CLIENT_CONFIG_FILE: missing }), {
    message: `${missing}: cannot be read: ENOENT: no such file or directory`,
  })
})

test("reports what is wrong in the file, with its line", async (t) => {
  const { path, write } = temporaryFolder(t)
  const file = await write(".config/openstack/clouds.yaml", "clouds:\n  a: {auth: SECRET}\n  b:\n    regions: {}\n")
  await assert.rejects(readClouds({ HOME: path }), {
    message: `${file}:2:7 clouds.a.auth: must be a map of settings\n${file}:4:5 clouds.b.regions: must be a list of regions`,
  })
})

test("opens every region of every cloud that is named, and reads secrets again", async (t) => {
  const cloud = await fakeCloud(t)
  const { path, write } = temporaryFolder(t)
  const text = CLOUDS.replace("https://k.example.org", cloud.url)
  await write(".config/openstack/clouds.yaml", text)
  await write(".config/openstack/secure.yaml", "clouds: {other: {auth: {application_credential_secret: s}}}")
  const opened = await openFor(t, { env: { HOME: path }, clouds: ["site", "other"] })
  assert.deepEqual(
    opened.apis.map((api) => [api.cloud, api.region]),
    [
      ["site", "north"],
      ["site", "south"],
      ["other", "one"],
      ["other", "two"],
    ],
  )
  await assert.rejects(opened.get(), /refuses the sign-in of user ann \(401\)/)
  await write(".config/openstack/clouds.yaml", text.replace("12345", `'${PASSWORD}'`))
  assert.deepEqual(await opened.get(), { ok: true })
  assert.match(
    await opened.metrics(),
    /^fedstack_openstack_requests_total\{service="identity",outcome="unauthorized",cloud="site",region="north"\} 1$/m,
  )
})

test("chooses the only cloud by itself, and requires a choice where there are several", async (t) => {
  const { path, write } = temporaryFolder(t)
  const auth = "{auth_url: 'http://k', username: a, user_domain_id: d, project_id: p, password: x}"
  const file = await write(".config/openstack/clouds.yaml", `clouds: {one: {auth: ${auth}}}`)
  assert.deepEqual(
    (await openFor(t, { env: { HOME: path } })).apis.map(({ cloud }) => cloud),
    ["one"],
  )
  await write(".config/openstack/clouds.yaml", `clouds: {one: {auth: ${auth}}, two: {auth: ${auth}}}`)
  await assert.rejects(openFor(t, { env: { HOME: path } }), {
    message: `${file}: has 2 clouds: one, two. Set OS_CLOUD or --os-cloud to those that are wanted`,
  })
  await assert.rejects(openFor(t, { env: { HOME: path, OS_CLOUD: "three" } }), {
    message: `${file}: has no cloud "three". It has one, two: set OS_CLOUD or --os-cloud`,
  })
  await write("none.yaml", `one: {auth: ${auth}}`)
  const none = { HOME: path, OS_CLOUD: "one", OS_CLIENT_CONFIG_FILE: `${path}/none.yaml` }
  await assert.rejects(openFor(t, { env: none }), {
    message: `${path}/none.yaml: has no cloud "one". It has none: they stand below the key clouds`,
  })
  const chosen = await openFor(t, { env: { HOME: path, OS_CLOUD: "two,one" } })
  assert.deepEqual(
    chosen.apis.map(({ cloud }) => cloud),
    ["two", "one"],
  )
})

test("reports an unknown region, and what is missing by its key", async (t) => {
  const { path, write } = temporaryFolder(t)
  const file = await write(".config/openstack/clouds.yaml", CLOUDS)
  await assert.rejects(openFor(t, { env: { HOME: path, OS_CLOUD: "site", OS_REGION_NAME: "west" } }), {
    message: `${file}: cloud site has no region west. It has north, south`,
  })
  await assert.rejects(openFor(t, { env: { HOME: path, OS_CLOUD: "other" } }), {
    message: `${file}: clouds.other.auth.application_credential_secret is missing`,
  })
})

test("a file of variables that is named wins over a cloud that the environment names", async (t) => {
  const cloud = await fakeCloud(t)
  const { write } = temporaryFolder(t)
  const lines = Object.entries(variablesFor(cloud.url)).map(([name, value]) => `export ${name}='${value}'`)
  const openrc = await write("usage-openrc", lines.join("\n"))
  const opened = await openFor(t, { env: { OS_CLOUD: "other", OS_PASSWORD: "wrong" }, openrc })
  assert.deepEqual(await opened.get(), { ok: true })
  assert.deepEqual([opened.apis[0]?.cloud, opened.apis[0]?.region], [undefined, undefined])
})
