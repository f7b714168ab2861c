import assert from "node:assert/strict"
import { test } from "node:test"
import { parse } from "yaml"
import { yamlItems } from "./yaml-text.ts"

const ITEMS = [
  {
    job_name: "site-a",
    sample_limit: 5000,
    honor_labels: true,
    left_out: undefined,
    params: { "match[]": ['up{job="a"}', "# no comment"] },
    nothing: {},
    none: [],
    static_configs: [{ targets: ["a:443"], labels: { site: "no", yes: "~", "a b": "1e3", null: "" } }, {}],
    nested: [["a", { b: ["c"] }], []],
  },
  {},
]

test("writes maps as block YAML, text quoted", () => {
  assert.equal(
    yamlItems(ITEMS, "  "),
    String.raw`  - job_name: "site-a"
    sample_limit: 5000
    honor_labels: true
    params:
      match[]:
        - "up{job=\"a\"}"
        - "# no comment"
    nothing: {}
    none: []
    static_configs:
      - targets:
          - "a:443"
        labels:
          site: "no"
          "yes": "~"
          "a b": "1e3"
          "null": ""
      - {}
    nested:
      -
        - "a"
        - b:
            - "c"
      - []
  - {}
`,
  )
})

for (const version of ["1.1", "1.2"] as const) {
  test(`a reader of YAML ${version} finds what was written`, () => {
    const hostile =
      String.raw`\" ' : - # & * ! | > % @ {} [] , ? \n $1 ` + "\n\r\t\0\u0007\u001b\u0085\u2028\u2029\ufeff\uffff é 😀"
    const items = [...ITEMS, { [hostile]: hostile, list: [hostile, [hostile]] }]
    const { left_out: _, ...first } = ITEMS[0] ?? {}
    assert.deepEqual(parse(yamlItems(items, ""), { version }), [first, ...items.slice(1)])
  })
}

test("writes no character raw that Prometheus refuses to read or takes for the end of a line", () => {
  assert.equal(
    yamlItems([{ a: "\u007f\u0085\u009f\u2028\u2029\ufeff\ufffe\uffff" }], ""),
    String.raw`- a: "\u007f\u0085\u009f\u2028\u2029\ufeff\ufffe\uffff"` + "\n",
  )
})
