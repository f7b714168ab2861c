import assert from "node:assert/strict"
import test from "node:test"
import { ConfigurationError } from "#core/errors.ts"
import { readAllowListFile } from "./allow-list-file.ts"

const read = (text: string): readonly string[] => readAllowListFile("tenants.yaml", () => text)

const LETTERS = "must consist of letters, digits and !-_.*'()"
const good: Readonly<Record<string, readonly string[]>> = {
  "tenants: [red, blue, red]": ["red", "blue"],
  "# all\ntenants:\n  - red\n  - 'blue' # until June\n": ["red", "blue"],
  "tenants: [0, 007, 1e3, 0x1f, true, 1.50, __proto__]": ["0", "007", "1e3", "0x1f", "true", "1.50", "__proto__"],
  "tenants: []": [],
}
for (const [text, tenants] of Object.entries(good))
  test(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(read(text), tenants))

const bad: Readonly<Record<string, readonly string[]>> = {
  "": ["tenants.yaml: is empty; it must be a map"],
  "red\nblue\n": ["tenants.yaml:1:1: must be a map"],
  "- red\n": ["tenants.yaml:1:1: must be a map"],
  "{}": ["tenants.yaml:1:1 tenants: is missing; it must be a list"],
  "tenants:": ["tenants.yaml:1:1 tenants: must be a list"],
  "tenants: red": ["tenants.yaml:1:1 tenants: must be a list"],
  "tenants: [red]\ntennants: [blue]": ["tenants.yaml:2:1 tennants: unknown key"],
  "tenants:\n  - red\n  - a|b\n  - ''\n  - ~\n  - [c]\n": [
    `tenants.yaml:3:5 tenants[1]: ${LETTERS} (has "|")`,
    "tenants.yaml:4:5 tenants[2]: must not be empty",
    "tenants.yaml:5:5 tenants[3]: must be the id of a tenant",
    "tenants.yaml:6:5 tenants[4]: must be the id of a tenant",
  ],
  "tenants: [red": [
    "tenants.yaml:1:14: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
}
for (const [text, messages] of Object.entries(bad))
  test(`refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => read(text),
      (error: unknown) => {
        assert.ok(error instanceof ConfigurationError)
        assert.deepEqual(error.message.split("\n"), messages)
        return true
      },
    )
  })
