import assert from "node:assert/strict"
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { readText } from "#core/files/read-text.ts"
import { ConfigurationError } from "#core/errors.ts"
import { loadPlan } from "./load.ts"
import { testInputs } from "./testing.ts"

const complete = join(import.meta.dirname, "testdata/complete")
const env = { TOKEN_B: "variable-token-of-b" }

async function load(folder: string, version = { major: 3, minor: 5 }, configDir = "/nowhere") {
  const plan = await loadPlan(
    {
      sitesFile: join(folder, "sites.yaml"),
      baseConfig: join(folder, "base.yml"),
      prometheusVersion: version,
    },
    [{ name: "prometheus:9090", url: new URL("http://prometheus:9090"), folder: configDir, named: false }],
    testInputs(env, readText),
  )
  return { ...plan, ...plan.of() }
}

for (const [version, file] of [
  [{ major: 3, minor: 5 }, "prometheus-3.5.yml"],
  [{ major: 2, minor: 42 }, "prometheus-2.42.yml"],
] as const) {
  test(`makes ${file} of a complete sites.yaml and base configuration`, async () => {
    const { files } = await load(complete, version)
    assert.equal(files.at(-1)?.content, await readFile(join(complete, file), "utf8"))
  })
}

test("lists tokens, TLS files and rules, the configuration last", async () => {
  const { files } = await load(complete)
  const text = (name: string) => readFile(join(complete, name), "utf8")
  assert.deepEqual(files.slice(0, -1), [
    { path: "tokens/site-a.7d65895d", content: "file-token-of-a", mode: 0o640 },
    { path: "tls/site-a.ca.pem", content: await text("ca.pem"), mode: 0o640 },
    { path: "tokens/Site-B.2.e92ee301", content: "variable-token-of-b", mode: 0o640 },
    { path: "rules/own.yml", content: await text("rules/own.yml"), mode: 0o640 },
  ])
  assert.equal(files.at(-1)?.path, "prometheus.yml")
})

async function faultsWith(t: TestContext, base: string, configDir?: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-load-"))
  t.after(() => rm(folder, { recursive: true }))
  await cp(complete, folder, { recursive: true })
  await writeFile(join(folder, "base.yml"), base)
  try {
    await load(folder, undefined, configDir === undefined ? undefined : join(folder, configDir))
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message.replaceAll(folder, "DIR")
    throw error
  }
  return "no fault"
}

test("refuses a job of the base configuration that is named as a site", async (t) => {
  assert.equal(
    await faultsWith(t, "scrape_configs:\n  - job_name: site-a\n"),
    "DIR/base.yml:2:5 scrape_configs[0].job_name: site-a is the name of a site in DIR/sites.yaml too; rename this job",
  )
})

test("refuses rule files that are missing or share a name, and wrong types, all at once", async (t) => {
  assert.equal(
    await faultsWith(t, "rule_files: [gone.yml, rules/own.yml, ./rules/*.yml]\n"),
    "DIR/base.yml:1:14 rule_files[0]: there is no file DIR/gone.yml\n" +
      "DIR/base.yml:1:39 rule_files[2]: matches a second rule file called own.yml",
  )
  assert.equal(
    await faultsWith(t, "rule_files: a\nscrape_configs: [{}, x]\n"),
    "DIR/base.yml:1:1 rule_files: must be a list of files\n" +
      "DIR/base.yml:2:18 scrape_configs[0].job_name: must be given, as text\n" +
      "DIR/base.yml:2:22 scrape_configs[1]: must be a job",
  )
})

test("refuses to read from the folder that it writes to", async (t) => {
  assert.equal(
    await faultsWith(t, "global: {}\n", "rules/.."),
    ["sites.yaml", "site-a.token", "ca.pem", "base.yml"]
      .map((name) => `DIR/${name}: must not lie in --prometheus.config-dir (DIR), where files are overwritten`)
      .join("\n"),
  )
})

test("refuses a relative file that is missing, which Prometheus would report in its log alone", async (t) => {
  const job = (config: string) => `scrape_configs:\n  - job_name: own\n    ${config}\n`
  assert.equal(
    await faultsWith(t, job("tls_config: {ca_file: ca.pem, key_file: gone.key}")),
    "DIR/base.yml:3:35 scrape_configs[0].tls_config.key_file: the file DIR/gone.key cannot be read: ENOENT: no such file or directory",
  )
  assert.equal(await faultsWith(t, job("tls_config: {ca_file: ca.pem, cert_file: /nowhere/x.pem}")), "no fault")
  assert.equal(await faultsWith(t, "global: {query_log_file: to-be-written.log}\n"), "no fault")
})

test("warns of patterns that match no file, which is no error to Prometheus", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-load-"))
  t.after(() => rm(folder, { recursive: true }))
  await cp(complete, folder, { recursive: true })
  const files = ["rule_files: [rules/*.yml, none/*.yml]", "scrape_config_files: [extra/*.yml, /nowhere/*.yml]"]
  const job = "  - {job_name: own, file_sd_configs: [{files: [rules/*.yml, later.json]}]}"
  await writeFile(join(folder, "base.yml"), [...files, "scrape_configs:", job, ""].join("\n"))
  const { warnings } = await load(folder)
  assert.deepEqual(
    warnings.map(({ about, message }) => `${Object.values(about).join()}: ${message}`.replaceAll(folder, "DIR")),
    [
      "DIR/base.yml:1:27 rule_files[1]: no file matches DIR/none/*.yml",
      "DIR/base.yml:2:23 scrape_config_files[0]: no file matches DIR/extra/*.yml",
      "DIR/base.yml:4:61 scrape_configs[0].file_sd_configs[0].files[1]: no file matches DIR/later.json",
      "Site-B.2: credentials and data cross the network unencrypted: give the site TLS, and its url https://",
    ],
  )
})

for (const empty of ["", "# nothing\n", "scrape_configs:\n", "scrape_configs: []\n"]) {
  test(`accepts the base configuration ${JSON.stringify(empty)}`, async (t) => {
    assert.equal(await faultsWith(t, empty), "no fault")
  })
}

test("reads a token file by its absolute path", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-load-"))
  t.after(() => rm(folder, { recursive: true }))
  const [token, base] = [join(folder, "secrets-token"), join(folder, "base.yml")]
  await writeFile(token, "an-absolute-token\n")
  await writeFile(base, "")
  await writeFile(
    join(folder, "sites.yaml"),
    `sites:\n  - {name: site-a, url: "https://a.example.org", token: {file: ${token}}}\n`,
  )
  const { files } = await load(folder)
  assert.equal(files[0]?.content, "an-absolute-token")
})
