import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { temporaryFolder } from "../../../../../dev/testing/folder.ts"
import { fakeCloud, openFor, PASSWORD, variablesFor } from "./testing.ts"

const OTHER = {
  OS_AUTH_URL: "https://other.example.org",
  OS_AUTH_TYPE: "v3applicationcredential",
  OS_APPLICATION_CREDENTIAL_ID: "other",
  OS_APPLICATION_CREDENTIAL_SECRET: "OTHER-SECRET",
  OS_PASSWORD: "OTHER-PASSWORD",
  OS_TOKEN: "OTHER-TOKEN",
  OS_SYSTEM_SCOPE: "all",
  OS_REGION_NAME: "elsewhere",
  OS_COMPUTE_ENDPOINT_OVERRIDE: "http://127.0.0.1:1/v2.1",
  OS_CLOUD: "other",
}

const linesOf = (variables: Readonly<Record<string, string>>): string =>
  Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join("")

async function setUp(t: TestContext) {
  const cloud = await fakeCloud(t)
  const { path, write } = temporaryFolder(t)
  return { cloud, variables: variablesFor(cloud.url), write, path }
}

test("a complete file is used alone: nothing of another cloud's variables in the environment is sent", async (t) => {
  const { cloud, variables, write } = await setUp(t)
  const openrc = await write("usage-openrc", linesOf(variables))
  const { get, log } = await openFor(t, { env: OTHER, openrc })
  assert.deepEqual(await get(), { ok: true })
  const user = { name: "ann", domain: { name: "Default" }, password: PASSWORD }
  const scope = { project: { name: "admin", domain: { id: "default" } } }
  assert.deepEqual(cloud.signIns, [{ auth: { identity: { methods: ["password"], password: { user } }, scope } }])
  const names = Object.keys(OTHER).toSorted().join()
  assert.match(log(), /level=warn .*variables of the environment are not used: --openrc names a file/)
  assert.ok(log().includes(`variables=${names}\n`), log())
  assert.doesNotMatch(log(), /OTHER/)
})

test("a file that was sourced too gives no warning", async (t) => {
  const { variables, write } = await setUp(t)
  const { log } = await openFor(t, { env: variables, openrc: await write("usage-openrc", linesOf(variables)) })
  assert.equal(log(), "")
})

test("what a file unsets stays unset", async (t) => {
  const { cloud, variables, write } = await setUp(t)
  const openrc = await write("usage-openrc", `${linesOf(variables)}unset OS_REGION_NAME OS_TENANT_NAME\n`)
  const { apis, get } = await openFor(t, { env: { ...variables, OS_REGION_NAME: "elsewhere" }, openrc })
  assert.equal(apis[0]?.region, undefined)
  assert.deepEqual(await get(), { ok: true })
  assert.equal(cloud.signIns.length, 1)
})

test("a file without an address, such as one of a secret, adds to the environment and wins", async (t) => {
  const { cloud, variables, write } = await setUp(t)
  const openrc = await write("secret", `OS_PASSWORD='${PASSWORD}'\n`)
  const env = { ...variables, OS_PASSWORD: "old", OS_APPLICATION_CREDENTIAL_ID: "x", OS_TOKEN: "OLD" }
  assert.deepEqual(await (await openFor(t, { env, openrc })).get(), { ok: true })
  assert.equal(cloud.signIns[0]?.auth.identity.password?.user.password, PASSWORD)
})

test("a file that is emptied or cut later gives no way to the environment's cloud", async (t) => {
  const { cloud, variables, write } = await setUp(t)
  const other = await fakeCloud(t)
  const openrc = await write("usage-openrc", linesOf(variables))
  cloud.lifetime = 0 // a sign-in for each request
  const { get } = await openFor(t, { env: variablesFor(other.url), openrc })
  await get()
  await write("usage-openrc", "")
  await assert.rejects(get(), { name: "ConfigurationError", message: `${openrc}: sets no OS_* variable` })
  await write("usage-openrc", "export OS_USERNAME=ann\n")
  await assert.rejects(get(), { message: `${openrc}: sets OS_AUTH_URL no more, as it did at the start` })
  await write("usage-openrc", linesOf(variables))
  await get()
  assert.deepEqual([cloud.signIns.length, other.signIns.length], [2, 0])
})

test("faults name the file and line that they are in, and what is missing names the file", async (t) => {
  const { write } = await setUp(t)
  const openrc = await write(
    "usage-openrc",
    "OS_AUTH_URL=k.example.org\nOS_USERNAME=ann\n\nOS_INTERFACE=outside\n. more\n",
  )
  await assert.rejects(openFor(t, { env: { OS_INTERFACE: "public", ...OTHER }, openrc }), {
    name: "ConfigurationError",
    message: [
      `${openrc}: OS_USER_DOMAIN_NAME (or OS_USER_DOMAIN_ID) is missing. Line 5 may set it, but no other file is read and no command run: write it here`,
      `${openrc}: OS_PASSWORD is missing. OS_PASSWORD of the environment is not used, because OS_AUTH_URL beside it is that of another cloud or user`,
      `${openrc}: OS_PROJECT_NAME (or OS_PROJECT_ID or OS_DOMAIN_NAME or OS_SYSTEM_SCOPE) is missing. Line 5 may set it, but no other file is read and no command run: write it here`,
      `${openrc}:1: OS_AUTH_URL must be a URL that starts with http:// or https://`,
      `${openrc}:4: OS_INTERFACE must be public, internal or admin`,
    ].join("\n"),
  })
})

test("a region that a file makes by a command is a fault: another one would be read", async (t) => {
  const { variables, write } = await setUp(t)
  const openrc = await write("usage-openrc", `${linesOf(variables)}export OS_REGION_NAME=$(region)\n`)
  const literally = "Write the value literally, OS_REGION_NAME='…', in single quotes where it holds $ or a blank"
  await assert.rejects(openFor(t, { openrc }), {
    message: `${openrc}:7: OS_REGION_NAME is made by a command, and no command is run. ${literally}`,
  })
  assert.equal((await openFor(t, { openrc, regions: ["north"] })).apis[0]?.region, "north")
})

const DASHBOARD = `read -sr OS_PASSWORD_INPUT
export OS_PASSWORD=$OS_PASSWORD_INPUT
`

test("what a file reads from a terminal is a fault where it is needed, and the environment can give it", async (t) => {
  const { cloud, variables, write } = await setUp(t)
  const { OS_PASSWORD: _, ...others } = variables
  const openrc = await write("usage-openrc", linesOf(others) + DASHBOARD)
  const prompt = `${openrc}:6: OS_PASSWORD is read from a terminal, and there is none. Replace this line by OS_PASSWORD='…' and keep the file to yourself (chmod 600), or set OS_PASSWORD in the environment`
  await assert.rejects(openFor(t, { openrc }), { message: prompt })
  await assert.rejects(openFor(t, { env: { ...OTHER, OS_PASSWORD: "OTHER" }, openrc }), {
    message: `${prompt}. OS_PASSWORD of the environment is not used, because OS_AUTH_URL beside it is that of another cloud or user`,
  })
  for (const env of [{ OS_PASSWORD: PASSWORD }, variables]) {
    const { get, log } = await openFor(t, { env, openrc })
    assert.deepEqual([await get(), log()], [{ ok: true }, ""])
  }
  const credential = "OS_APPLICATION_CREDENTIAL_ID=c1\nOS_APPLICATION_CREDENTIAL_SECRET=s\n"
  const unused = await write("usage-openrc", linesOf(others) + DASHBOARD + credential)
  assert.deepEqual(await (await openFor(t, { openrc: unused })).get(), { ok: true })
  assert.equal(cloud.signIns.length, 3)
})

test("a file that says where but not who signs in takes who from the environment, unless that is for elsewhere", async (t) => {
  const { cloud, variables, write } = await setUp(t)
  const { OS_USERNAME = "", OS_PASSWORD = "", OS_USER_DOMAIN_NAME = "", ...where } = variables
  const openrc = await write("usage-openrc", linesOf(where))
  const env = { OS_USERNAME, OS_PASSWORD, OS_USER_DOMAIN_NAME }
  const { get, log } = await openFor(t, { env, openrc })
  assert.deepEqual([await get(), log()], [{ ok: true }, ""])
  await assert.rejects(openFor(t, { env: { ...env, OS_AUTH_URL: "https://other.example.org" }, openrc }), {
    message: [
      `${openrc}: OS_USERNAME (or OS_USER_ID) is missing. OS_USERNAME, OS_USER_DOMAIN_NAME, OS_PASSWORD of the environment are not used, because OS_AUTH_URL beside it is that of another cloud or user`,
      `${openrc}: OS_USER_DOMAIN_NAME (or OS_USER_DOMAIN_ID) is missing`,
      `${openrc}: OS_PASSWORD is missing`,
    ].join("\n"),
  })
  assert.equal(cloud.signIns.length, 1)
  // with a password in the file, no credential of another kind is taken
  const secret = await write("usage-openrc", linesOf({ ...where, OS_PASSWORD }))
  const more = { OS_APPLICATION_CREDENTIAL_ID: "other", OS_APPLICATION_CREDENTIAL_SECRET: "OTHER", OS_TOKEN: "OTHER" }
  const both = await openFor(t, { env: { ...env, ...more, OS_PASSWORD: "OTHER" }, openrc: secret })
  assert.deepEqual(await both.get(), { ok: true })
  assert.ok(!JSON.stringify(cloud.signIns).includes("OTHER"))
})

const CLOUDS = (url: string, more = "") => `clouds:
  site:
    auth: {auth_url: "${url}", username: ann, user_domain_name: Default, project_name: admin, project_domain_id: default}
${more}`

test("OS_PASSWORD beside a clouds.yaml without one is used, unless it is another user's or there are several clouds", async (t) => {
  const { cloud, write, path: HOME } = await setUp(t)
  const file = await write(".config/openstack/clouds.yaml", CLOUDS(cloud.url))
  const env = { HOME, OS_CLOUD: "site", OS_PASSWORD: PASSWORD }
  assert.deepEqual(await (await openFor(t, { env })).get(), { ok: true })
  await assert.rejects(openFor(t, { env: { ...env, OS_USERNAME: "bob" } }), {
    message: `${file}: clouds.site.auth.password is missing. OS_PASSWORD of the environment is not used, because OS_USERNAME beside it is that of another cloud or user`,
  })
  await write(".config/openstack/clouds.yaml", CLOUDS(cloud.url, `  more: {auth: {auth_url: "${cloud.url}"}}\n`))
  await assert.rejects(openFor(t, { env: { ...env, OS_CLOUD: "site,more" } }), {
    message: `${file}: clouds.site.auth.password is missing`,
  })
})

test("refuses a cloud of clouds.yaml beside a file that describes another", async (t) => {
  const { variables, write } = await setUp(t)
  const openrc = await write("usage-openrc", linesOf(variables))
  await assert.rejects(openFor(t, { openrc, clouds: ["site"] }), {
    message: `--os-cloud: names a cloud of clouds.yaml, and ${openrc} (--openrc, FEDSTACK_OPENRC) describes another. Keep one of the two`,
  })
})

test("a refused sign-in names where the credentials are from, and blanks around them", async (t) => {
  const { cloud, variables, write } = await setUp(t)
  const openrc = await write("usage-openrc", linesOf({ ...variables, OS_USERNAME: "ann ", OS_PASSWORD: "SECRET" }))
  const { get } = await openFor(t, { openrc })
  await assert.rejects(get(), {
    message: `${cloud.url}/v3 refuses the sign-in of user ann  (401), from ${openrc}. Check user, domain and password, and that the user has a role on the project, domain or system it signs in to. A blank is at the beginning or end of username. It is tried again as soon as the credentials change, else every 5 minutes, so that the account is not locked`,
  })
})
