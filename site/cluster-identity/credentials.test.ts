import assert from "node:assert/strict"
import { chmodSync } from "node:fs"
import { test } from "node:test"
import { ExitError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { type CredentialSources, readCredentials } from "./credentials.ts"

const NONE = {
  accessKeySource: undefined,
  secretKeySource: undefined,
  credentialsSource: undefined,
  optionalCredentials: false,
}
const keys = (folder: string, value: string) => ({
  [`${folder}/aws_access_key_id`]: `${value}-id\r\n`,
  [`${folder}/aws_secret_access_key`]: `${value}-key\n\n`,
})
const written = (value: string): string =>
  `[default]\naws_access_key_id = ${value}-id\naws_secret_access_key = ${value}-key\n`

const CASES: readonly (readonly [
  name: string,
  files: Readonly<Record<string, string>>,
  change: Partial<CredentialSources>,
  expected: string,
])[] = [
  ["the original's own place", keys("/secrets", "own"), {}, written("own")],
  ["the place of its README", keys("/rawsecrets", "raw"), {}, written("raw")],
  [
    "its own place before that of its README",
    { ...keys("/secrets", "own"), ...keys("/rawsecrets", "raw") },
    {},
    written("own"),
  ],
  [
    "a ready-made file",
    { "/rawsecrets/credentials": "[default]\nrole_arn = a\n\n" },
    {},
    "[default]\nrole_arn = a\n\n",
  ],
  [
    "keys before a ready-made file",
    { ...keys("/rawsecrets", "raw"), "/rawsecrets/credentials": "[x]" },
    {},
    written("raw"),
  ],
  [
    "a ready-made file that a flag names before keys",
    { ...keys("/rawsecrets", "raw"), "/sts/file": "[x]" },
    { credentialsSource: "/sts/file" },
    "[x]",
  ],
  [
    "one key without the other",
    { "/rawsecrets/aws_access_key_id": "a" },
    { optionalCredentials: true },
    "3 credentials: /rawsecrets/aws_access_key_id is there, and no file /secrets/aws_secret_access_key or /rawsecrets/aws_secret_access_key",
  ],
  [
    "a ready-made file that a flag names and that is missing",
    keys("/secrets", "own"),
    { credentialsSource: "/sts/file", optionalCredentials: true },
    "3 credentials: there is no file /sts/file",
  ],
  [
    "an empty ready-made file",
    { "/secrets/credentials": " \n" },
    { optionalCredentials: true },
    "3 credentials: /secrets/credentials is empty",
  ],
  [
    "no source at all",
    {},
    {},
    "3 credentials: there is no file /secrets/aws_access_key_id or /rawsecrets/aws_access_key_id or /secrets/aws_secret_access_key or /rawsecrets/aws_secret_access_key or /secrets/credentials or /rawsecrets/credentials; mount the secret, or go without by --optional-credentials",
  ],
]
for (const [name, files, change, expected] of CASES) {
  test(`credentials from ${name}`, async (t) => {
    const { path, write } = temporaryFolder(t)
    for (const [file, content] of Object.entries(files)) await write(file, content)
    const below = (file: string | undefined) => (file === undefined ? undefined : `${path}${file}`)
    const wanted = { ...NONE, ...change, credentialsSource: below(change.credentialsSource) }
    const outcome = (): string | undefined => {
      try {
        return readCredentials(wanted, readText, [`${path}/secrets`, `${path}/rawsecrets`]).content
      } catch (error) {
        assert.ok(error instanceof ExitError)
        return `${error.exitCode} ${error.message}`.replaceAll(path, "")
      }
    }
    assert.equal(outcome(), expected)
  })
}

test("a source that may not be read is a failure, also where credentials are optional", async (t) => {
  const { path, write } = temporaryFolder(t)
  const file = await write("credentials", "[default]")
  chmodSync(file, 0o000)
  const denied = Object.assign(new Error("EACCES: permission denied, open"), { code: "EACCES" })
  const read = (): never => {
    throw denied // the tests may run as root
  }
  assert.throws(() => readCredentials({ ...NONE, optionalCredentials: true }, read, [path]), {
    exitCode: 3,
    message: "credentials: EACCES: permission denied, open",
  })
})

test("both keys are of one version, also where the volume is replaced between two reads", () => {
  const contents = ["a1", "s2", "a2", "a2", "s2", "a2"]
  const read = (file: string): string => {
    assert.match(file, /key/)
    return contents.shift() ?? ""
  }
  const { content } = readCredentials(NONE, read, ["/nowhere"])
  assert.equal(content, "[default]\naws_access_key_id = a2\naws_secret_access_key = s2\n")
})
