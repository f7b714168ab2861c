import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { clientsSchema } from "./schema.ts"
import { faultsOf } from "./testing.ts"

const page = readFileSync(join(import.meta.dirname, "../../../../docs/tenancy-exposition.md"), "utf8")

test("the file of clients in docs/tenancy-exposition.md is valid", async (t) => {
  const text = /```yaml\n(# tenants\.yaml\n[^]*?)```/.exec(page)?.[1] ?? ""
  const file = await temporaryFolder(t).write("tenants.yaml", text)
  assert.equal(await faultsOf(file), "tenants.yaml has no fault\n")
})

test("docs/tenancy-exposition.md has every key of the file", () => {
  // a fault of its own says where TLS is set up
  const keys = Object.keys(clientsSchema.shape).filter((key) => key !== "tls")
  const missing = keys.filter((key) => !new RegExp(`^\\|[^|]*\`${key}\``, "m").test(page))
  assert.deepEqual(missing, [])
})
