import assert from "node:assert/strict"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { checkSites } from "./check.ts"
import { scratch } from "./testing.ts"

async function check(t: TestContext, sites: string): Promise<string> {
  const folder = await scratch(t)
  await writeFile(join(folder, "secret"), "s3cret")
  await writeFile(join(folder, "own.pem"), own.cert)
  await writeFile(join(folder, "own.key"), own.key)
  await writeFile(join(folder, "sites.yaml"), `sites:\n${sites}`)
  let printed = ""
  const context = { print: (text: string) => (printed += text), env: {}, signal: new AbortController().signal }
  await checkSites(join(folder, "sites.yaml"), context)
  return printed.replaceAll(folder, "DIR")
}
const own = makeAuthority("ca").issue({ name: "portal" })

test("check sites shows how a site is reached and what becomes of its series, and no secret", async (t) => {
  const printed = await check(
    t,
    `
  - name: a
    url: https://a.example.org
    match: [up]
    basic_auth: {username: u, password_file: secret}
    tls: {cert_file: own.pem, key_file: own.key}
    proxy_url: http://proxy.example.org:3128/
    drop_labels: [prometheus, prometheus_replica]
    metric_relabel_configs: [{action: labeldrop, regex: pod_.*}]
  - name: b
    url: https://b.example.org
    match: [up]
    oauth2: {client_id: portal, client_secret_file: secret, token_url: "http://login.example.org/token"}
`,
  )
  assert.equal(
    printed,
    `DIR/sites.yaml: 2 sites, each up to 268435456 bytes and 1000000 series a scrape

a
  url      https://a.example.org/federate
  labels   site="a"
  match    up
  scraped  every 30s, for at most 30s
  tls      cert_file own.pem, key_file own.key
  through  http://proxy.example.org:3128
  sends    a password as user u, and a client certificate
  drops    prometheus, prometheus_replica
  relabels regex "pod_.*", action "labeldrop"

b
  url      https://b.example.org/federate
  labels   site="b"
  match    up
  scraped  every 30s, for at most 30s
  sends    a bearer token of http://login.example.org for portal
  warning  the client secret of oauth2 crosses the network unencrypted: give its server TLS, and token_url https://
`,
  )
})

for (const [ofA, ofB, expected] of [
  ["{job=~'kube.*'}", "{job='node'}", undefined],
  ["up", "node_load1", undefined],
  ["{__name__=~'a.*'}", "{__name__=~'b.*'}", undefined],
  ["{a='1'}", "{a!='1',b='2'}", undefined],
  ["{a=''}", "{a=~'.+'}", undefined],
  ["{a='1'}", "{b='2'}", "{b='2'} and {a='1'} of a"],
  ["{a='1',b='2'}", "{a='1',b=~'2.*'}", "{a='1',b=~'2.*'} and {a='1',b='2'} of a"],
  ["up", "{__name__=~'u.*'}", "{__name__=~'u.*'} and up of a"],
  ["{job=~'kube.*'}", "{job=~'.*let'}", "{job=~'.*let'} and {job=~'kube.*'} of a"],
] as const) {
  test(`entries of one url with ${ofA} and ${ofB} are ${expected === undefined ? "not warned of" : "warned of"}`, async (t) => {
    const site = (name: string, match: string) =>
      `  - {name: ${name}, url: "https://a.example.org", labels: {location: city}, match: ["${match}"], token: {file: secret}}\n`
    const printed = await check(
      t,
      site("a", ofA) + site("b", ofB) + site("c", "x").replace("a.ex", "c.ex").replace("city", "other"),
    )
    assert.deepEqual(
      printed.match(/^ {2}warning .*$/gm),
      expected === undefined
        ? null
        : [`  warning  ${expected} may select the same series of one url: sums over both count them twice`],
    )
  })
}

test("entries of one url with more selectors than can be compared are warned of, and cost no more", async (t) => {
  const site = (name: string, more: string): string => {
    const match = Array.from({ length: 150 }, (_, index) => `{__name__=~"${name}_${index}_.*"}`)
    return `  - {name: ${name}, url: "https://a.example.org", token: {file: secret}, match: ${JSON.stringify([...match, more])}}\n`
  }
  const printed = await check(t, site("a", "up") + site("b", "down") + site("c", "left"))
  assert.deepEqual(printed.match(/^(?:[a-c]|  warning .*)$/gm), [
    "a",
    "b",
    "  warning  its selectors and those of a, which has its url too, are too many to be compared: a series that both select counts twice in sums over both",
    "c",
    "  warning  its selectors and those of a, which has its url too, are too many to be compared: a series that both select counts twice in sums over both",
    "  warning  its selectors and those of b, which has its url too, are too many to be compared: a series that both select counts twice in sums over both",
  ])
})

test("check sites warns of a request that a site's proxy refuses unless its limits are raised", async (t) => {
  const selectors = (count: number, of: string): string =>
    JSON.stringify(Array.from({ length: count }, (_, index) => `${of}_${index}`))
  const site = (name: string, match: string): string =>
    `  - {name: ${name}, url: "https://${name}.example.org", token: {file: secret}, match: ${match}}\n`
  const printed = await check(
    t,
    site("a", selectors(1024, "up")) +
      site("b", selectors(1025, "up")) +
      site("c", JSON.stringify([`{x="${"y".repeat(20_000)}"}`])) +
      site("d", selectors(1000, "u".repeat(300))),
  )
  const todo =
    "the default of a site's proxy: have the site raise it, or spread the selectors over several entries with its url"
  assert.deepEqual(printed.match(/^(?:[a-d]|  warning .*)$/gm), [
    "a",
    "b",
    `  warning  its request has 1025 selectors, more than the limit selectors of 1024, ${todo}`,
    "c",
    `  warning  its request has a selector of 20006 characters, more than the limit selector_characters of 16384, ${todo}`,
    "d",
    `  warning  its request has some ${4096 + 1000 * (13 + 301) + 2890} bytes, more than the limit request_bytes of 262144, ${todo}`,
  ])
})

test("check sites warns of the sites whose token crosses the network unencrypted", async (t) => {
  const file = join(await scratch(t), "sites.yaml")
  const site = (name: string, url: string) => `  - {name: ${name}, url: "${url}", token: {env: SITE_TOKEN}}\n`
  await writeFile(file, `sites:\n${site("a", "http://a.example.org")}${site("b", "https://b.example.org")}`)
  let printed = ""
  const env = { SITE_TOKEN: "s3cret" }
  await checkSites(file, { print: (text) => (printed += text), env, signal: new AbortController().signal })
  assert.equal(
    printed,
    `${file}: 2 sites, each up to 268435456 bytes and 1000000 series a scrape

a
  url      http://a.example.org/federate
  labels   site="a"
  match    {job="project_usages",__name__=~"project_.*_usage"}
  scraped  every 30s, for at most 30s
  sends    a bearer token
  warning  credentials and data cross the network unencrypted: give the site TLS, and its url https://

b
  url      https://b.example.org/federate
  labels   site="b"
  match    {job="project_usages",__name__=~"project_.*_usage"}
  scraped  every 30s, for at most 30s
  sends    a bearer token
`,
  )
})
