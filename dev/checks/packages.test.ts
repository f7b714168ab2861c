import assert from "node:assert/strict"
import test from "node:test"
import { licenceFaults, undocumented } from "./packages.ts"

test("names each production package whose licence is not allowed, with its version", () => {
  const packages = {
    "": { version: "1.0.0" },
    "node_modules/good": { version: "1.0.0", license: "MIT" },
    "node_modules/either": { version: "1.0.0", license: "(GPL-3.0 OR Apache-2.0)" },
    "node_modules/both": { version: "2.0.0", license: "MIT AND GPL-3.0" },
    "node_modules/good/node_modules/@scope/silent": { version: "3.0.0" },
    "node_modules/tool": { version: "4.0.0", license: "GPL-3.0", dev: true },
  }
  const allowed =
    "0BSD, Apache-2.0, BlueOak-1.0.0, BSD-2-Clause, BSD-3-Clause, ISC, MIT, PSF-2.0, Python-2.0, Unlicense"
  assert.deepEqual(licenceFaults({ packages }), [
    `both 2.0.0: MIT AND GPL-3.0 is not one of ${allowed}`,
    `@scope/silent 3.0.0: no licence named is not one of ${allowed}`,
  ])
})

test("finds dependencies without a row and rows without a dependency", () => {
  const packages = {
    "": {
      dependencies: { kept: "1.0.0", "@scope/forgotten": "1.0.0" },
      devDependencies: { first: "1.0.0", second: "1.0.0" },
    },
  }
  const text =
    "| package | why |\n|---|---|\n| `kept` | needed |\n| `first`, `second` | tools |\n| `gone` | was needed |\n"
  assert.deepEqual(undocumented({ packages }, text), [
    "docs/dependencies.md has no row with the reason for @scope/forgotten",
    "docs/dependencies.md has a row for gone, which package.json does not name",
  ])
})
