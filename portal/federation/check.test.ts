import assert from "node:assert/strict"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { checkSites } from "./check.ts"
import { scratch } from "./testing.ts"

test("check sites warns of the sites whose token crosses the network unencrypted", async (t) => {
  const file = join(await scratch(t), "sites.yaml")
  const site = (name: string, url: string) => `  - {name: ${name}, url: "${url}", token: {env: SITE_TOKEN}}\n`
  await writeFile(file, `sites:\n${site("a", "http://a.example.org")}${site("b", "https://b.example.org")}`)
  let printed = ""
  checkSites(file, { print: (text) => (printed += text), env: { SITE_TOKEN: "s3cret" } })
  assert.equal(
    printed,
    `${file}: 2 sites, each up to 268435456 bytes and 1000000 series a scrape

a
  url      http://a.example.org/federate
  labels   site="a"
  match    {job="project_usages",__name__=~"project_.*_usage"}
  scraped  every 30s, for at most 30s
  warning  token and data cross the network unencrypted: give the site TLS, and its url https://

b
  url      https://b.example.org/federate
  labels   site="b"
  match    {job="project_usages",__name__=~"project_.*_usage"}
  scraped  every 30s, for at most 30s
`,
  )
})
