import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { parseDocument } from "yaml"
import { readText } from "#core/files/read-text.ts"
import { ConfigurationError } from "#core/errors.ts"
import { crossCheck } from "./cross-checks.ts"
import { loadSites } from "./sites.ts"
import { sendsInPlain } from "./warnings.ts"
import { testInputs } from "./testing.ts"

const bad = join(import.meta.dirname, "testdata/bad")

function faultsOf(file: string): string {
  try {
    loadSites(file, testInputs({}, readText))
  } catch (error) {
    if (error instanceof ConfigurationError) return `${error.message.replaceAll(`${bad}/`, "")}\n`
    throw error
  }
  return "no fault"
}

for (const name of readdirSync(bad).filter((file) => file.endsWith(".yaml"))) {
  test(`reports every fault of ${name}`, () => {
    assert.equal(faultsOf(join(bad, name)), readFileSync(join(bad, name.replace(".yaml", ".txt")), "utf8"))
  })
}

test("names a file that is not there", () => {
  assert.equal(faultsOf(join(bad, "none.yaml")), "none.yaml: cannot be read: ENOENT: no such file or directory\n")
})

test("no message holds a token or a password", () => {
  const all = readdirSync(bad).map((name) => faultsOf(join(bad, name)))
  assert.doesNotMatch(all.join(""), /s3cret|user:pass|good-token|with space|\btwo\n/)
})

test("reads every file, also where others cannot be read", () => {
  const files: string[] = []
  const inputs = testInputs({}, (file, where) => {
    files.push(file)
    return readText(file, where)
  })
  assert.throws(() => loadSites(join(bad, "unreadable-token.yaml"), inputs))
  const names = ["unreadable-token.yaml", "missing.token", "space.token"]
  assert.deepEqual(
    files,
    names.map((name) => join(bad, name)),
  )
})

test("entries of one url that present other certificates request other series", () => {
  const of = (certificate: string) => ({
    url: new URL("https://a.example.org"),
    match: ["up"],
    tls: { cert_file: certificate, key_file: "key.pem" },
  })
  const reported: unknown[] = []
  crossCheck(parseDocument(""), ["a.pem", "b.pem", "a.pem"].map(of), (path, message) =>
    reported.push([path.join("."), message]),
  )
  assert.deepEqual(reported, [["sites.2.url", "requests the same series as sites[0]; each site needs its own"]])
})

for (const [url, expected] of [
  ["https://site-a.example.org", false],
  ["http://site-a.example.org", true],
  ["http://site-a-proxy:8000", true],
  ["http://10.0.0.1", true],
  ["http://[fd00::1]:8000", true],
  ["http://localhost.example.org", true],
  ["http://127.example.org", true],
  ["http://localhost:8000/prefix", false],
  ["http://LOCALHOST.", false],
  ["http://127.0.0.1:8000", false],
  ["http://127.1", false],
  ["http://[::1]:8000", false],
  ["http://[::ffff:127.0.0.1]", false],
  ["http://[::ffff:10.0.0.1]", true],
] as const) {
  test(`${url} ${expected ? "shows" : "does not show"} the token to the network`, () => {
    assert.equal(sendsInPlain(new URL(url)), expected)
  })
}
