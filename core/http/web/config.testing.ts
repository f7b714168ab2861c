import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { recordReads } from "#core/files/watch.ts"
import { ConfigurationError } from "#core/errors.ts"
import { readWebConfig } from "./config.ts"
import { makeAuthority } from "../../../dev/testing/certificates.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"

export const authority = makeAuthority("Test CA")
export const server = authority.issue({ name: "server" })
export const PAIR = "tls_server_config:\n  cert_file: tls/server.crt\n  key_file: tls/server.key\n"

/** What is read from a file with these certificates beside it, or its faults; paths from its folder. */
export async function readExample(t: TestContext, yaml: string, refuseBasicAuth?: string) {
  const folder = temporaryFolder(t)
  const other = authority.issue({ name: "other" })
  const expired = authority.issue({ name: "old", notAfter: new Date("2020-02-03T04:05:06Z") })
  const files = {
    "tls/server.crt": server.cert,
    "tls/server.key": server.key,
    "tls/other.key": other.key,
    "tls/old.crt": expired.cert,
    "tls/old.key": expired.key,
    "tls/ca.crt": authority.cert,
    "tls/text": "hello",
  }
  for (const [name, text] of Object.entries(files)) await folder.write(name, text)
  const file = await folder.write("web.yml", yaml)
  const relative = (text: string): string => text.replaceAll(`${folder.path}/`, "")
  const { read, contents } = recordReads()
  try {
    const config = await readWebConfig(file, read, refuseBasicAuth)
    return { config, files: [...contents.keys()].map(relative), faults: "" }
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return { config: undefined, files: [], faults: relative(error.message) }
  }
}

export interface Refused {
  readonly what: string
  readonly yaml: string
  readonly faults: string
  readonly refuseBasicAuth?: string
}

/** A test for each file that is refused. */
export function testRefusals(cases: readonly Refused[]): void {
  for (const { what, yaml, faults: expected, refuseBasicAuth } of cases) {
    test(`refuses ${what}`, async (t) => {
      const { faults } = await readExample(t, yaml, refuseBasicAuth)
      assert.equal(faults, expected)
    })
  }
}
