import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import test from "node:test"
import { parseSelector } from "#core/promql/parse.ts"
import { parse } from "yaml"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { keepShared } from "../../../sites/remote-write-config.ts"
import { faultsOf } from "./testing.ts"

const page = readFileSync(join(import.meta.dirname, "../../../../docs/tenancy.md"), "utf8")
const block = (first: string): string =>
  [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, text = ""]) => text).find((text) => text.startsWith(first)) ?? ""

test("the senders of docs/tenancy.md are valid", async (t) => {
  const file = await temporaryFolder(t).write("senders.yaml", block("# senders.yaml"))
  assert.equal(await faultsOf(file), "senders.yaml has no fault\n")
})

test("the remote_write of docs/tenancy.md keeps what its site shares", () => {
  const { remote_write: writes } = parse(block("# prometheus.yml of the site")) as {
    readonly remote_write: readonly { readonly write_relabel_configs: unknown }[]
  }
  const shared = parseSelector('{job="project_usages",__name__=~"project_.*_usage"}')
  assert.deepEqual(writes[0]?.write_relabel_configs, keepShared([shared]))
})
