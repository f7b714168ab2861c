import assert from "node:assert/strict"
import test from "node:test"
import { tenantsOfRule } from "./tenants-of-rule.ts"

const LETTERS = "must consist of letters, digits and !-_.*'()"
const metadata = { name: "a", namespace: "b" }
const cases: readonly (readonly [spec: unknown, tenants: readonly string[] | undefined, problem?: string])[] = [
  [{ tenants: ["red", "blue", "red"] }, ["red", "blue"]],
  [{ tenants: ["__proto__", "constructor"] }, ["__proto__", "constructor"]],
  [{ tenants: [] }, []],
  [{ tenants: null }, []],
  [{ groups: [] }, []],
  [undefined, []],
  [{ tenants: "red" }, undefined, "spec.tenants must be a list"],
  [{ tenants: { red: true } }, undefined, "spec.tenants must be a list"],
  [{ tenants: 7 }, undefined, "spec.tenants must be a list"],
  [
    { tenants: ["red", "a|b", 0] },
    ["red"],
    `spec.tenants[1] ${LETTERS} (has "|") (is "a|b"); spec.tenants[2] must be text`,
  ],
  [{ tenants: [""] }, [], 'spec.tenants[0] must not be empty (is "")'],
  [
    { tenants: [null, [], {}, true, ".."] },
    [],
    "spec.tenants[0] must be text; spec.tenants[1] must be text; spec.tenants[2] must be text; 2 more",
  ],
]
for (const [spec, tenants, problem] of cases)
  test(`reads ${JSON.stringify(spec)}`, () =>
    assert.deepEqual(tenantsOfRule({ metadata, spec: spec as object }), { tenants, problem }))
