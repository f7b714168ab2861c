import assert from "node:assert/strict"
import test from "node:test"
import { parseSelector } from "#core/promql/parse.ts"
import { keepShared, remoteWriteConfig, type WriteRelabelRule } from "./remote-write-config.ts"

test("is a whole remote_write that keeps what is shared", () => {
  const selectors = ['{job="project_usages",__name__=~"project_.*_usage"}', 'up{job="a.b"}'].map(parseSelector)
  assert.equal(
    remoteWriteConfig("https://portal.example.org/api/v1/write", selectors),
    `remote_write:
  - url: https://portal.example.org/api/v1/write
    authorization: {credentials_file: /etc/prometheus/portal.token}
    queue_config: {retry_on_http_429: true}
    write_relabel_configs:
      - {source_labels: [__name__, job], regex: project_.*_usage;project_usages, target_label: __tmp_shared, replacement: "1"}
      - {source_labels: [__name__, job], regex: up;a\\.b, target_label: __tmp_shared, replacement: "1"}
      - {source_labels: [__tmp_shared], regex: "1", action: keep}
      - {regex: __tmp_shared.*, action: labeldrop}
`,
  )
})

/** As Prometheus relabels: what is left of a series, or undefined. */
function relabel(labels: Readonly<Record<string, string>>, rules: readonly WriteRelabelRule[]) {
  const result = new Map(Object.entries(labels))
  for (const { source_labels = [], regex = "(.*)", target_label = "", replacement = "$1", action } of rules) {
    const expression = new RegExp(`^(?:${regex})$`, "su")
    if (action === "labeldrop") {
      for (const name of result.keys()) if (expression.test(name)) result.delete(name)
      continue
    }
    const source = source_labels.map((name) => result.get(name) ?? "").join(";")
    if (action === "keep" && !expression.test(source)) return undefined
    if (action === "keep" || !expression.test(source)) continue
    if (replacement === "") result.delete(target_label)
    else result.set(target_label, replacement)
  }
  return Object.fromEntries(result)
}

test("keeps what any selector selects, with negative matchers and missing labels, and adds no label", () => {
  const rules = keepShared(['up{job!="b"}', '{job="b",x!~"1|2",y=""}', '{z!=""}', "m{q=~'a|b'}"].map(parseSelector))
  const cases: readonly (readonly [Readonly<Record<string, string>>, boolean])[] = [
    [{ __name__: "up" }, true],
    [{ __name__: "up", job: "a" }, true],
    [{ __name__: "up", job: "b", x: "1" }, false],
    [{ __name__: "n", job: "b" }, true],
    [{ __name__: "n", job: "b", x: "3" }, true],
    [{ __name__: "n", job: "b", y: "1" }, false],
    [{ __name__: "n", z: "1" }, true],
    [{ __name__: "n" }, false],
    [{ __name__: "m", q: "b" }, true],
    [{ __name__: "m", q: "ab" }, false],
  ]
  for (const [labels, kept] of cases) {
    assert.deepEqual(relabel(labels, rules), kept ? labels : undefined, JSON.stringify(labels))
  }
})
