import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { generateKeyPairSync } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { readText } from "#core/files/read-text.ts"
import { recordReads } from "#core/files/watch.ts"
import { ConfigurationError } from "#core/errors.ts"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { loadSites } from "./sites.ts"
import { scratch, testInputs } from "./testing.ts"

const authority = makeAuthority("ca")
const [own, other] = [authority.issue({ name: "own" }), authority.issue({ name: "other" })]
const files = {
  token: "token",
  "own.pem": own.cert,
  "own.key": own.key,
  "other.key": other.key,
  "trusted.pem": own.cert.replaceAll("CERTIFICATE", "TRUSTED CERTIFICATE"),
  "ed448.key": generateKeyPairSync("ed448").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
}

async function faultsOf(t: TestContext, site: string): Promise<string> {
  const folder = await scratch(t)
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  const file = join(folder, "sites.yaml")
  await writeFile(file, `sites:\n  - {name: a, url: "https://a.example.org", ${site}}\n`)
  try {
    loadSites(file, testInputs(process.env, readText))
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message.replaceAll(/^.*sites\[0\]\./gm, "")
    throw error
  }
  return "no fault"
}

for (const [pair, expected] of [
  ["own.key", "no fault"],
  ["other.key", "tls.key_file: other.key is not the key of the certificate in own.pem"],
  ["ed448.key", "tls.key_file: ed448.key holds no unencrypted private key (RSA, ECDSA or Ed25519) in PEM"],
] as const) {
  test(`a certificate with ${pair}: ${expected}`, async (t) => {
    assert.equal(await faultsOf(t, `token: {file: token}, tls: {cert_file: own.pem, key_file: ${pair}}`), expected)
  })
}

test(
  "refuses files that are not in UTF-8, and what is no file but waits to be written to",
  { timeout: 5000 },
  async (t) => {
    const folder = await scratch(t)
    const [latin, pipe] = [join(folder, "latin.yaml"), join(folder, "pipe")]
    await writeFile(latin, Buffer.from("sites: [] # D\u00fcsseldorf\n", "latin1"))
    assert.equal(spawnSync("mkfifo", [pipe]).status, 0)
    const messages = [latin, pipe].map((file) =>
      Promise.try(() => loadSites(file, testInputs({}, recordReads().read))).catch((error: unknown) => String(error)),
    )
    assert.deepEqual(await Promise.all(messages), [
      `ConfigurationError: ${latin}: cannot be read: it is not UTF-8; save it in this encoding`,
      `ConfigurationError: ${pipe}: cannot be read: it is a pipe, not a file`,
    ])
  },
)

test("refuses a certificate under a name that Prometheus does not know", async (t) => {
  assert.equal(
    await faultsOf(t, "token: {file: token}, tls: {ca_file: trusted.pem}"),
    "tls.ca_file: trusted.pem holds no certificate in PEM",
  )
})

test("reads no token from a property that every object inherits", async (t) => {
  assert.equal(await faultsOf(t, "token: {env: constructor}"), "token.env: the variable constructor is not set")
})
